package client_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A server that tells its resets in another time zone is believed for two windows: then requests
// that it serves show when its windows open.
func TestResetsInAnotherTimeZone(t *testing.T) {
	figures(t)
	for i, ahead := range []time.Duration{30 * time.Minute, time.Hour, 8 * time.Hour, time.Hour} {
		named := i < 3 // a refusal names a wait
		synctest.Test(t, func(t *testing.T) {
			const limit = 300
			time.Sleep(17300 * time.Millisecond)
			var mu sync.Mutex
			var window time.Time
			counted, refused, served := 0, 0, 0
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				time.Sleep(60 * time.Millisecond)
				mu.Lock()
				now := time.Now()
				if w := now.Truncate(time.Minute); w != window {
					window, counted = w, 0
				}
				reset := window.Add(time.Minute)
				resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
				if counted < limit {
					counted, served = counted+1, served+1
				} else {
					refused++
					resp.StatusCode = http.StatusTooManyRequests
					if named {
						resp.Header.Set("Retry-After", strconv.Itoa(int(reset.Sub(now)/time.Second)+1))
					}
				}
				resp.Header.Set("Date", now.UTC().Format(http.TimeFormat))
				resp.Header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
				resp.Header.Set("X-RateLimit-Remaining", strconv.Itoa(limit-counted))
				resp.Header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(ahead).Unix(), 10))
				mu.Unlock()
				time.Sleep(60 * time.Millisecond)
				return resp, nil
			})
			rt, err := client.NewTransport(base)
			require.NoError(t, err)
			defer rt.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					for ctx.Err() == nil {
						req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/items", nil)
						resp, err := rt.RoundTrip(req)
						if err != nil {
							time.Sleep(time.Second)
							continue
						}
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
				})
			}
			wg.Wait()
			t.Logf("%v ahead: served %d, refused %d", ahead, served, refused)
			assert.Greater(t, served, 18*limit)
			assert.Less(t, refused, 130)
		})
	}
}
