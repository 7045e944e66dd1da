package probe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// While the response to a probe is long in coming, a window lets another one go when the first has arrived.
func TestAnotherProbe(t *testing.T) {
	var rtt clock.RTT
	for range 40 {
		rtt.Observe(clock.Second / 10)
	}
	rtt.Observe(10 * clock.Second)
	assert.Greater(t, rtt.Patience(), 8*clock.Second)
	var p Probe
	turn := func(limit int64, length clock.Instant) clock.Instant {
		return p.InTurn(clock.Second/5, limit, length, &rtt)
	}
	assert.Equal(t, clock.Second/5, turn(10, clock.Second), "none is under way")
	p.Send(0, 0, 1)
	assert.Equal(t, rtt.Patience(), turn(-1, clock.Second), "the limit is not known")
	assert.Equal(t, rtt.Patience(), turn(10, 0), "the length is not known")
	assert.Equal(t, rtt.Travel(), turn(10, clock.Second))
	assert.Equal(t, 2*clock.Second, turn(5, 10*clock.Second))
	assert.Equal(t, 5*clock.Second, turn(1, 5*clock.Second))
	assert.Equal(t, rtt.Patience(), turn(1, 60*clock.Second))
	p.Conclude(1)
	assert.Equal(t, clock.Second/5, turn(10, clock.Second))
}
