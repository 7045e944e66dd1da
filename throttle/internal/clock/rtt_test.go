package clock

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSlackIsTheSpreadOfRoundTrips(t *testing.T) {
	var l RTT
	assert.Equal(t, 2*Millisecond, l.Slack(), "nothing is known")
	l.Observe(100 * Millisecond)
	assert.GreaterOrEqual(t, l.Slack(), 90*Millisecond, "one round trip says little of the spread")
	for i := range 500 {
		l.Observe(80*Millisecond + Instant(i%9)*10*Millisecond)
	}
	assert.InDelta(t, float64(90*Millisecond), float64(l.Slack()), float64(15*Millisecond))

	// One answer that took half a minute to compute is no travel time.
	before := l.Slack()
	l.Observe(30 * Second)
	for range 60 {
		l.Observe(100 * Millisecond)
	}
	assert.Less(t, l.Slack(), before+200*Millisecond)
}

func TestExtremesAreForgotten(t *testing.T) {
	var l RTT
	l.Observe(Millisecond)
	for range 2*latencyPeriod + 1 {
		l.Observe(100 * Millisecond)
	}
	assert.Equal(t, 100*Millisecond, l.WasShortest)
	l.Observe(5 * Millisecond)
	for range latencyPeriod - 2 {
		l.Observe(100 * Millisecond)
	}
	assert.Equal(t, 5*Millisecond, l.WasShortest, "not before its time")
}

func TestPatienceIsNeverShort(t *testing.T) {
	var l RTT
	assert.Equal(t, Second, l.Patience())
	for range 100 {
		l.Observe(4 * Second)
	}
	assert.GreaterOrEqual(t, l.Patience(), 8*Second)
	for range 100 {
		l.Observe(3600 * Second)
	}
	assert.Equal(t, mostPatient, l.Patience(), "nor without end")
}
