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

// One response recognises a counter that has less left, just after it opened, than a fixed window or a log would have.
// Where one of these explains it, or so much is unknown that chance would, none does.
func TestOneResponseRecognisesACounter(t *testing.T) {
	const length = 60 * clock.Second
	// Of a window that opened at 60, all was spent before, some of it at the beginning of the last one. Five seconds later
	// a twelfth is regained.
	sent, now := 65*clock.Second, 65*clock.Second+clock.Second/10
	exact, rough := clock.Between(2*length, 2*length+clock.Second), clock.Between(90*clock.Second, 2*length+5*clock.Second)
	for _, c := range []struct {
		early, remaining int64
		reset            clock.Interval
		followed         bool // the reset moved by a window
		want             bool
	}{
		{0, 7, exact, true, true},
		{0, 7, exact, false, false},
		{0, 7, rough, true, false},
		{0, 99, exact, true, false}, // as of a fixed window
		{0, 30, exact, true, false}, // as of none
		{8, 7, exact, true, false},  // as of a log
		{100, 7, exact, true, true}, // a log has forgotten them
	} {
		var log, turned eventlog.Log
		var rtt clock.RTT
		rtt.Observe(clock.Second / 10)
		log.Add(4*clock.Second, c.early)
		log.Add(50*clock.Second, 100-c.early)
		log.Add(sent, 1)
		v := &View{Now: now, Limit: 100, Length: length, Log: &log, Turned: &turned, RTT: &rtt, Reset: c.reset, ResetKnown: true}
		var k counter
		k.observe(&Observation{View: v, Sent: sent, Remaining: c.remaining, Telling: true}, 100-log.After(now-length), c.followed)
		assert.Equal(t, c.want, k.recognised, "%+v", c)
	}
}
