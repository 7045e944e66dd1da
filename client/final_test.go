package client_test

import (
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

// A refusal that no wait ends is the caller's at once, body and all, and holds nobody.
func TestFinalRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		reason error
	}{
		"no credit":  {429, `{"error":{"code":"insufficient_quota","message":"You exceeded your current quota, check your plan and billing details."}}`, client.ErrQuotaExhausted},
		"no balance": {402, `{"error":{"message":"Insufficient credits. Add more using the link.","code":"insufficient_credits"}}`, client.ErrQuotaExhausted},
		"too large":  {429, `{"error":{"message":"Request too large for the model: Limit 30000, Requested 41000.","code":"rate_limit_exceeded"}}`, client.ErrRequestTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				final := true
				api := &routed{answer: func(r *http.Request) *http.Response {
					if !final {
						return respond(r, 200)
					}
					resp := respond(r, c.status, "Content-Type", "application/json", "Retry-After", "60")
					resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
					return resp
				}}
				var events []client.Event
				rt := transport(t, api, client.WithObserver(func(e client.Event) { events = append(events, e) }))
				for range 3 {
					began := time.Now()
					resp, err := rt.RoundTrip(get(t.Context(), "/chat"))
					require.NoError(t, err)
					assert.Less(t, time.Since(began), time.Second)
					require.ErrorIs(t, client.FinalReason(resp), c.reason)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, c.body, string(body))
				}
				assert.Equal(t, 3, api.sent["/chat"])
				last := events[len(events)-1]
				assert.Equal(t, client.EventGiveUp, last.Kind)
				assert.ErrorIs(t, last.Err, c.reason)
				final = false
				assert.Less(t, took(t, rt, t.Context(), "/chat"), time.Second)
			})
		})
	}
}

// The reason is asked for also where the header says that nothing is left and for how long.
func TestFinalRefusalBesideAnExhaustedWindow(t *testing.T) {
	for body, reason := range map[string]error{
		`{"error":{"code":"billing_hard_limit_reached","message":"Billing hard limit has been reached."}}`:                    client.ErrQuotaExhausted,
		`{"error":{"code":"rate_limit_exceeded","message":"Request too large for the model: Limit 30000, Requested 41000."}}`: client.ErrRequestTooLarge,
		`{"error":{"code":"rate_limit_exceeded","message":"Too many requests."}}`:                                             nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			api := &routed{answer: func(r *http.Request) *http.Response {
				resp := respond(r, 429, "Content-Type", "application/json", "Retry-After", "2",
					"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "2")
				resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				return resp
			}}
			resp, err := transport(t, api, client.WithRetries(2)).RoundTrip(get(t.Context(), "/chat"))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			if reason != nil {
				assert.Equal(t, 1, api.sent["/chat"], body)
			} else {
				assert.Equal(t, 3, api.sent["/chat"], body)
			}
		})
	}
}

func TestFinalReasonOfOthers(t *testing.T) {
	req := get(t.Context(), "/")
	assert.NoError(t, client.FinalReason(nil))
	assert.NoError(t, client.FinalReason(respond(req, 200)))
	assert.NoError(t, client.FinalReason(respond(req, 429, "Retry-After", "7")))
	assert.NoError(t, client.FinalReason(respond(req, 500)))
	assert.NoError(t, client.FinalReason(&http.Response{StatusCode: 429}))
	assert.NotErrorIs(t, client.ErrQuotaExhausted, client.ErrRequestTooLarge)
}
