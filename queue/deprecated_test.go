package queue_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/queue"
)

// Programs that use the old names mean the new ones.
func TestOldNames(t *testing.T) {
	t.Parallel()
	//nolint:staticcheck // the old names are what is tried
	for want, was := range map[queue.Quota]queue.Quota{
		queue.PerHour(60).TokenBucket(5):        queue.PerHour(60).Smooth(5),
		queue.PerHour(60).FixedWindow(time.UTC): queue.PerHour(60).Aligned(time.UTC),
		queue.PerHour(60).SlidingCounter():      queue.PerHour(60).Weighed(),
	} {
		assert.Equal(t, want, was)
	}
	l, err := queue.Every(time.Hour).Limit() //nolint:staticcheck // as above
	require.NoError(t, err)
	now, r := time.Now(), &queue.Request{Cost: 1}
	require.True(t, new(l.Ask(now, r)).Admits(now))
	l.Take(now, r)
	l.(queue.Observer).Observe(now, now)
	assert.False(t, new(l.Ask(now, r)).Admits(now))
	_, err = queue.New(queue.WithFloor(-1))
	_, want := queue.New(queue.WithMinimumShare(-1))
	assert.Equal(t, want, err)
}
