package probe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// While the response to a probe is long in coming, a window lets another one go after its length.
func TestAnotherProbe(t *testing.T) {
	var rtt clock.RTT
	rtt.Observe(10 * clock.Second)
	var p Probe
	assert.Equal(t, clock.Second, p.InTurn(clock.Second, 0, &rtt), "none is under way")
	p.Send(0, 1)
	assert.Equal(t, rtt.Patience(), p.InTurn(clock.Second, 0, &rtt), "the length is not known")
	assert.Equal(t, 4*clock.Second, p.InTurn(clock.Second, 2*clock.Second, &rtt))
	assert.Equal(t, rtt.Patience(), p.InTurn(clock.Second, 60*clock.Second, &rtt))
	p.Conclude(1)
	assert.Equal(t, clock.Second, p.InTurn(clock.Second, 2*clock.Second, &rtt))
}
