package client_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/queue"
)

// When a request is turned away because it would have to wait for too long, the time to
// come back is not within the time that it would have waited.
func TestUntilAgreesWithTheReason(t *testing.T) {
	const patience = 2 * time.Second
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		options []client.Option
	}{
		"fixed":   {model: func() ratemodel.Model { return ratemodel.NewFixed(20, 10*time.Second) }},
		"rolling": {model: func() ratemodel.Model { return ratemodel.NewSlidingLog(20, 10*time.Second) }},
		"bucket":  {model: func() ratemodel.Model { return ratemodel.NewBucket(20, 20, 10*time.Second) }},
		"rules": {
			model: func() ratemodel.Model { return ratemodel.All{} },
			options: []client.Option{client.WithRule(queue.Rule{
				Scope: queue.Global, MaxInFlight: 4, Limits: []queue.Quota{queue.Per(20, 10*time.Second), queue.PerSecond(5)},
			})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := apiserver.New(apiserver.Config{Rules: []apiserver.Rule{{
					Model:   func(string) ratemodel.Model { return c.model() },
					Dialect: apiserver.Dialect{Fields: apiserver.XRateLimit, RetryAfter: apiserver.Seconds},
				}}})
				require.NoError(t, err)
				rt, err := client.NewTransport(simnet.New(api, 1), append(c.options, client.WithMaxWait(patience), client.WithPacing(client.Burst))...)
				require.NoError(t, err)
				defer rt.Close()
				var callers sync.WaitGroup
				var mu sync.Mutex
				turnedAway := 0
				end := time.Now().Add(time.Minute)
				for range 30 {
					callers.Go(func() {
						for time.Now().Before(end) {
							began := time.Now()
							resp, err := rt.RoundTrip(get(t.Context(), "/"))
							if err == nil {
								resp.Body.Close()
								continue
							}
							limited, ok := errors.AsType[*client.Error](err)
							if !assert.True(t, ok, err) || !assert.ErrorIs(t, err, client.ErrMaxWait) {
								return
							}
							mu.Lock()
							turnedAway++
							mu.Unlock()
							if !limited.Until.IsZero() {
								assert.Greater(t, limited.Until.Sub(began), patience, "%v, after %v", err, time.Since(began))
							}
							time.Sleep(100 * time.Millisecond)
						}
					})
				}
				callers.Wait()
				assert.Positive(t, turnedAway)
			})
		})
	}
}
