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

// watcher shows signs to parts, one after the other.
type watcher struct {
	*parts
	before sign
}

func (w *watcher) see(route string, s sign) bool {
	if w.parts == nil {
		w.parts = newParts(route, s)
	}
	before := w.before
	w.before = s
	return before.mark != 0 && w.show(route, s, before)
}

var (
	free = sign{mark: 1}
	paid = sign{mark: 3}
)

// A plan that changes shows other limits too, but the same ones at all routes, one
// after the other.
func TestPlanChangeIsNoSplit(t *testing.T) {
	var w watcher
	for range 10 {
		require.False(t, w.see("a", free))
		require.False(t, w.see("b", free))
	}
	for range 10 {
		require.False(t, w.see("a", paid))
		require.False(t, w.see("b", paid))
	}
	require.Empty(t, w.lane("a"))

	// Routes that differ for good are split once, and may change parts later.
	splits := 0
	for range 10 {
		for route, s := range map[string]sign{"a": free, "b": paid} {
			if w.see(route, s) {
				splits++
			}
		}
	}
	require.Equal(t, 1, splits)
	require.NotEqual(t, w.lane("a"), w.lane("b"))
	require.Equal(t, paid.mark, w.of("b"))
	w.see("b", free)
	require.Equal(t, w.lane("a"), w.lane("b"))
}

// Routes that name what they are limited by are split at once, whatever else is new.
func TestNamedScopesSplitAtOnce(t *testing.T) {
	core, search := sign{mark: 1, scope: 1}, sign{mark: 3, scope: 3}
	var w watcher
	require.False(t, w.see("GET/repos/a/x", core))
	require.False(t, w.see("GET/repos/a/y", core))
	require.True(t, w.see("GET/search/code", search))
	require.Equal(t, search.mark, w.of("GET/search/code"))
	require.Equal(t, core.mark, w.of("GET/repos/a/x"))

	// A route that names now this and now that tells nothing of others.
	w = watcher{}
	for range 10 {
		require.False(t, w.see("GET/a", core))
		require.False(t, w.see("GET/a", search))
	}
}

// Where limits are not named, new routes do not keep the others from being told apart.
func TestNewRoutesDoNotDelayASplit(t *testing.T) {
	var w watcher
	w.see("GET/search", paid)
	for i := range 100 {
		w.see("GET/repos/"+string(rune('a'+i)), free)
		if w.see("GET/search", paid) {
			require.LessOrEqual(t, i, enoughConflicts)
			return
		}
	}
	require.Fail(t, "never split")
}

// A route that nobody has seen belongs to what begins like it, or else to the largest part.
func TestUnknownRoutesAreGuessed(t *testing.T) {
	core, search := sign{mark: 1, scope: 1}, sign{mark: 3, scope: 3}
	var w watcher
	w.see("GET/api/repos/a", core)
	require.Zero(t, w.of("GET/api/search/code"), "nothing is split yet")
	w.see("GET/api/search/code", search)
	w.see("GET/api/users", core)
	require.Equal(t, search.mark, w.of("GET/api/search/users/by/name/and/more"))
	require.Equal(t, core.mark, w.of("GET/api/repos/b"))
	require.Equal(t, core.mark, w.of("GET/api/gists"), "most are of this part")
	require.Equal(t, core.mark, w.of("POST/other"))
	require.Equal(t, w.lane("GET/api/repos/a"), w.lane("GET/api/gists"))

	// A plan that changes takes along what is guessed.
	more := sign{mark: 5, scope: 1}
	w.see("GET/api/repos/a", more)
	require.Equal(t, more.mark, w.of("GET/api/repos/b"))
	w.see("GET/api/users", more)
	require.Equal(t, more.mark, w.of("POST/other"))
	require.Equal(t, search.mark, w.of("GET/api/search/users"))
}

// The number of routes that are told apart is bounded.
func TestRoutesAreBounded(t *testing.T) {
	var w watcher
	for i := range 2 * maxRoutes {
		w.see("GET/"+string(rune('a'+i))+"/b/c/d/e/f/g", sign{mark: uint64(i)<<1 | 1})
	}
	require.Len(t, w.routes, maxRoutes)
	require.LessOrEqual(t, len(w.heads), (maxHead+1)*maxRoutes)
	for i := range 10 * maxRoutes {
		w.see("GET/a/b/c/d/e/f/g", sign{mark: uint64(i)<<1 | 1})
	}
	require.LessOrEqual(t, len(w.lanes), maxRoutes)
	require.LessOrEqual(t, len(w.sizes), maxRoutes)
}

// The keys that tell limits by route are bounded too, and come back when they are
// used.
func TestRoutedKeysAreBounded(t *testing.T) {
	var tr Transport
	for i := range 3 * maxRouted {
		tr.route(strconv.Itoa(i), newParts("", sign{}))
	}
	keys := 0
	tr.routes.Range(func(any, any) bool { keys++; return true })
	require.LessOrEqual(t, keys, maxRouted)

	p := newParts("", sign{})
	tr.route("again", p)
	tr.route("again", p)
	known, ok := tr.routes.Load("again")
	require.True(t, ok)
	require.Same(t, p, known)
}
