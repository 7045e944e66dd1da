package client

import (
	"net/http"
	"strings"
)

// routeOf returns the route of a request: its method and its path, in which what
// looks like the name of one thing among many is left out. APIs that limit routes
// limit all of these things together.
func routeOf(req *http.Request) string { return routeFrom(req.Method, req.URL.Path) }

func routeFrom(method, path string) string {
	var b strings.Builder
	b.Grow(len(method) + len(path) + 1)
	b.WriteString(method)
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		b.WriteByte('/')
		if isName(part) {
			b.WriteString(part)
		} else {
			b.WriteByte('*')
		}
	}
	return b.String()
}

// isName reports whether a part of a path is a word of the API: v2, users,
// virtual-accounts, 2024-01-01.json, but not 4711, a UUID, or a token.
func isName(part string) bool {
	digits, letters := 0, 0
	for i := range len(part) {
		switch c := part[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
		}
	}
	return digits <= 2 && letters > 0 && len(part) <= 40 || digits == 0 && len(part) <= 40
}
