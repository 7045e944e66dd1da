package client_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
