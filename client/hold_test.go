package client_test

import (
	"context"
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

// refusing answers every request with a status and a body.
func refusing(status int, body, retryAfter string) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		if retryAfter != "" {
			h.Set("Retry-After", retryAfter)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: req}, nil
	}
}

// A response whose retry would come too late is returned at once to ten callers, and to the others when their
// patience is over.
func TestAResponseIsHeldUntilThePatienceIsOver(t *testing.T) {
	const almost = 10 * time.Millisecond
	for _, c := range []struct {
		name       string
		status     int
		retryAfter string
		timeout    time.Duration
		options    []client.Option
		want       time.Duration
	}{
		{"refused beyond the deadline", 429, "60", 30 * time.Second, nil, 30*time.Second - almost},
		{"unavailable beyond the deadline", 503, "60", 30 * time.Second, nil, 30*time.Second - almost},
		{"failed just before the deadline", 500, "", 300 * time.Millisecond, nil, 300*time.Millisecond - almost},
		{"refused beyond the longest wait", 429, "3600", 0, nil, client.DefaultMaxWait},
		{"refused beyond both", 429, "3600", time.Minute, nil, time.Minute - almost},
		{"refused beyond the program's longest wait", 429, "3600", 0, []client.Option{client.WithMaxWait(time.Minute)}, 0},
		{"the same, with a deadline", 429, "3600", 30 * time.Second, []client.Option{client.WithMaxWait(time.Minute)}, 0},
		{"a client error", 404, "", time.Minute, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := transport(t, refusing(c.status, "the body", c.retryAfter), c.options...)
				ask := func() time.Duration {
					ctx := t.Context()
					if c.timeout > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, c.timeout)
						defer cancel()
					}
					began := time.Now()
					// Each asks for a route of its own, so that none waits for another.
					resp, err := rt.RoundTrip(get(client.WithScope(ctx, time.Now().String()), "/"))
					require.NoError(t, err)
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, "the body", string(body))
					assert.Equal(t, c.status, resp.StatusCode)
					return time.Since(began)
				}
				for range 10 {
					assert.Zero(t, ask(), "at once")
					time.Sleep(time.Nanosecond)
				}
				assert.Equal(t, c.want, ask(), "when the patience is over")
			})
		})
	}
}
