package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// Responses that are long in the making do not make a short window long: what has arrived is over
// after two lengths, whatever the server weighs, and requests are not thought to travel for longer
// than one.
func TestSlowResponsesAndShortWindows(t *testing.T) {
	const length = 2 * clock.Second
	var rtt clock.RTT
	rtt.Observe(3 * clock.Second)
	rtt.Observe(8 * clock.Second)
	assert.Greater(t, rtt.Slack(), length)
	for name, c := range map[string]struct{ arrived, weighed, at clock.Instant }{
		"all arrived":              {clock.Second * 3 / 4, clock.Second*3/4 + 2*length, clock.Second*3/4 + length},
		"some may be on their way": {0, 5 * clock.Second, clock.Second/2 + 2*length},
	} {
		var log eventlog.Log
		log.Add(clock.Second/2, 1)
		v := View{Now: clock.Second, Limit: 1, Length: length, LengthSure: true, Log: &log, RTT: &rtt, Arrived: c.arrived,
			Reset: clock.Between(clock.Second, 3*clock.Second), ResetKnown: true}
		var e Estimator
		_, at := e.Ready(&v, 1)
		assert.Equal(t, c.weighed, at, name)
		e.counter.excluded = true
		_, at = e.Ready(&v, 1)
		assert.Equal(t, c.at, at, name)
	}
}
