package header

import (
	"slices"
	"strconv"
)

// jsonScan walks over the scalars of a JSON text, which may be cut off at any
// place. It builds no tree and checks no more than it needs, so that a broken
// or hostile text costs one pass and finds nothing.
type jsonScan struct {
	text string
	pos  int

	key    string // of the member at hand, or of the array that holds it
	value  string // without quotes, and with escapes resolved
	quoted bool   // the value is a string
	depth  int    // 1 for a member of the outermost object
	object int    // the number of the object, counted by their beginnings
	path   [maxDepth]string

	objects int
	stack   [maxDepth]int // the numbers of the objects around
	inArray [maxDepth]bool
}

// maxDepth bounds how deep a text is followed; hints are never deeper than six.
const maxDepth = 16

// next moves to the next scalar.
func (s *jsonScan) next() bool {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case '{', '[':
			if s.depth+1 >= maxDepth {
				return false
			}
			s.path[s.depth] = s.key
			s.depth++
			s.inArray[s.depth] = c == '['
			s.stack[s.depth] = s.stack[s.depth-1]
			if c == '{' {
				s.objects++
				s.stack[s.depth] = s.objects
			}
			s.pos++
		case '}', ']':
			if s.depth == 0 {
				return false
			}
			s.depth--
			s.key = s.path[s.depth]
			s.pos++
		case '"':
			word, ok := s.quote()
			if !ok {
				return false
			}
			if s.depth > 0 && !s.inArray[s.depth] && s.colon() {
				s.key = word
				continue
			}
			return s.found(word, true)
		case ' ', '\t', '\r', '\n', ',', ':':
			s.pos++
		default:
			start := s.pos
			for s.pos < len(s.text) && !endsLiteral(s.text[s.pos]) {
				s.pos++
			}
			if s.pos == start {
				return false
			}
			return s.found(s.text[start:s.pos], false)
		}
	}
	return false
}

func (s *jsonScan) found(value string, quoted bool) bool {
	s.value, s.quoted, s.object = value, quoted, s.stack[s.depth]
	return true
}

// within reports whether the scalar is inside a member of that name, which is in lower
// case.
func (s *jsonScan) within(name string) bool {
	return slices.ContainsFunc(s.path[:s.depth], func(key string) bool { return equalFold(key, name) })
}

func endsLiteral(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\r', '\n', ':', '"', '{', '[':
		return true
	}
	return false
}

// quote reads the string that begins at pos.
func (s *jsonScan) quote() (string, bool) {
	start := s.pos + 1
	escaped := false
	for i := start; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			s.pos = i + 1
			word := s.text[start:i]
			if escaped {
				if plain, err := strconv.Unquote(s.text[start-1 : i+1]); err == nil {
					return plain, true
				}
			}
			return word, true
		}
	}
	return "", false
}

// colon skips a colon, if one follows.
func (s *jsonScan) colon() bool {
	for i := s.pos; i < len(s.text); i++ {
		switch s.text[i] {
		case ' ', '\t', '\r', '\n':
		case ':':
			s.pos = i + 1
			return true
		default:
			return false
		}
	}
	return false
}
