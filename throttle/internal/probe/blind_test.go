package probe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/probe"
)

// Waits between probes become shorter quickly while all are served, carefully after one was
// refused, and longer with each that is refused in a row.
func TestBlindProbes(t *testing.T) {
	var b probe.Blind
	assert.Equal(t, clock.Second, b.Next())
	b.Observe(0, false, true)
	assert.Equal(t, clock.Second, b.Next(), "that was no probe")
	b.Observe(0, true, false)
	assert.Equal(t, clock.Second/2, b.Next())
	b.Observe(0, true, true)
	assert.Equal(t, clock.Second*5/8, b.Next())
	b.Observe(0, true, false)
	assert.Equal(t, clock.Second*5/8, b.Next(), "served once after a refusal")
	b.Observe(0, true, false)
	assert.Equal(t, clock.Second*5/8*7/8, b.Next(), "served twice")
	for range 100 {
		b.Observe(0, true, true)
	}
	assert.Equal(t, 64*clock.Second, b.Next())
	b.Observe(5, true, false)
	assert.Equal(t, clock.Second, b.Next(), "it has opened")
	for range 100 {
		b.Observe(0, true, false)
	}
	assert.Equal(t, 10*clock.Millisecond, b.Next())
}
