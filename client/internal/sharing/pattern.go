package sharing

import (
	"hash/maphash"
	"strings"
)

// RouteOf returns the name of the route of a request: its method and its path, in which what
// looks like the name of one thing among many is left out. APIs that limit routes
// limit all of these things together.
func RouteOf(method, path string) string {
	var room [maxRouteRoom]byte
	return string(appendRoute(room[:0], method, path))
}

// routeID identifies the route of a request. It is never 0.
func routeID(method, path string) uint64 {
	var room [maxRouteRoom]byte
	return maphash.Bytes(seed, appendRoute(room[:0], method, path)) | 1
}

// maxRouteRoom is how long a route may be without an allocation.
const maxRouteRoom = 128

// appendRoute appends a method and the pattern of a path.
func appendRoute(to []byte, method, path string) []byte {
	to = append(to, method...)
	path = strings.Trim(path, "/")
	for {
		to = append(to, '/')
		part, rest := path, ""
		i := strings.IndexByte(path, '/')
		if i >= 0 {
			part, rest = path[:i], path[i+1:]
		}
		if isName(part) {
			to = append(to, part...)
		} else {
			to = append(to, '*')
		}
		if i < 0 {
			return to
		}
		path = rest
	}
}

// thingOf returns a path up to the first name of one thing among many. One that has none begins with a word or two of the API,
// and may end with names that look like words.
func thingOf(path string) string {
	begins := path
	for from, words := 1, 0; from < len(path); words++ {
		to := strings.IndexByte(path[from:], '/')
		if to < 0 {
			break
		}
		if to += from; to > from && !isName(path[from:to]) {
			return path[:to]
		}
		if words < 2 {
			begins = path[:to]
		}
		from = to + 1
	}
	return begins
}

// isName reports whether a part of a path is a word of the API: v2, users,
// virtual-accounts, 2024-01-01.json, but not 4711, a UUID, or a token.
func isName(part string) bool {
	digits, letters := 0, 0
	for i := range len(part) {
		if c := part[i]; c-'0' <= 9 {
			digits++
		} else if (c|0x20)-'a' < 26 {
			letters++
		}
	}
	return digits <= 2 && letters > 0 && len(part) <= 40 || digits == 0 && len(part) <= 40
}
