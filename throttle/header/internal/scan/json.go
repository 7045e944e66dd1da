package scan

import (
	"slices"
	"strconv"
)

// JSON walks over the scalars of a JSON text, which may be cut off at any
// place. It builds no tree and checks no more than it needs, so that a broken
// or hostile text costs one pass and finds nothing.
type JSON struct {
	Text string
	pos  int

	Key    string // of the member at hand, or of the array that holds it
	Value  string // without quotes, and with escapes resolved
	Quoted bool   // the value is a string
	Depth  int    // 1 for a member of the outermost object
	Object int    // the number of the object, counted by their beginnings
	Path   [maxDepth]string

	objects int
	stack   [maxDepth]int // the numbers of the objects around
	inArray [maxDepth]bool
}

// maxDepth bounds how deep a text is followed; hints are never deeper than six.
const maxDepth = 16

// Next moves to the next scalar.
func (s *JSON) Next() bool {
	for s.pos < len(s.Text) {
		switch c := s.Text[s.pos]; c {
		case '{', '[':
			if s.Depth+1 >= maxDepth {
				return false
			}
			s.Path[s.Depth] = s.Key
			s.Depth++
			s.inArray[s.Depth] = c == '['
			s.stack[s.Depth] = s.stack[s.Depth-1]
			if c == '{' {
				s.objects++
				s.stack[s.Depth] = s.objects
			}
			s.pos++
		case '}', ']':
			if s.Depth == 0 {
				return false
			}
			s.Depth--
			s.Key = s.Path[s.Depth]
			s.pos++
		case '"':
			word, ok := s.quote()
			if !ok {
				return false
			}
			if s.Depth > 0 && !s.inArray[s.Depth] && s.colon() {
				s.Key = word
				continue
			}
			return s.found(word, true)
		case ' ', '\t', '\r', '\n', ',', ':':
			s.pos++
		default:
			start := s.pos
			for s.pos < len(s.Text) && !endsLiteral(s.Text[s.pos]) {
				s.pos++
			}
			if s.pos == start {
				return false
			}
			return s.found(s.Text[start:s.pos], false)
		}
	}
	return false
}

func (s *JSON) found(value string, quoted bool) bool {
	s.Value, s.Quoted, s.Object = value, quoted, s.stack[s.Depth]
	return true
}

// Within reports whether the scalar is inside a member of that name, which is in lower
// case.
func (s *JSON) Within(name string) bool {
	return slices.ContainsFunc(s.Path[:s.Depth], func(key string) bool { return EqualFold(key, name) })
}

func endsLiteral(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\r', '\n', ':', '"', '{', '[':
		return true
	}
	return false
}

// quote reads the string that begins at pos.
func (s *JSON) quote() (string, bool) {
	start := s.pos + 1
	escaped := false
	for i := start; i < len(s.Text); i++ {
		switch s.Text[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			s.pos = i + 1
			word := s.Text[start:i]
			if escaped {
				if plain, err := strconv.Unquote(s.Text[start-1 : i+1]); err == nil {
					return plain, true
				}
			}
			return word, true
		}
	}
	return "", false
}

// colon skips a colon, if one follows.
func (s *JSON) colon() bool {
	for i := s.pos; i < len(s.Text); i++ {
		switch s.Text[i] {
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
