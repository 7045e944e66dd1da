package queue

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// pattern is a request pattern as in [net/http.ServeMux].
type pattern struct {
	method, host string
	segments     []segment
	open         bool // the last segment stands for all the rest
}

// segment is a path segment to be matched literally, or a wildcard.
type segment struct {
	text string
	wild bool
}

// parsePattern reads "[METHOD ][HOST]/[PATH]".
func parsePattern(s string) (*pattern, error) {
	bad := func(why string) error { return fmt.Errorf("queue: pattern %q: %s", s, why) }
	p := &pattern{}
	rest := s
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		p.method, rest = s[:i], strings.TrimLeft(s[i+1:], " \t")
		if p.method != "" && !isToken(p.method) {
			return nil, bad("bad method")
		}
	}
	i := strings.IndexByte(rest, '/')
	if i < 0 {
		return nil, bad("no / in host and path")
	}
	p.host, rest = rest[:i], rest[i:]
	if strings.Contains(p.host, "{") {
		return nil, bad("bad host")
	}
	names := map[string]bool{}
	for rest != "" {
		rest = rest[1:] // a slash
		text := rest
		if end := strings.IndexByte(rest, '/'); end >= 0 {
			text = rest[:end]
		}
		rest = rest[len(text):]
		if why := p.add(text, rest == "", names); why != "" {
			return nil, bad(why)
		}
	}
	return p, nil
}

// add takes in one segment. It returns what is wrong with it, or "". names are those of the wildcards
// so far.
func (p *pattern) add(text string, last bool, names map[string]bool) string {
	name, isWild := strings.CutPrefix(text, "{")
	switch {
	case text == "" && last: // a trailing slash
		p.open = true
		return ""
	case isWild:
		return p.addWild(name, last, names)
	case strings.Contains(text, "{"):
		return "a wildcard must be a whole segment"
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	p.segments = append(p.segments, segment{text: text})
	return ""
}

// addWild takes in a wildcard, of which the opening brace is gone.
func (p *pattern) addWild(name string, last bool, names map[string]bool) string {
	name, closed := strings.CutSuffix(name, "}")
	if !closed {
		return "a wildcard must be a whole segment"
	}
	if name == "$" {
		p.segments = append(p.segments, segment{})
		if !last {
			return "{$} must be at the end"
		}
		return ""
	}
	name, p.open = strings.CutSuffix(name, "...")
	switch {
	case p.open && !last:
		return "{...} must be at the end"
	case !isIdentifier(name):
		return "bad name of a wildcard"
	case names[name]:
		return "two wildcards of the same name"
	}
	names[name] = true
	if !p.open {
		p.segments = append(p.segments, segment{wild: true})
	}
	return ""
}

// matches reports whether the mux would choose the pattern for r if it had no other. An empty method is
// GET, and an empty path "/": that is what a client sends.
func (p *pattern) matches(r *Request) bool {
	method, rest := cmp.Or(r.Method, http.MethodGet), cmp.Or(r.Path, "/")
	if p.method != "" && p.method != method && !(p.method == http.MethodGet && method == http.MethodHead) {
		return false
	}
	if p.host != "" && p.host != bareHost(r.Host) {
		return false
	}
	for _, s := range p.segments {
		if rest == "" || rest[0] != '/' {
			return false
		}
		text := rest[1:]
		if end := strings.IndexByte(text, '/'); end >= 0 {
			text, rest = text[:end], text[end:]
		} else {
			rest = ""
		}
		if strings.IndexByte(text, '%') >= 0 {
			if plain, err := url.PathUnescape(text); err == nil {
				text = plain
			}
		}
		if s.wild && text == "" || !s.wild && s.text != text {
			return false
		}
	}
	if p.open {
		return rest != "" && rest[0] == '/'
	}
	return rest == ""
}

// bareHost returns the host without its port.
func bareHost(host string) string {
	if strings.IndexByte(host, ':') < 0 {
		return host
	}
	if bare, _, err := net.SplitHostPort(host); err == nil {
		return bare
	}
	return host
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}) < 0
}

func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}
