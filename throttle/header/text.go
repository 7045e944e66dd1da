package header

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// trim cuts blanks from both ends. Values of a http.Header are trimmed already,
// but not those of bodies and of lists.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// unquote cuts the quotes around s, if there are two.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return trim(s[1 : len(s)-1])
	}
	return s
}

// equalFold compares s with a word in lower case, both in ASCII.
func equalFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		if lower(s[i]) != word[i] {
			return false
		}
	}
	return true
}

// hasFold reports whether s starts with a word in lower case.
func hasFold(s, word string) bool {
	return len(s) >= len(word) && equalFold(s[:len(word)], word)
}

// firstByte returns the first byte of s, 0 if there is none.
func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}
