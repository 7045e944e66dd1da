package pool_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/client/pool"
)

// bearer is a credential with a token.
func bearer(token string) pool.Credential {
	return pool.Credential{Key: token, Set: func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}}
}

func tokenOf(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// start makes a pool for an API.
func start(t *testing.T, api *clienttest.Server, tokens ...string) (*http.Client, *pool.Pool) {
	t.Helper()
	var all []pool.Credential
	for _, token := range tokens {
		all = append(all, bearer(token))
	}
	p, err := pool.New(api.Client().Transport, all)
	require.NoError(t, err)
	return &http.Client{Transport: p}, p
}

// send sends n requests at once and counts the responses by status.
func send(t *testing.T, hc *http.Client, url string, n int) map[int]int {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range n {
		all.Go(func() {
			resp, err := hc.Get(url)
			if !assert.NoError(t, err) {
				return
			}
			resp.Body.Close()
			mu.Lock()
			got[resp.StatusCode]++
			mu.Unlock()
		})
	}
	all.Wait()
	return got
}

// by counts the requests by token.
func by(api *clienttest.Server) map[string]int {
	n := map[string]int{}
	for _, r := range api.Requests() {
		n[tokenOf(r.Request)]++
	}
	return n
}

// Three credentials have three times the limit of one, and none is refused.
func TestSharesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.FromFirst(20, time.Minute), clienttest.Draft8())
		hc, _ := start(t, api, "a", "b", "c")
		began := time.Now()
		assert.Equal(t, map[int]int{200: 120}, send(t, hc, api.URL, 120))
		assert.Less(t, time.Since(began), 2*time.Minute) // one alone takes five
		assert.Equal(t, map[string]int{"a": 40, "b": 40, "c": 40}, by(api))
		api.MustNotRefuse(t)
	})
}

// The pool takes the credential with most quota left, also when other clients spend some.
func TestMostLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.FromFirst(20, time.Hour), clienttest.Draft8())
		for range 10 { // another client spends a's quota
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL, nil)
			require.NoError(t, err)
			require.NoError(t, bearer("a").Set(req))
			_, err = api.Client().Do(req)
			require.NoError(t, err)
		}
		hc, _ := start(t, api, "a", "b")
		for range 16 {
			assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1))
		}
		assert.Equal(t, map[string]int{"a": 10 + 3, "b": 13}, by(api)) // until both have as much
		api.MustNotRefuse(t)
	})
}

// A revoked credential rests, and is tried again later; its requests go with another.
func TestRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var valid atomic.Bool
		api := clienttest.NewInMemory(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tokenOf(r) == "a" && !valid.Load() {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})))
		hc, _ := start(t, api, "a", "b")
		for range 10 {
			assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1))
		}
		assert.Equal(t, map[string]int{"a": 1, "b": 10}, by(api))
		valid.Store(true)
		time.Sleep(16 * time.Minute)
		for range 10 {
			assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1))
		}
		assert.Greater(t, by(api)["a"], 1)
	})
}

// If a request is forbidden to all credentials, the caller gets the response and no
// credential rests. If it is forbidden to one, another serves it.
func TestForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/none" || tokenOf(r) == "a" && r.URL.Path == "/some" {
				w.WriteHeader(http.StatusForbidden)
			}
		})))
		hc, _ := start(t, api, "a", "b")
		assert.Equal(t, map[int]int{403: 1}, send(t, hc, api.URL+"/none", 1))
		assert.Equal(t, map[string]int{"a": 1, "b": 1}, by(api))
		resp, err := hc.Post(api.URL+"/none", "text/plain", io.MultiReader(strings.NewReader("x"))) // goes once
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1)) // a does not rest
		assert.Equal(t, map[string]int{"a": 3, "b": 1}, by(api))
		assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL+"/some", 1))
		a := by(api)["a"]
		assert.Equal(t, map[int]int{200: 1}, send(t, hc, api.URL, 1)) // now it does
		assert.Equal(t, a, by(api)["a"])
	})
}

// If all credentials are revoked, the caller gets the API's response every time.
func TestAllRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		})))
		hc, _ := start(t, api, "a", "b")
		for range 3 {
			assert.Equal(t, map[int]int{401: 1}, send(t, hc, api.URL, 1))
		}
	})
}

// The credential is added when the request is sent, not when it begins to wait, and the
// caller's request is not modified.
func TestSetAtAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.FromFirst(1, time.Minute).By(func(*http.Request) string { return "" }), clienttest.Draft8())
		var set []time.Time
		p, err := pool.New(api.Client().Transport, []pool.Credential{{Key: "a", Set: func(r *http.Request) error {
			r.Header.Set("Authorization", "x")
			set = append(set, time.Now())
			return nil
		}}})
		require.NoError(t, err)
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL, nil)
			require.NoError(t, err)
			resp, err := p.RoundTrip(req)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Empty(t, req.Header)
		}
		require.Len(t, set, 2)
		assert.Less(t, api.Requests()[1].Time.Sub(set[1]), time.Second)
		assert.Greater(t, set[1].Sub(set[0]), 50*time.Second)
	})
}

// A body is sent again, whole, with the next credential, unless it cannot be replayed.
func TestBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if tokenOf(r) == "a" || string(body) != "body" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})))
		for want, body := range map[int]io.Reader{200: strings.NewReader("body"), 401: io.MultiReader(strings.NewReader("body"))} {
			hc, _ := start(t, api, "a", "b")
			resp, err := hc.Post(api.URL, "text/plain", body)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, want, resp.StatusCode)
		}
		assert.Len(t, api.Requests(), 3)
	})
}

// A request that follows a redirect to another host gets no credential.
func TestRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/away":
				http.Redirect(w, r, "http://other.test/back", http.StatusFound)
			case "/near":
				http.Redirect(w, r, "/here", http.StatusFound)
			}
		})))
		hc, _ := start(t, api, "a")
		for _, path := range []string{"/away", "/near"} {
			resp, err := hc.Get(api.URL + path)
			require.NoError(t, err)
			resp.Body.Close()
		}
		var got []string
		for _, r := range api.Requests() {
			got = append(got, r.Host+r.URL.Path+" "+tokenOf(r.Request))
		}
		assert.Equal(t, []string{"api.test/away a", "other.test/back ", "api.test/near a", "api.test/here a"}, got)
	})
}

// Errors of Set reach the caller, and bodies are closed.
func TestSetFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no token")
		p, err := pool.New(nil, []pool.Credential{{Key: "a", Set: func(*http.Request) error { return broken }}}, client.WithRetries(0))
		require.NoError(t, err)
		_, err = (&http.Client{Transport: p}).Post("http://api.test", "text/plain", strings.NewReader("x"))
		assert.ErrorIs(t, err, broken)
	})
}

func TestBadCredentials(t *testing.T) {
	for want, all := range map[string][]pool.Credential{
		"at least one credential": nil,
		"must set both":           {{Key: "a"}},
		"1 must set both":         {bearer("a"), {Set: bearer("b").Set}},
		"an earlier one":          {bearer("a"), bearer("a")},
		"1 has the same key":      {bearer("a"), bearer("a")},
		"0 must set both":         {{}},
		"pool: credential ":       {{}},
	} {
		_, err := pool.New(nil, all)
		assert.ErrorContains(t, err, want)
	}
	_, err := pool.New(nil, []pool.Credential{bearer("a")}, client.WithRetries(-1))
	assert.Error(t, err)
}

// Two tokens for one API: each request goes with the one that has most left.
func ExampleNew() {
	api := clienttest.NewServer(clienttest.Fixed(100, time.Hour), clienttest.Draft8())
	defer api.Close()

	p, err := pool.New(api.Client().Transport, []pool.Credential{bearer("one"), bearer("two")})
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: p}
	for range 10 {
		resp, err := hc.Get(api.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	fmt.Println(by(api))
	// Output: map[one:5 two:5]
}
