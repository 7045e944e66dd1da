package client_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A 403 of a request whose signature ran out says that nothing remains of the limit of those without a
// valid key. It is neither retried, nor does it hold others back.
func TestForbiddenSignatureIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rejected := 0
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n%3 != 2 {
				return respond(req, 200, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", strconv.Itoa(900-n), "X-RateLimit-Reset", "900"), nil
			}
			rejected++
			resp := respond(req, 403, "Content-Type", "application/json", "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "900")
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(`{"message":"Signature expired"}`)), -1
			return resp, nil
		}}
		rt := transport(t, base)
		start := time.Now()
		for n := 1; n <= 30; n++ {
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err, n)
			assert.Equal(t, n%3 == 2, resp.StatusCode == 403)
			require.NoError(t, resp.Body.Close())
		}
		assert.Equal(t, 10, rejected, "none was retried")
		assert.Less(t, time.Since(start), time.Second)
	})
}

// A 401 shows the limit of those without a key, which holds nobody back who has one.
func TestUnauthorizedTellsNothingOfTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			reset := time.Now().Add(50 * time.Minute).UTC().Format(http.TimeFormat)
			if n%3 == 2 {
				return respond(req, 401, "X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), nil
			}
			return respond(req, 200, "X-RateLimit-Limit", "5000", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", reset), nil
		}}
		rt := transport(t, base)
		start := time.Now()
		for n := 1; n <= 30; n++ {
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err, n)
			assert.Equal(t, n%3 == 2, resp.StatusCode == 401)
			require.NoError(t, resp.Body.Close())
		}
		assert.Less(t, time.Since(start), time.Second)
	})
}
