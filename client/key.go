package client

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A KeyFunc returns the key of a request. Requests with the same key share their limits,
// whatever their hosts. If a KeyFunc returns an empty string, the default key applies:
// the host and the credentials of the request. A KeyFunc must not modify the request and
// must be safe for concurrent use. The client keeps only a hash of the key.
type KeyFunc func(*http.Request) string

// PerHost returns a KeyFunc that combines the key that f returns with the request's host.
func PerHost(f KeyFunc) KeyFunc {
	return func(req *http.Request) string {
		key := f(req)
		if key == "" {
			return ""
		}
		return string(appendLower(nil, hostOf(req.URL))) + "\x00" + key
	}
}

// AuthorizationKey is a [KeyFunc] that considers only the host and the Authorization
// field. If the field is a signature, it considers only the signer, as the default does.
func AuthorizationKey(req *http.Request) string {
	s := spender{url: req.URL}
	if value := req.Header.Get("Authorization"); value != "" {
		s.authorize("Authorization", value)
	}
	return string(s.appendIdentity(nil))
}

// maxCredentials is how many credentials of a request are looked at.
const maxCredentials = 8

// A spender is what a request shows of who spends: its host, and what the caller
// told or else its credentials.
type spender struct {
	url   *url.URL
	key   string
	told  bool
	shown [maxCredentials]credential
	n     int
	class class // of those shown: stronger ones took the place of weaker ones
}

// A credential is one of a request: the name under which it came, and as much of it as
// is the same with every request.
type credential struct{ name, value string }

// look finds the credentials of a request.
func (s *spender) look(req *http.Request) {
	if len(req.Header) > 0 { // a loop over nothing has a price too
		s.lookThrough(req.Header)
	}
	if s.url.User != nil && len(req.Header["Authorization"]) == 0 {
		s.show("userinfo", s.url.User.String(), strong)
	}
	if s.url.RawQuery != "" {
		s.lookThroughQuery(s.url.RawQuery)
	}
	if s.class != strong {
		if cookies := req.Header["Cookie"]; len(cookies) > 0 {
			s.lookThroughCookies(cookies)
		}
	}
}

// lookThrough finds the credentials in a header.
func (s *spender) lookThrough(h http.Header) {
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
func (s *spender) lookThroughQuery(query string) {
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
func (s *spender) lookThroughCookies(fields []string) {
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
func (s *spender) show(name, value string, c class) {
	if c > s.class {
		s.class, s.n = c, 0
	}
	if c < s.class || value == "" || s.n == len(s.shown) {
		return
	}
	s.shown[s.n] = credential{name, value}
	s.n++
}

// appendIdentity appends the host and the credentials, in an order that does not depend on
// theirs.
func (s *spender) appendIdentity(to []byte) []byte {
	to = appendLower(to, hostOf(s.url))
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
