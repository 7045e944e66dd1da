package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A weighed window regains what it lost as the last one fades.
func TestTally(t *testing.T) {
	ta := tally{start: clock.Between(60*clock.Second, 60*clock.Second), last: 100, this: 10}
	assert.InDelta(t, 110, ta.used(60*clock.Second, 60*clock.Second), 1e-9)
	assert.InDelta(t, 60, ta.used(90*clock.Second, 60*clock.Second), 1e-9)
	assert.InDelta(t, 10, ta.used(120*clock.Second, 60*clock.Second), 1e-9)
	assert.Equal(t, 60*clock.Second, regains(60*clock.Second, 60*clock.Second, 5, 5))
	assert.InDelta(t, float64(90*clock.Second), float64(regains(60*clock.Second, 60*clock.Second, 100, 50)), 2)
	assert.Equal(t, clock.Never, regains(0, clock.Second, 5, -1))
}
