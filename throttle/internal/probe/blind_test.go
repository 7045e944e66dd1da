package probe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A bucket answers probes that are sent as soon as b lets them: it refuses those that come
// less than emission after the last one that was served. It returns how many were refused.
func bucket(b *Blind, emission clock.Instant, probes int) (refused int) {
	since := emission // the last that was served
	for range probes {
		gap := b.Next()
		since += gap
		b.Send(gap)
		if ok := since >= emission; ok {
			since = 0
		} else {
			refused++
			since += emission // the server names a wait
		}
		b.Observe(0, true, since > 0)
	}
	return refused
}

// The shortest wait is found with few refusals, and found again when it changes.
func TestBlindProbes(t *testing.T) {
	for _, emission := range []clock.Instant{clock.Second / 10, clock.Second / 3, clock.Second, 3 * clock.Second, 40 * clock.Second} {
		var b Blind
		assert.LessOrEqual(t, bucket(&b, emission, 400), 40, "%v", emission)
		assert.True(t, b.Bounded())
		assert.InDelta(t, 1, float64(b.long())/float64(emission), .13, "%v", emission)
		bucket(&b, emission/5, 600)
		assert.Less(t, b.long(), emission/4, "%v", emission)
		bucket(&b, emission, 100)
		assert.GreaterOrEqual(t, b.long(), emission)
	}
}

func TestBlindProbesWithinBounds(t *testing.T) {
	var b Blind
	assert.Equal(t, clock.Second/2, b.Next())
	b.Observe(0, false, true)
	assert.Equal(t, clock.Second/2, b.Next(), "that was no probe")
	assert.Equal(t, 2*clock.Second, b.Between(clock.Second, 3*clock.Second))
	for range 2 {
		b.Send(b.Next())
		b.Observe(0, true, false)
	}
	assert.Less(t, b.Next(), 2*clock.Second)
	for range 100 {
		b.Send(b.Next())
		b.Observe(0, true, true)
	}
	assert.Equal(t, blindMost, b.long())
	b.Observe(5, true, false)
	assert.Equal(t, blindFirst, b.long(), "it has opened")
}
