package trust_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// Limits that return to what they were within seconds are those of several windows, until one
// is told for several windows. Responses that overtake each other show nothing.
func TestMixture(t *testing.T) {
	var m trust.Mixture
	length := clock.Length{Value: 10 * clock.Second}
	now := clock.Instant(0)
	tell := func(limit int64, after clock.Instant) {
		now += after
		m.Observe(now, limit, &length)
	}
	for range 20 {
		tell(10, clock.Millisecond)
		tell(100, clock.Millisecond)
	}
	assert.False(t, m.Mixed(), "within a round trip")
	tell(10, 2*clock.Second)
	assert.True(t, m.Mixed())
	for range 256 {
		tell(10, 10*clock.Millisecond)
	}
	assert.True(t, m.Mixed(), "the same window")
	tell(10, 60*clock.Second)
	assert.False(t, m.Mixed())

	for i := range int64(40) {
		tell(1000+i, clock.Second)
	}
	assert.False(t, m.Mixed(), "a limit that grows")
	assert.False(t, m.Tells(10))
	assert.True(t, m.Tells(1039))

	length.Value = 60 * clock.Second
	tell(7, clock.Second)
	length.Value = 5 * clock.Second
	tell(1039, clock.Second)
	assert.Equal(t, 60*clock.Second, length.Value, "the length that goes with the limit")
}
