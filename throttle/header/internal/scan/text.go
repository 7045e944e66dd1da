package scan

// IsDigit reports whether c is one of the digits of ASCII.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsLetter reports whether c is one of the letters of ASCII.
func IsLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

// Lower returns a letter of ASCII in lower case, and any other byte as it is.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Trim cuts blanks from both ends. Values of a http.Header are trimmed already,
// but not those of bodies and of lists.
func Trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// Unquote cuts the quotes around s, if there are two.
func Unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return Trim(s[1 : len(s)-1])
	}
	return s
}

// EqualFold compares s with a word in lower case, both in ASCII.
func EqualFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		if Lower(s[i]) != word[i] {
			return false
		}
	}
	return true
}

// HasFold reports whether s starts with a word in lower case.
func HasFold(s, word string) bool {
	return len(s) >= len(word) && EqualFold(s[:len(word)], word)
}

// FirstByte returns the first byte of s, 0 if there is none.
func FirstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}
