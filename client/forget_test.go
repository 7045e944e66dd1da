package client_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// Whatever is believed of a key can be dropped by hand: those who wait are asked again.
func TestForget(t *testing.T) {
	for name, fields := range map[string][]string{
		"nothing left":     {"X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "900"},
		"refused":          {"Retry-After", "900"},
		"refused globally": {"Retry-After", "900", "X-RateLimit-Scope", "global"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				api := &routed{answer: func(r *http.Request) *http.Response {
					if n++; n > 1 {
						return respond(r, 200)
					}
					status := 200
					if name != "nothing left" {
						status = 429
					}
					return respond(r, status, fields...)
				}}
				rt := transport(t, api)
				took(t, rt, client.NoRetry(t.Context()), "/x")
				other := client.WithKey(t.Context(), "another")
				waited := make(chan time.Duration)
				go func() { waited <- took(t, rt, t.Context(), "/x") }()
				time.Sleep(time.Minute)
				rt.Forget(get(other, "/x"))
				synctest.Wait()
				require.Equal(t, 1, n, "another key was forgotten")
				rt.Forget(get(t.Context(), "/y"))
				assert.InDelta(t, time.Minute, <-waited, float64(time.Second))
				status, err := rt.Status(get(t.Context(), "/x"))
				require.NoError(t, err)
				assert.Empty(t, status.Windows)
				assert.True(t, status.Hold.IsZero())
			})
		})
	}
}

// What was under way when its key was forgotten teaches nothing, and is not missed.
func TestForgetWhileUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		api := &routed{answer: func(r *http.Request) *http.Response {
			if n++; n == 1 {
				return respond(r, 429, "Retry-After", "900")
			}
			return respond(r, 200, "X-RateLimit-Limit", "10", "X-RateLimit-Remaining", fmt.Sprint(10-n), "X-RateLimit-Reset", "60")
		}}
		rt := transport(t, api)
		done := make(chan time.Duration)
		go func() { done <- took(t, rt, client.NoRetry(t.Context()), "/x") }()
		time.Sleep(10 * time.Millisecond)
		rt.Forget(get(t.Context(), "/x"))
		<-done
		assert.Less(t, took(t, rt, t.Context(), "/x"), time.Second)
		status, err := rt.Status(get(t.Context(), "/x"))
		require.NoError(t, err)
		require.Len(t, status.Windows, 1)
		assert.Equal(t, 8, status.Windows[0].Credit)
		assert.Zero(t, status.InFlight)
	})
}
