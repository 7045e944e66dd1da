package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A bucket of 120 that regains two a second is known after a few answers, and its
// emission interval is never taken for shorter than it is.
func TestBucketsAreRecognised(t *testing.T) {
	var b bucket
	for n := 1; n <= 60; n++ {
		now := instant(n) * millisecond
		left := second/2*instant(n) - now
		b.observe(now, 120, int64(n), 0, clock.Between(left-second/2, left+second/2), 60*second)
	}
	require.True(t, b.recognised)
	assert.GreaterOrEqual(t, b.step, second/2)
	assert.Less(t, b.step, second*52/100)

	// What is sent fills it, time empties it.
	now := 60 * millisecond
	assert.LessOrEqual(t, b.ready(120, 1), now)
	for range 70 {
		b.take(now, 0, 1)
	}
	assert.InDelta(t, float64(5*second), float64(b.ready(120, 1)-now), float64(6*second))
	assert.Greater(t, b.ready(120, 60), b.ready(120, 1))
	assert.Equal(t, never, b.ready(120, 121), "it never holds that many")
}

func TestFixedWindowsAreNoBuckets(t *testing.T) {
	for _, model := range []func() ratemodel.Model{minutes(120), rolling(120)} {
		s := simulation{model: model, announce: announcement{step: time.Millisecond, lengths: true}, callers: 20, length: 5 * time.Minute,
			policy: DefaultPolicy(), fastest: latencies[1][0], slowest: latencies[1][1]}
		s.watch = func(now time.Duration, k *Limiter) {
			if len(k.windows) > 0 && k.windows[0].bucket.recognised {
				t.Fatalf("recognised at %v", now)
			}
		}
		assert.Zero(t, s.run().refused)
	}
}

// A guess at the usual period must not be made while the emission interval is known
// only roughly: 83 of 151 an hour look for a moment like 83 in half an hour.
func TestAnOddPeriodIsNotRoundedToAUsualOne(t *testing.T) {
	s, words := random(2086)
	o := s.run()
	assert.Zero(t, o.refused, "%s: %v", words, o)
}
