package header

import (
	"net/url"
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// isForm reports whether a text is in the notation of forms, in which gateways for payments
// answer: response=3&responsetext=Rate limit exceeded&response_code=301.
func isForm(text string) bool {
	key, rest, ok := strings.Cut(text, "=")
	if !ok || key == "" || len(key) > 32 || strings.IndexByte(rest, '&') < 0 || !scan.IsLetter(key[0]) {
		return false
	}
	for i := range len(key) {
		if c := key[i]; !scan.IsLetter(c) && !scan.IsDigit(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// readForm reads a text in the notation of forms as if its pairs were the members of an object.
func (r *Reading) readForm(text string, said *bodyFindings) {
	text = text[:min(len(text), 4<<10)]
	for pair := range strings.SplitSeq(text, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
		r.readMember(&scan.JSON{Key: key, Value: value, Quoted: true, Depth: 1}, said)
	}
	said.finish()
}
