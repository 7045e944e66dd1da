package sharing

import (
	"net/http"
	"net/url"
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
		require.Equal(t, want, RouteOf(r.Method, r.URL.Path), url)
	}
}

// A watcher shows fingerprints to buckets, one after the other.
type watcher struct {
	*Buckets
	before Fingerprint
}

func (w *watcher) see(route string, s Fingerprint) bool {
	if w.Buckets == nil {
		w.Buckets = NewBuckets(route, s)
	}
	before := w.before
	w.before = s
	return before.Mark != 0 && w.Show(route, s, before)
}

var (
	free = Fingerprint{Mark: 1}
	paid = Fingerprint{Mark: 3}
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
	require.Zero(t, w.Of("a"))

	// Routes that differ for good are split once, and may change buckets later.
	splits := 0
	for range 10 {
		for route, s := range map[string]Fingerprint{"a": free, "b": paid} {
			if w.see(route, s) {
				splits++
			}
		}
	}
	require.Equal(t, 1, splits)
	require.NotEqual(t, w.Of("a"), w.Of("b"))
	require.Equal(t, paid.Mark, w.Of("b"))
	w.see("b", free)
	require.Equal(t, w.Of("a"), w.Of("b"))
}

// Routes that name what they are limited by are split at once, whatever else is new.
func TestNamedScopesSplitAtOnce(t *testing.T) {
	core, search := Fingerprint{Mark: 1, Scope: 1}, Fingerprint{Mark: 3, Scope: 3}
	var w watcher
	require.False(t, w.see("GET/repos/a/x", core))
	require.False(t, w.see("GET/repos/a/y", core))
	require.True(t, w.see("GET/search/code", search))
	require.Equal(t, search.Mark, w.Of("GET/search/code"))
	require.Equal(t, core.Mark, w.Of("GET/repos/a/x"))

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

// A new route belongs to what begins like it, or else to the largest bucket.
func TestUnknownRoutesAreGuessed(t *testing.T) {
	core, search := Fingerprint{Mark: 1, Scope: 1}, Fingerprint{Mark: 3, Scope: 3}
	var w watcher
	w.see("GET/api/repos/a", core)
	require.Zero(t, w.Of("GET/api/search/code"), "nothing is split yet")
	w.see("GET/api/search/code", search)
	w.see("GET/api/users", core)
	require.Equal(t, search.Mark, w.Of("GET/api/search/users/by/name/and/more"))
	require.Equal(t, core.Mark, w.Of("GET/api/repos/b"))
	require.Equal(t, core.Mark, w.Of("GET/api/gists"), "most are in this bucket")
	require.Equal(t, core.Mark, w.Of("POST/other"))

	// A plan that changes takes along what is guessed.
	more := Fingerprint{Mark: 5, Scope: 1}
	w.see("GET/api/repos/a", more)
	require.Equal(t, more.Mark, w.Of("GET/api/repos/b"))
	w.see("GET/api/users", more)
	require.Equal(t, more.Mark, w.Of("POST/other"))
	require.Equal(t, search.Mark, w.Of("GET/api/search/users"))
}

// The number of routes that are told apart is bounded.
func TestRoutesAreBounded(t *testing.T) {
	var w watcher
	for i := range 2 * maxRoutes {
		w.see("GET/"+string(rune('a'+i))+"/b/c/d/e/f/g", Fingerprint{Mark: uint64(i)<<1 | 1})
	}
	require.Len(t, w.routes, maxRoutes)
	require.LessOrEqual(t, len(w.prefixes), (maxPrefix+1)*maxRoutes)
	for i := range 10 * maxRoutes {
		w.see("GET/a/b/c/d/e/f/g", Fingerprint{Mark: uint64(i)<<1 | 1})
	}
	require.LessOrEqual(t, len(w.sizes), maxRoutes)
}

// Routes of an account are told apart by method and pattern, up to a bound.
func TestRoutesOfAnAccount(t *testing.T) {
	of := func(r *Routes, method, url string) *Route {
		req, err := http.NewRequest(method, url, nil)
		require.NoError(t, err)
		return r.Of(req)
	}
	var r Routes
	get := of(&r, http.MethodGet, "https://a.test/v1/users/1")
	require.Same(t, get, of(&r, http.MethodGet, "https://eu.a.test/v1/users/2?page=3"))
	require.Equal(t, "GET/v1/users/*", get.Name)
	for _, other := range []*Route{
		of(&r, http.MethodPost, "https://a.test/v1/users/1"),
		of(&r, http.MethodGet, "https://a.test/v1/users"),
		of(&r, http.MethodGet, "https://a.test/v1/users/1/posts"),
	} {
		require.NotEqual(t, get.Bucket, other.Bucket)
		require.NotEqual(t, get.ID, other.ID)
	}
	for i := range 2 * maxRoutes {
		of(&r, http.MethodGet, "https://a.test/"+strings.Repeat("x", i%30+1)+strings.Repeat("y", i/30))
	}
	require.Len(t, *r.known.Load(), maxRoutes)
	other := of(&r, http.MethodGet, "https://a.test/one/more")
	require.Zero(t, other.ID)
	require.Same(t, other, of(&r, http.MethodGet, "https://a.test/and/another"))
	require.NotSame(t, other, (&Routes{}).Of(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}}))
	require.Same(t, get, of(&r, http.MethodGet, "https://a.test/v1/users/1"))
}
