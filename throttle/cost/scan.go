package cost

import (
	"bytes"
	"strconv"
)

// maxDepth is how deep members are looked for. Deeper values are skipped.
const maxDepth = 4

// A scanner walks through JSON without building values. It takes whatever
// bytes it is given: at the first one that does not fit, or where the text was
// cut off, it stops.
type scanner struct {
	text  []byte
	found func(path, value []byte) // each number, string and literal in an object
	skips int                      // bytes of attachments: strings of base64
	open  bool                     // the text ends within an attachment
	path  [96]byte
}

// walk looks through one value.
func (s *scanner) walk() { s.value(s.space(0), 0, 0) }

// value looks through the value at i, whose path has n bytes, and returns where
// it ends.
func (s *scanner) value(i, n, depth int) int {
	if i >= len(s.text) {
		return i
	}
	switch s.text[i] {
	case '{':
		if depth < maxDepth {
			return s.object(i+1, n, depth+1)
		}
		return s.skip(i)
	case '[':
		return s.skip(i)
	case '"':
		end := s.str(i)
		if end-i >= 2 && s.text[end-1] == '"' {
			s.tell(n, i, end)
		}
		return end
	}
	end := i
	for end < len(s.text) && !ends(s.text[end]) {
		end++
	}
	if end < len(s.text) || n == 0 { // a number that was cut off is another number
		s.tell(n, i, end)
	}
	return end
}

func (s *scanner) tell(n, i, end int) {
	if n <= len(s.path) && end > i {
		s.found(s.path[:n], s.text[i:end])
	}
}

// object looks through the members of an object that begins before i.
func (s *scanner) object(i, n, depth int) int {
	for {
		i = s.space(i)
		switch {
		case i >= len(s.text):
			return i
		case s.text[i] == '}':
			return i + 1
		case s.text[i] == ',':
			i++
			continue
		case s.text[i] != '"':
			return len(s.text)
		}
		end := s.str(i)
		m := s.join(n, s.text[i:end])
		if i = s.space(end); i >= len(s.text) || s.text[i] != ':' {
			return len(s.text)
		}
		i = s.value(s.space(i+1), m, depth)
	}
}

// join appends the name of a member to a path of n bytes and returns the length
// of the new one, which is too long for s.path if it does not fit.
func (s *scanner) join(n int, quoted []byte) int {
	tooLong := len(s.path) + 1
	if len(quoted) < 2 || n > len(s.path) {
		return tooLong
	}
	name := quoted[1 : len(quoted)-1]
	if n > 0 {
		if n == len(s.path) {
			return tooLong
		}
		s.path[n] = '.'
		n++
	}
	if n+len(name) > len(s.path) {
		return tooLong
	}
	return n + copy(s.path[n:], name)
}

// skip passes over a container with all that is in it.
func (s *scanner) skip(i int) int {
	depth := 0
	for i < len(s.text) {
		switch s.text[i] {
		case '"':
			i = s.str(i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return i
}

// str returns where the string that begins at i ends.
func (s *scanner) str(i int) int {
	for from := i + 1; ; {
		k := bytes.IndexByte(s.text[from:], '"')
		if k < 0 {
			s.open = s.weigh(s.text[i+1:])
			return len(s.text)
		}
		quote := from + k
		back := quote
		for back > from && s.text[back-1] == '\\' {
			back--
		}
		from = quote + 1
		if (quote-back)%2 == 0 {
			s.weigh(s.text[i+1 : quote])
			return from
		}
	}
}

// attachment is what an attachment counts, whatever its size: an image costs as
// much as its pixels, not as its bytes.
const attachment = 4 << 10

// weigh notes a string that is an attachment, and reports whether it is one.
func (s *scanner) weigh(text []byte) bool {
	if len(text) <= attachment {
		return false
	}
	for _, c := range text[len(text)-256:] {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '+', c == '/', c == '=', c == '-', c == '_':
		default:
			return false
		}
	}
	s.skips += len(text) - attachment
	return true
}

func (s *scanner) space(i int) int {
	for i < len(s.text) && blank(s.text[i]) {
		i++
	}
	return i
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func ends(c byte) bool { return c == ',' || c == '}' || c == ']' || blank(c) }

// number returns the number that a value is, also one in quotes.
func number(value []byte) (float64, bool) {
	if len(value) > 2 && value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	if len(value) == 0 || len(value) > 32 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(value), 64)
	return n, err == nil
}

// isNull reports whether a value says that there is none.
func isNull(value []byte) bool { return string(value) == "null" }
