// Package credentials finds out whose quota a request spends: its host, and what it shows of
// who sends it. It knows credentials by the names of fields, parameters and cookies, and of a
// signature takes no more than the signer. [Spender.Hash] reveals nothing of them.
//
// It imports nothing of this module. Start reading at [Spender.Look].
package credentials

import (
	"crypto/sha256"
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxCredentials is how many credentials of a request are looked at.
const maxCredentials = 8

// A Spender is what a request shows of who spends: its host, and its credentials or else
// what the caller told.
type Spender struct {
	URL *url.URL
	Key string // that the caller told; empty for none. Then its credentials count for nothing

	shown [maxCredentials]credential
	n     int
	class class // of those shown: stronger ones took the place of weaker ones
}

// A credential is one of a request: the name under which it came, and as much of it as
// is the same with every request.
type credential struct{ name, value string }

// Look finds the credentials of a request.
func (s *Spender) Look(req *http.Request) {
	if len(req.Header) > 0 { // a loop over nothing has a price too
		s.lookThrough(req.Header)
	}
	if s.URL.User != nil && len(req.Header["Authorization"]) == 0 {
		s.show("userinfo", s.URL.User.String(), strong)
	}
	if s.URL.RawQuery != "" {
		s.lookThroughQuery(s.URL.RawQuery)
	}
	if s.class != strong {
		if cookies := req.Header["Cookie"]; len(cookies) > 0 {
			s.lookThroughCookies(cookies)
		}
	}
}

// lookThrough finds the credentials in a header.
func (s *Spender) lookThrough(h http.Header) {
	for name, values := range h {
		if len(values) == 0 || values[0] == "" {
			continue
		}
		switch name {
		case "Authorization":
			s.authorize(name, values[0])
			continue
		case "Signature-Input":
			s.authorizeBy(name, "Signature", values[0])
			continue
		case "X-Request-Id", "X-Amz-Date", "X-Correlation-Id": // these come often
			continue
		}
		switch c := classOf(name); {
		case c == public:
		case c == strong && (strings.HasSuffix(name, "uthorization") || strings.HasSuffix(name, "sse")):
			s.authorize(name, values[0])
		default:
			s.show(name, values[0], c)
		}
	}
}

// lookThroughQuery finds the credentials in a query. They stay escaped.
func (s *Spender) lookThroughQuery(query string) {
	for query != "" {
		part := query
		if i := strings.IndexByte(query, '&'); i >= 0 {
			part, query = query[:i], query[i+1:]
		} else {
			query = ""
		}
		i := strings.IndexByte(part, '=')
		if i < 0 || i == len(part)-1 {
			continue
		}
		name, value := part[:i], part[i+1:]
		c := classOfParameter(name)
		if c == strong && strings.HasSuffix(name, "redential") {
			name, value = "Credential", credentialOf(value) // as in an Authorization field
		}
		if c != public {
			s.show(name, value, c)
		}
	}
}

// lookThroughCookies finds those of a session, for requests that show nothing else.
func (s *Spender) lookThroughCookies(fields []string) {
	for _, field := range fields {
		for cookie := range strings.SplitSeq(field, ";") {
			name, value, ok := strings.Cut(strings.TrimSpace(cookie), "=")
			if !ok {
				name, value = "session", name
			}
			if classOf(name) != public {
				s.show(name, value, weak)
			}
		}
	}
}

// show notes a credential. Weak ones count only where there is no strong one.
func (s *Spender) show(name, value string, c class) {
	if c > s.class {
		s.class, s.n = c, 0
	}
	if c < s.class || value == "" || s.n == len(s.shown) {
		return
	}
	s.shown[s.n] = credential{name, value}
	s.n++
}

// Identity returns the host and the credentials, as plain text.
func (s *Spender) Identity() string { return string(s.appendIdentity(nil)) }

// appendIdentity appends the host and the credentials, in an order that does not depend on
// theirs.
func (s *Spender) appendIdentity(to []byte) []byte {
	to = appendLower(to, hostOf(s.URL))
	var room [maxCredentials][]byte
	shown := room[:0]
	for i := range s.n {
		c := &s.shown[i]
		shown = append(shown, append(append(appendName(nil, c.name), 1), c.value...))
	}
	slices.SortFunc(shown, slices.Compare)
	for _, c := range shown {
		to = append(append(to, 0), c...)
	}
	return to
}

// appendName appends the letters and digits of a name, so that X-Api-Key and x_apikey are
// one.
func appendName(to []byte, name string) []byte {
	for i := range len(name) {
		if isAlphanumeric(name[i]) {
			to = appendLower(to, name[i:i+1])
		}
	}
	return to
}

// implied returns the port that the scheme of a URL implies, or 0.
func implied(u *url.URL) uint64 {
	switch u.Scheme {
	case "https":
		return 443
	case "http":
		return 80
	}
	return 0
}

// Host returns the host of a URL in small letters, without the port that its scheme implies.
func Host(u *url.URL) string { return string(appendLower(nil, hostOf(u))) }

// hostOf returns the host of a URL, without the port that its scheme implies.
func hostOf(u *url.URL) string {
	switch implied(u) {
	case 443:
		return strings.TrimSuffix(u.Host, ":443")
	case 80:
		return strings.TrimSuffix(u.Host, ":80")
	}
	return u.Host
}

func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// seed makes the sums unpredictable.
var seed = maphash.MakeSeed()

// Sum returns a fast hash, which means nothing outside of this process. It differs if the host or the credentials differ, and is equal for
// equal requests. Different spellings of one credential may give different sums, which only
// costs another hash.
func (s *Spender) Sum() uint64 {
	const odd = 0x9e3779b97f4a7c15
	sum := maphash.String(seed, s.URL.Host)*odd + implied(s.URL)
	if s.Key != "" {
		return sum*odd + maphash.String(seed, s.Key)*odd
	}
	for i := range s.n { // in any order, as that of a header's fields is random
		c := &s.shown[i]
		one := maphash.String(seed, c.name)*odd + maphash.String(seed, c.value)
		one *= odd
		sum += one ^ one>>32
	}
	return sum
}

// Hash returns the hash of who spends, which does not reveal the credentials. A key that the
// caller set is the same for all hosts.
func (s *Spender) Hash() string {
	var room [256]byte
	text := room[:0]
	if s.Key != "" {
		text = append(append(text, 1), s.Key...)
	} else {
		text = s.appendIdentity(text)
	}
	hash := sha256.Sum256(text)
	return string(hash[:])
}
