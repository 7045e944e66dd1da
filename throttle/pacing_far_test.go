package throttle

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A job that ends long before the reset is not kept back for less than what is left would
// have to be spread by: that would slow it and save nothing.
func TestPacingThatSavesNothing(t *testing.T) {
	k := newScript(t, DefaultPolicy()).k
	k.lastSent = 100 * second
	far := k.pace(k.lastSent, 1, 900, recent{1000, never}, k.lastSent+24*60*60*second, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent, far.at)
	near := k.pace(k.lastSent, 1, 10, recent{15, never}, k.lastSent+60*second, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent+instant(DefaultPolicy().MaxPacing), near.at)
}

// A job that spends nearly all of an hour's limit at once is not held until the end of the
// hour for the rest; a program that spent it over half of the time that is left is.
func TestPacingOfAShortJob(t *testing.T) {
	k := newScript(t, DefaultPolicy()).k
	k.lastSent = 3600 * second
	ends := k.lastSent + 3000*second
	short := k.pace(k.lastSent, 1, 2, recent{18, k.lastSent - second}, ends, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent, short.at)
	long := k.pace(k.lastSent, 1, 2, recent{18, k.lastSent - 1501*second}, ends, DefaultPolicy().MaxPacing)
	assert.Equal(t, k.lastSent+1000*second, long.at)
}

// A job that fits into the window is not kept back for much longer than a second, however many requests it
// has left to send below the threshold.
func TestPacingOfAJobThatFits(t *testing.T) {
	s := newScript(t, DefaultPolicy())
	now := 0.
	for n := range 968 {
		for {
			d := s.k.Ask(at(now), 1)
			if d.Admits(at(now)) {
				break
			}
			now = max(now+.0001, d.At.Sub(epoch).Seconds())
		}
		s.hears(now+.002, s.take(now), minute(1000, 999-n, 60))
		now += .0025
	}
	assert.Less(t, now, 968*.0025*1.5+1.1)
	assert.Greater(t, now, 968*.0025+.5, "pacing was tried")
}
