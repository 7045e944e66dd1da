package client

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRouteOf(t *testing.T) {
	for url, want := range map[string]string{
		"https://api.test":                           "GET/",
		"https://api.test/":                          "GET/",
		"https://api.test/v2/users":                  "GET/v2/users",
		"https://api.test/v2/users/":                 "GET/v2/users",
		"https://api.test/v2/users/4711":             "GET/v2/users/*",
		"https://api.test/v2/users/4711/posts?a=1":   "GET/v2/users/*/posts",
		"https://api.test/virtual-accounts":          "GET/virtual-accounts",
		"https://api.test/o/9b1714708035773d/p":      "GET/o/*/p",
		"https://api.test/2f9c1e1e-0f0a-4a53-9d8e-1": "GET/*",
		"https://api.test/hotels/v1/search":          "GET/hotels/v1/search",
		"https://api.test/repos/a/b/issues/17":       "GET/repos/a/b/issues/*",
	} {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)
		require.Equal(t, want, routeOf(r), url)
	}
}

// A plan that changes shows other limits too, but the same ones at all routes, one
// after the other.
func TestPlanChangeIsNoSplit(t *testing.T) {
	p := parts{routes: make(map[string]*showing)}
	const free, paid = 1, 3
	last := uint64(0)
	show := func(route string, m uint64) bool {
		differs := last != 0 && last != m
		last = m
		return p.show(route, m, differs)
	}
	for range 10 {
		require.False(t, show("a", free))
		require.False(t, show("b", free))
	}
	for range 10 {
		require.False(t, show("a", paid))
		require.False(t, show("b", paid))
	}
	require.Empty(t, p.lane("a"))

	// Routes that differ for good are split once, and may change parts later.
	splits := 0
	for range 10 {
		for route, m := range map[string]uint64{"a": free, "b": paid} {
			if show(route, m) {
				splits++
			}
		}
	}
	require.Equal(t, 1, splits)
	require.NotEqual(t, p.lane("a"), p.lane("b"))
	require.Equal(t, uint64(paid), p.of("b"))
	require.Zero(t, p.of("c"))
	show("b", free)
	require.Equal(t, p.lane("a"), p.lane("b"))
}

// The number of routes that are told apart is bounded.
func TestRoutesAreBounded(t *testing.T) {
	p := parts{routes: make(map[string]*showing)}
	for i := range 2 * maxRoutes {
		p.show(string(rune('a'+i)), uint64(i), true)
	}
	require.Len(t, p.routes, maxRoutes)
}

// The keys that tell limits by route are bounded too, and come back when they are
// used.
func TestRoutedKeysAreBounded(t *testing.T) {
	var tr Transport
	for i := range 3 * maxRouted {
		tr.route(strconv.Itoa(i), &parts{})
	}
	keys := 0
	tr.routes.Range(func(any, any) bool { keys++; return true })
	require.LessOrEqual(t, keys, maxRouted)

	p := &parts{}
	tr.route("again", p)
	tr.route("again", p)
	known, ok := tr.routes.Load("again")
	require.True(t, ok)
	require.Same(t, p, known)
}
