package client_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// An event says how long a request waited in the queue from when it came, also when it stood behind
// others and had nothing to wait for by itself, whatever bounds the wait.
func TestTheDelayCountsFromTheArrival(t *testing.T) {
	for _, bound := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var delays []time.Duration
			rt := transport(t, &recorder{answer: sequence(200)}, client.WithMaxWait(bound),
				client.WithRule(queue.Rule{Limits: []queue.Quota{queue.Every(10 * time.Second).Slack(0)}}),
				client.WithObserver(func(e client.Event) {
					mu.Lock()
					defer mu.Unlock()
					if e.Kind == client.EventAdmit {
						delays = append(delays, e.Delay)
					}
				}))
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					_, err := rt.RoundTrip(get(context.Background(), "/"))
					assert.NoError(t, err)
				})
				synctest.Wait()
			}
			wg.Wait()
			require.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second}, delays, "bound %v", bound)
		})
	}
}
