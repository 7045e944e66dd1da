package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
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

// Requests that were refused are in the log, but no server counts them: that less is spent than the log says excludes
// no counter.
func TestACounterBesideRefusals(t *testing.T) {
	const length = 60 * clock.Second
	for refused, excluded := range map[int64]bool{0: true, 20: false} {
		var log, turned eventlog.Log
		var rtt clock.RTT
		rtt.Observe(clock.Second / 10)
		log.Add(50*clock.Second, 100)
		turned.Add(50*clock.Second, refused)
		log.Add(61*clock.Second, 1)
		var e Estimator
		e.Observe(&Observation{View: &View{Now: 61*clock.Second + clock.Second/10, Limit: 200, Length: length, LengthSure: true, Log: &log, Turned: &turned,
			RTT: &rtt, Reset: clock.Between(2*length, 2*length+clock.Second/10), ResetKnown: true}, Sent: 61 * clock.Second, Remaining: 200 - 1 - 79, Telling: true})
		assert.Equal(t, excluded, e.CounterExcluded(), "%d refused", refused)
	}
}
