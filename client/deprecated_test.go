package client_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Options of the queue may be passed on, but not those that the client sets itself.
func TestOldQueueOptions(t *testing.T) {
	withQueue := client.WithLine
	for _, d := range []time.Duration{0, time.Nanosecond * 2, time.Second, 24 * time.Hour} {
		_, err := client.New(withQueue(queue.WithMaxWait(d)))
		require.ErrorContains(t, err, "use client.WithMaxWait", d)
	}
	_, err := client.New(withQueue(queue.WithKeyLimit(func(string) limit.Limiter { return nil })))
	require.ErrorContains(t, err, "use a rule")
	_, err = client.New(withQueue(queue.WithMaxKeys(0)))
	require.Error(t, err)
	fine := []queue.Option{
		queue.WithMaxWaiting(0, queue.RefuseNewest), queue.WithMaxWaitingPerKey(0), queue.WithMinimumShare(0), queue.WithMaxKeys(1),
		queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerDay(1)}, MaxInFlight: 1}),
	}
	for _, o := range fine {
		_, err := client.New(withQueue(o))
		require.NoError(t, err)
	}
	_, err = client.New(withQueue(fine...), client.WithMaxWaiting(1, queue.Block))
	require.NoError(t, err)
}
