package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A bucket of 120 that regains two a second is known after a few answers, and its
// emission interval is never taken for shorter than it is.
func TestBucketsAreRecognised(t *testing.T) {
	var b bucket
	for n := 1; n <= 60; n++ {
		now := clock.Instant(n) * clock.Millisecond
		left := clock.Second/2*clock.Instant(n) - now
		b.observe(now, 120, int64(n), 0, clock.Between(left-clock.Second/2, left+clock.Second/2), 60*clock.Second)
	}
	require.True(t, b.recognised)
	assert.GreaterOrEqual(t, b.step, clock.Second/2)
	assert.Less(t, b.step, clock.Second*52/100)

	// What is sent fills it, time empties it.
	now := 60 * clock.Millisecond
	assert.LessOrEqual(t, b.ready(120, 1), now)
	for range 70 {
		b.take(now, 0, 1)
	}
	assert.InDelta(t, float64(5*clock.Second), float64(b.ready(120, 1)-now), float64(6*clock.Second))
	assert.Greater(t, b.ready(120, 60), b.ready(120, 1))
	assert.Equal(t, clock.Never, b.ready(120, 121), "it clock.Never holds that many")
}
