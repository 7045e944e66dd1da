package client

import (
	"net/http"
	"strings"
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
	*buckets
	before fingerprint
}

func (w *watcher) see(route string, s fingerprint) bool {
	if w.buckets == nil {
		w.buckets = newParts(route, s)
	}
	before := w.before
	w.before = s
	return before.mark != 0 && w.show(route, s, before)
}

var (
	free = fingerprint{mark: 1}
	paid = fingerprint{mark: 3}
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
	require.Zero(t, w.of("a"))

	// Routes that differ for good are split once, and may change parts later.
	splits := 0
	for range 10 {
		for route, s := range map[string]fingerprint{"a": free, "b": paid} {
			if w.see(route, s) {
				splits++
			}
		}
	}
	require.Equal(t, 1, splits)
	require.NotEqual(t, w.of("a"), w.of("b"))
	require.Equal(t, paid.mark, w.of("b"))
	w.see("b", free)
	require.Equal(t, w.of("a"), w.of("b"))
}

// Routes that name what they are limited by are split at once, whatever else is new.
func TestNamedScopesSplitAtOnce(t *testing.T) {
	core, search := fingerprint{mark: 1, scope: 1}, fingerprint{mark: 3, scope: 3}
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
	core, search := fingerprint{mark: 1, scope: 1}, fingerprint{mark: 3, scope: 3}
	var w watcher
	w.see("GET/api/repos/a", core)
	require.Zero(t, w.of("GET/api/search/code"), "nothing is split yet")
	w.see("GET/api/search/code", search)
	w.see("GET/api/users", core)
	require.Equal(t, search.mark, w.of("GET/api/search/users/by/name/and/more"))
	require.Equal(t, core.mark, w.of("GET/api/repos/b"))
	require.Equal(t, core.mark, w.of("GET/api/gists"), "most are of this part")
	require.Equal(t, core.mark, w.of("POST/other"))

	// A plan that changes takes along what is guessed.
	more := fingerprint{mark: 5, scope: 1}
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
		w.see("GET/"+string(rune('a'+i))+"/b/c/d/e/f/g", fingerprint{mark: uint64(i)<<1 | 1})
	}
	require.Len(t, w.routes, maxRoutes)
	require.LessOrEqual(t, len(w.heads), (maxHead+1)*maxRoutes)
	for i := range 10 * maxRoutes {
		w.see("GET/a/b/c/d/e/f/g", fingerprint{mark: uint64(i)<<1 | 1})
	}
	require.LessOrEqual(t, len(w.sizes), maxRoutes)
}

// Routes of an account are told apart by method and pattern, up to a bound.
func TestRoutesOfAnAccount(t *testing.T) {
	of := func(r *routes, method, url string) *route {
		req, err := http.NewRequest(method, url, nil)
		require.NoError(t, err)
		return r.of(req)
	}
	var r routes
	get := of(&r, http.MethodGet, "https://a.test/v1/users/1")
	require.Same(t, get, of(&r, http.MethodGet, "https://eu.a.test/v1/users/2?page=3"))
	require.Equal(t, "GET/v1/users/*", get.name)
	for _, other := range []*route{
		of(&r, http.MethodPost, "https://a.test/v1/users/1"),
		of(&r, http.MethodGet, "https://a.test/v1/users"),
		of(&r, http.MethodGet, "https://a.test/v1/users/1/posts"),
	} {
		require.NotEqual(t, get.bucket, other.bucket)
		require.NotEqual(t, get.id, other.id)
	}
	for i := range 2 * maxRoutes {
		of(&r, http.MethodGet, "https://a.test/"+strings.Repeat("x", i%30+1)+strings.Repeat("y", i/30))
	}
	require.Len(t, *r.known.Load(), maxRoutes)
	require.Same(t, noRoute, of(&r, http.MethodGet, "https://a.test/one/more"))
	require.Same(t, get, of(&r, http.MethodGet, "https://a.test/v1/users/1"))
}
