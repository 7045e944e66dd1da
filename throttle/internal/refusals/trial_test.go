package refusals

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// begun returns a trial that began at the end of some seconds in which a fifth of all
// requests was refused.
func begun(t *testing.T) (u *trial, v *View, now clock.Instant) {
	u, v = new(trial), new(View)
	for !u.on {
		now += clock.Second / 20
		require.Less(t, now, 10*clock.Second)
		v.Sent++
		u.observe(v, now, &Request{Number: v.Sent, Cost: 1, At: now}, v.Sent%5 == 0)
	}
	return u, v, now
}

// A limit that was used up before a trial began says nothing of the rate that is tried.
func TestTrialBeginsWhereSomethingIsServed(t *testing.T) {
	u, v, now := begun(t)
	assert.Greater(t, now, briefly, "a rate takes some time to measure")
	for range 10 {
		v.Sent++
		assert.False(t, u.observe(v, now, &Request{Number: v.Sent, Cost: 1, At: now}, true))
		assert.True(t, u.on)
	}
	assert.False(t, u.hears(v, now, 1000, func(int) bool { return false }), "no refusal came back")
	assert.False(t, u.on)
}

// A lower rate is better if fewer requests are refused, and more again afterwards.
func TestTrialIsConfirmed(t *testing.T) {
	for again, want := range map[bool]bool{true: true, false: false} {
		u, v, now := begun(t)
		for u.on {
			require.False(t, u.hears(v, now, 1, func(int) bool { return false }))
		}
		assert.Equal(t, want, u.hears(v, now, 2*int(u.need), func(i int) bool { return again && i%5 == 4 }))
		assert.Equal(t, again, u.patience == 0)
	}
}

// What a trial showed is forgotten with it.
func TestTrialIsStopped(t *testing.T) {
	u, v, now := begun(t)
	for !u.check {
		require.False(t, u.hears(v, now, 1, func(int) bool { return false }))
	}
	u.stop()
	assert.False(t, u.hears(v, now, 2*trialAgain, func(int) bool { return true }))
}

// hears takes in the answers to n requests, until one of them ends the trial.
func (u *trial) hears(v *View, now clock.Instant, n int, refused func(i int) bool) bool {
	for i := range n {
		v.Sent++
		if u.observe(v, now, &Request{Number: v.Sent, Cost: 1, At: now}, refused(i)) {
			return true
		}
	}
	return false
}

// Requests that something else holds back say nothing of what a server serves, nor of whether less is better. So a
// trial begins only once they come as fast as ever, and no slower than one a second.
func TestTrialTriesWhatIsServed(t *testing.T) {
	u, v := new(trial), new(View)
	now := clock.Instant(0)
	answer := func(every clock.Instant, n int) {
		for range n {
			now += every
			v.Sent++
			u.observe(v, now, &Request{Number: v.Sent, Cost: 1, At: now}, v.Sent%5 == 0)
		}
	}
	answer(3*clock.Second, 200)
	assert.False(t, u.on, "a few are refused of few")
	answer(clock.Second/2, 30)
	answer(clock.Second/20, 40)
	assert.False(t, u.on, "most of them came slowly")
	for !u.on {
		require.Less(t, v.Sent, int64(1000))
		answer(clock.Second/20, 1)
	}
	assert.InEpsilon(t, trialRate*.8*20, u.rate, .1)
}

// Where as many are refused at the lower rate as before, it is no limit's.
func TestTrialInVain(t *testing.T) {
	u, v, now := begun(t)
	for i := 0; u.on; i++ {
		require.Less(t, i, 100)
		v.Sent++
		assert.False(t, u.observe(v, now, &Request{Number: v.Sent, Cost: 1, At: now}, i%5 == 1))
	}
	assert.Equal(t, uint8(1), u.patience)
}
