package kind

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// told is what a reset in whole seconds may mean.
func told(seconds clock.Instant) clock.Interval {
	return clock.Between((seconds-1)*clock.Second, (seconds+1)*clock.Second)
}

// Resets that lie two seconds apart are those of windows of three seconds at most.
func TestResetsBoundTheLength(t *testing.T) {
	var a aligned
	a.observe(0, told(2), clock.Second, 0)
	assert.Zero(t, a.longest(), "no window followed yet")
	a.observe(clock.Second, told(2), clock.Second, 0)
	assert.Zero(t, a.longest(), "the same window")
	a.observe(7*clock.Second, told(8), clock.Second, 0)
	assert.Equal(t, 7*clock.Second, a.longest(), "some may lie between")
	a.observe(9*clock.Second, told(10), clock.Second, 0)
	assert.Equal(t, 3*clock.Second, a.longest())
	a.observe(10*clock.Second, told(3), clock.Second, 0)
	assert.Equal(t, 3*clock.Second, a.longest(), "an old response")
	a.observe(11*clock.Second, told(100), clock.Second, 0)
	assert.Zero(t, a.longest(), "a reset further away than any window is long")
}

// Windows of ten seconds whose resets lie 16 seconds apart begin with a request, and weigh no
// other.
func TestWindowsThatAreNotAligned(t *testing.T) {
	for last, aligned := range map[clock.Instant]bool{31: true, 36: false, 41: true} {
		var e Estimator
		e.Told(0, told(11), clock.Second, 0)
		e.Told(11*clock.Second, told(21), clock.Second, 0)
		assert.False(t, e.CounterExcluded())
		e.Told((last-10)*clock.Second, told(last), clock.Second, 0)
		assert.Equal(t, !aligned, e.CounterExcluded(), "%d", last)
	}
}

// Several windows tell the length more exactly than one. Three windows in 30 seconds are of about
// ten seconds each, so that a reset 26 seconds later is not that of an aligned window.
func TestManyWindowsTellTheLengthMoreExactly(t *testing.T) {
	var e Estimator
	e.Told(0, told(10), clock.Second, 0)
	e.Told(10*clock.Second, told(20), clock.Second, 0)
	e.Told(40*clock.Second, told(50), clock.Second, 0)
	assert.False(t, e.CounterExcluded())
	e.Told(66*clock.Second, told(76), clock.Second, 0)
	assert.True(t, e.CounterExcluded())
}
