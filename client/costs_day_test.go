package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// exhausted is the body of Gemini's refusals: whatever quota is used up, they name a short wait.
func exhausted(quota string) string {
	return `{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"` + quota + `"}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"13s"}]}}`
}

// A quota of a day comes back at the midnight of its API, whatever wait its refusals name; one of a
// minute after the wait.
func TestAQuotaOfADayHoldsUntilItsMidnight(t *testing.T) {
	const host = "https://generativelanguage.googleapis.com/v1beta/models/"
	for _, c := range []struct {
		url, quota string
		opens      time.Duration // after midnight UTC
	}{
		{host + "gemini-2.5-flash:generateContent", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 8 * time.Hour},
		{host + "gemini-2.5-flash:generateContent", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", 13 * time.Second},
		{"https://api.unknown.example/generate", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 13 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, sent := time.Now(), 0 // it is midnight UTC
			tr, err := client.NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
				sent++
				resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, ContentLength: -1, Request: req}
				if time.Since(began) < c.opens {
					resp.StatusCode, resp.Header = 429, http.Header{"Content-Type": {"application/json"}}
					resp.Body = io.NopCloser(strings.NewReader(exhausted(c.quota)))
				}
				return resp, nil
			}))
			require.NoError(t, err)
			defer tr.Close()
			ask := func() (*http.Response, error) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader(`{"contents":[]}`))
				require.NoError(t, err)
				resp, err := tr.RoundTrip(req)
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
				return resp, err
			}
			resp, err := ask()
			require.NoError(t, err)
			if c.opens < time.Hour {
				assert.Equal(t, 200, resp.StatusCode, c.quota)
				assert.Equal(t, 2, sent)
				return
			}
			assert.Equal(t, 429, resp.StatusCode, "the wait is longer than the client's longest")
			_, err = ask()
			held, ok := errors.AsType[*client.Error](err)
			require.True(t, ok, "%v", err)
			require.ErrorIs(t, err, client.ErrMaxWait)
			assert.WithinDuration(t, began.Add(c.opens), held.Until, 2*time.Second)
			assert.Equal(t, 1, sent, "the server would refuse it")
			time.Sleep(c.opens - time.Minute)
			resp, err = ask()
			require.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, 2, sent)
		})
	}
}
