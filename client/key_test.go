package client_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// Requests with the same credential to the same host share a quota, all others do
// not. What one key was told holds back nobody else.
func TestDefaultKey(t *testing.T) {
	fields := []string{
		"Authorization", "Api-Key", "X-Api-Key", "X-Auth-Token", "X-Access-Token", "X-Connector-Token",
		"X-Goog-Api-Key", "X-Rapidapi-Key", "Private-Token", "X-Shopify-Access-Token", "X-Auth-Key", "Ocp-Apim-Subscription-Key",
	}
	request := func(address string, change ...func(*http.Request)) *http.Request {
		u, err := url.Parse(address)
		require.NoError(t, err)
		r := &http.Request{Method: "GET", URL: u, Header: http.Header{}}
		for _, f := range change {
			f(r)
		}
		return r
	}
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = []string{value} }
	}
	// Each line holds requests of one key.
	keys := [][]*http.Request{
		{
			request("https://api.test/"), request("https://api.test:443/other?page=2"), request("https://API.test/"),
			request("https://api.test/", with("X-Request-Id", "7")), request("https://api.test/", func(r *http.Request) { r.Header["Authorization"] = nil }),
		},
		{request("http://api.test/", with("X-Api-Key", "plain")), request("http://api.test:80/", with("X-Api-Key", "plain"))},
		{request("https://api.test:8443/")},
		{request("https://other.test/")},
		{request("https://api.test/?api_key=qa"), request("https://api.test/x?page=2&API_KEY=qa"), request("https://api.test/x?apiKey=qa")},
		{request("https://api.test/?access_token=qa")},
		{request("https://api.test/?api_key=qb")},
		{request("https://user:a@api.test/")},
		{request("https://user:b@api.test/")},
		{request("https://api.test/", with("authorization", "Bearer lower")), request("https://api.test/", with("Authorization", "Bearer lower"))},
	}
	for field, spelt := range map[string]string{"Api-Key": "Apikey", "X-Api-Key": "X-Apikey"} {
		keys = append(keys, []*http.Request{request("https://api.test/", with(field, "c")), request("https://api.test/", with(spelt, "c"))})
	}
	for _, f := range fields {
		keys = append(keys,
			[]*http.Request{request("https://api.test/", with(f, "a")), request("https://api.test/x", with(f, "a"))},
			[]*http.Request{request("https://api.test/", with(f, "b"))},
			[]*http.Request{request("https://other.test/", with(f, "a"))})
	}
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, r *http.Request) (*http.Response, error) {
			return respond(r, 429, "Retry-After", "60", "X-RateLimit-Scope", "global"), nil
		}}
		rt := transport(t, base)
		ctx := client.NoRetry(client.NoWait(t.Context()))
		for i, key := range keys {
			for j, r := range key {
				_, err := rt.RoundTrip(r.WithContext(ctx))
				what := fmt.Sprintf("key %d, request %d: %s %v", i, j, r.URL, r.Header)
				if j == 0 {
					assert.NoError(t, err, "nobody was refused before: %s", what)
				} else {
					assert.ErrorIs(t, err, client.ErrNoWait, what)
				}
			}
		}
	})
}

// One host's headers never slow another host down, nor one credential's another.
func TestKeysAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, r *http.Request) (*http.Response, error) {
			if r.Header.Get("X-Api-Key") == "spent" {
				return respond(r, 429, "Retry-After", "3600", "X-RateLimit-Limit", "5", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "3600"), nil
			}
			return respond(r, 200), nil
		}}
		rt := transport(t, base)
		for i := range 5 {
			spent := get(client.NoRetry(t.Context()), "/")
			spent.Header.Set("X-Api-Key", "spent")
			_, err := rt.RoundTrip(spent)
			if i == 0 {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, client.ErrMaxWait)
			}
			fresh := get(client.NoWait(t.Context()), "/")
			fresh.Header.Set("X-Api-Key", "fresh")
			_, err = rt.RoundTrip(fresh)
			require.NoError(t, err)
		}
	})
}

// An account that is to stay away for long is not forgotten for others that come once.
func TestKeysThatNeverComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			if req.Header.Get("X-Api-Key") == "held" {
				return respond(req, 429, "Retry-After", "600"), nil
			}
			return respond(req, 200), nil
		}}
		rt := transport(t, base, client.WithMaxKeys(100))
		send := func(key string) error {
			req := get(client.NoRetry(client.NoWait(t.Context())), "/")
			req.Header.Set("X-Api-Key", key)
			_, err := rt.RoundTrip(req)
			return err
		}
		require.NoError(t, send("held"))
		for i := range 1000 {
			require.NoError(t, send(fmt.Sprint(i)))
		}
		assert.ErrorIs(t, send("held"), client.ErrNoWait)
		assert.LessOrEqual(t, len(rt.Snapshot()), 113)
	})
}
