package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

func streamed(remaining float64, left time.Duration) level.Window {
	return level.Window{Limit: 1000, Remaining: remaining, Left: left, Streamed: true}
}

// Requests that were sent before the first of them was refused teach no more than one does.
func TestRefusalsOfOneBurstTeachOnce(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 20} // estimated as 30
	answer(l, 0, d, minute(900, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	var burst []*level.Hold
	for range 10 {
		burst = append(burst, l.Take(at(2*time.Second), d))
	}
	rest := minute(60, 48*time.Second)
	for i, h := range burst {
		l.Refuse(at(3*time.Second+time.Duration(i)*time.Millisecond), h, &rest, true, at(4*time.Second))
	}
	assert.InDelta(t, 62, l.Admission(d), 2, "60 did not suffice: that is all they prove")
}

// After a refusal, requests go one at a time, and only where there is enough.
func TestOneAtATimeIsNoReasonToGo(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 190}
	answer(l, 0, d, minute(900, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	h := l.Take(at(2*time.Second), d)
	rest := minute(40, 48*time.Second)
	l.Refuse(at(3*time.Second), h, &rest, true, time.Time{})
	ask := l.Ask(at(3*time.Second), d)
	assert.False(t, ask.Go, "40 are left")
	assert.Greater(t, ask.At.Sub(at(3*time.Second)), 40*time.Second)
}

// Where responses begin before they end, what the server gives back at their end is asked
// for, though a refusal said to wait until the window opens.
func TestWhatComesBackIsAskedForThoughARefusalSaidToWait(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	answer(l, 0, d, minute(990, 50*time.Second), level.Usage{Total: 10}, true)
	first, second := l.Take(at(2*time.Second), d), l.Take(at(2*time.Second), d)
	l.Observe(at(3*time.Second), first, streamed(690, 48*time.Second))
	l.Observe(at(3*time.Second), second, streamed(390, 48*time.Second))
	third, fourth := l.Take(at(4*time.Second), d), l.Take(at(4*time.Second), d)
	l.Observe(at(5*time.Second), third, streamed(90, 46*time.Second))
	rest := minute(90, 46*time.Second)
	l.Refuse(at(5*time.Second), fourth, &rest, true, at(51*time.Second))
	require.False(t, l.Ask(at(6*time.Second), d).Go)
	for _, h := range []*level.Hold{first, second, third} {
		l.Settle(at(10*time.Second), h, level.Usage{Total: 10}, true)
	}
	require.True(t, l.Ask(at(13*time.Second), d).Go, "900 may have come back")
	asks := l.Take(at(13*time.Second), d)
	assert.False(t, l.Ask(at(13*time.Second), d).Go, "one request finds out")
	l.Observe(at(14*time.Second), asks, streamed(660, 37*time.Second))
	assert.True(t, l.Ask(at(14*time.Second), d).Go)
}

// Responses that take long do not keep a window shut that opened.
func TestAWindowIsAskedThoughResponsesAreUnderWay(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	answer(l, 0, d, minute(600, 20*time.Second), level.Usage{Total: 400}, true)
	long := l.Take(at(2*time.Second), d)
	l.Observe(at(3*time.Second), long, streamed(20, 17*time.Second))
	require.False(t, l.Ask(at(10*time.Second), d).Go)
	require.True(t, l.Ask(at(21*time.Second), d).Go, "it opened a second ago")
	l.Take(at(21*time.Second), d)
	assert.False(t, l.Ask(at(21*time.Second), d).Go, "one request finds out")
}

// What was spent cannot have left a rolling window yet, and is there again: the window opens
// at its reset, and known costs may use all of it from then on.
func TestAWindowThatForgetsTooSoonOpens(t *testing.T) {
	t.Parallel()
	l := level.New()
	told := func(remaining float64, left time.Duration) level.Window {
		return level.Window{Limit: 1000, Remaining: remaining, Left: left, Length: time.Minute}
	}
	answer(l, 0, known(10), told(990, 57*time.Second), level.Usage{}, false)
	answer(l, 50*time.Second, known(800), told(190, 7*time.Second), level.Usage{}, false)
	require.False(t, l.Opens())
	answer(l, 58*time.Second, known(10), told(990, 59*time.Second), level.Usage{}, false)
	require.True(t, l.Opens())
	answer(l, 60*time.Second, known(900), told(90, 57*time.Second), level.Usage{}, false)
	ask := l.Ask(at(70*time.Second), known(500))
	require.False(t, ask.Go)
	assert.InDelta(t, 118, ask.At.Sub(start).Seconds(), 1)
	assert.True(t, l.Ask(ask.At, known(500)).Go)
}

// A server that takes more than its responses tell gives as much back.
func TestWhatWasTakenBeyondWhatWasToldComesBack(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 400}
	told := func(remaining float64) level.Window {
		return level.Window{Limit: 1000, Remaining: remaining, Left: -1, Length: time.Minute}
	}
	answer(l, 0, d, told(600), level.Usage{Total: 50}, true)
	answer(l, 20*time.Second, d, told(200), level.Usage{Total: 50}, true)
	require.False(t, l.Ask(at(40*time.Second), d).Go)
	ask := l.Ask(at(62*time.Second+500*time.Millisecond), d)
	assert.True(t, ask.Go, "the 400 of the first have left, not 50")
}

// A bucket that lacked something is left with as much more: it is not lost there, and what ended
// at once then will again.
func TestABucketKeepsWhatItLackedOnce(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 190} // estimated as 200
	left := func(missing float64) level.Window {
		return level.Window{Limit: 6000, Remaining: 6000 - missing, Left: time.Duration(missing * 1e7)}
	}
	for i := range 6 {
		answer(l, time.Duration(i)*time.Second, d, left(203*float64(i+1)), level.Usage{Total: 100}, true)
	}
	require.True(t, l.Refills())
	h := l.Take(at(7*time.Second), d)
	rest := left(5950)
	l.Refuse(at(8*time.Second), h, &rest, true, at(9*time.Second))
	for now := 9 * time.Second; now < 11*time.Second; now += 100 * time.Millisecond {
		require.False(t, l.Ask(at(now), d).Go, "after %v", now)
	}
	assert.True(t, l.Ask(at(12*time.Second), d).Go)
}
