package client_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A program that fakes an API with httpmock wraps the fake like any transport, and
// waits in virtual time.
func TestFakedAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := httpmock.NewMockTransport()
		refusal := httpmock.NewStringResponder(http.StatusTooManyRequests, `{"error": "slow down", "retry_after": 30}`)
		fake.RegisterResponder(http.MethodGet, "https://api.test/items",
			refusal.Then(httpmock.NewStringResponder(http.StatusOK, "[]")))
		hc, err := client.Wrap(&http.Client{Transport: fake})
		require.NoError(t, err)

		start := time.Now()
		resp, err := hc.Get("https://api.test/items")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		require.Equal(t, 2, fake.GetTotalCallCount())
	})
}
