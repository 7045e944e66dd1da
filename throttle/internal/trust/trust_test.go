package trust_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// Shortly before a window opens, a request that is served says nothing against it.
func TestNoTestShortlyBeforeTheReset(t *testing.T) {
	const length, reset = 1800 * clock.Second, 1810 * clock.Second
	var (
		key    trust.Key
		rtt    clock.RTT
		random rand.PCG
	)
	e := key.New()
	e.Plan(&key, 0, false, &random)
	first := e.Ready(0, reset, length, &rtt)
	assert.InDelta(t, 62*float64(clock.Second), float64(first), 2*float64(clock.Second))
	assert.Equal(t, 1300*clock.Second, e.Ready(1300*clock.Second, reset, length, &rtt), "none went before")
	assert.Equal(t, reset, e.Ready(1400*clock.Second, reset, length, &rtt))
	assert.Zero(t, e.Send(1400*clock.Second, reset, length, 1, 1, &rtt))
	assert.NotZero(t, e.Send(1300*clock.Second, reset, length, 1, 1, &rtt))
}
