package throttle

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSlackIsTheSpreadOfRoundTrips(t *testing.T) {
	var l rtt
	assert.Equal(t, 2*millisecond, l.slack(), "nothing is known")
	l.observe(100 * millisecond)
	assert.GreaterOrEqual(t, l.slack(), 90*millisecond, "one round trip says little of the spread")
	for i := range 500 {
		l.observe(80*millisecond + instant(i%9)*10*millisecond)
	}
	assert.InDelta(t, float64(90*millisecond), float64(l.slack()), float64(15*millisecond))

	// One answer that took half a minute to compute is no travel time.
	before := l.slack()
	l.observe(30 * second)
	for range 60 {
		l.observe(100 * millisecond)
	}
	assert.Less(t, l.slack(), before+200*millisecond)
}

func TestExtremesAreForgotten(t *testing.T) {
	var l rtt
	l.observe(millisecond)
	for range 2*latencyPeriod + 1 {
		l.observe(100 * millisecond)
	}
	assert.Equal(t, 100*millisecond, l.wasShortest)
	l.observe(5 * millisecond)
	for range latencyPeriod - 2 {
		l.observe(100 * millisecond)
	}
	assert.Equal(t, 5*millisecond, l.wasShortest, "not before its time")
}

func TestPatienceIsNeverShort(t *testing.T) {
	var l rtt
	assert.Equal(t, second, l.patience())
	for range 100 {
		l.observe(4 * second)
	}
	assert.GreaterOrEqual(t, l.patience(), 8*second)
	for range 100 {
		l.observe(3600 * second)
	}
	assert.Equal(t, mostPatient, l.patience(), "nor without end")
}
