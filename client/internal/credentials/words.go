package credentials

// maxName is the longest name of a field or query parameter that is looked at. It fits
// the names of all credentials in use.
const maxName = 64

// words are those of a name in lower case: X-Api-Key, api_key and apiKey all have the
// words api and key.
type words struct {
	text [maxName]byte
	ends [maxName]uint8 // of the words in text
	n    int
}

// split cuts a name into words, at whatever is neither letter nor digit, and where a
// capital begins a word in camel case. The name must not be longer than maxName.
func (w *words) split(name string) {
	length, open := 0, false
	for i := range len(name) {
		c := name[i]
		capital := 'A' <= c && c <= 'Z'
		if open && (!isAlphanumeric(c) || capital && beginsWord(name, i)) {
			w.ends[w.n] = uint8(length)
			w.n++
			open = false
		}
		if !isAlphanumeric(c) {
			continue
		}
		if capital {
			c += 'a' - 'A'
		}
		w.text[length] = c
		length++
		open = true
	}
	if open {
		w.ends[w.n] = uint8(length)
		w.n++
	}
}

// beginsWord reports whether the capital at i begins a word: after a small letter or a
// digit, and before a small letter where an acronym ends.
func beginsWord(name string, i int) bool {
	before := name[i-1]
	return !('A' <= before && before <= 'Z') || i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z'
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// at returns a word; i counts from the last one, which is 0. There is an empty one before
// the first.
func (w *words) at(i int) []byte {
	i = w.n - 1 - i
	switch {
	case i < 0:
		return nil
	case i == 0:
		return w.text[:w.ends[0]]
	}
	return w.text[w.ends[i-1]:w.ends[i]]
}
