package level_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

// Responses may overtake each other, but the last one that is under way is believed: no other will tell
// what the request before it gave back.
func TestTheLastResponseUnderWayIsBelieved(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	answer(l, 0, d, minute(990, 50*time.Second), level.Usage{Total: 10}, true)
	first, second := l.Take(at(2*time.Second), d), l.Take(at(2*time.Second), d)
	l.Observe(at(3*time.Second), first, minute(100, 47*time.Second))
	l.Settle(at(3*time.Second), first, level.Usage{Total: 10}, true)
	l.Observe(at(3300*time.Millisecond), second, minute(900, 46*time.Second))
	l.Settle(at(3300*time.Millisecond), second, level.Usage{Total: 10}, true)
	assert.True(t, l.Ask(at(4*time.Second), d).Go, "900 are left")
}

// A server that rounds to a tenth of its limit still shows that it fills all the time.
func TestCoarseNumbersShowARefill(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 3}
	for i, missing := range []float64{2400, 3600, 4700, 5500, 6400, 7300} { // of 10,000 that come back in a minute
		answer(l, time.Duration(i)*time.Second, d, level.Window{
			Limit: 10_000, Remaining: 10_000 - 1000*math.Round(missing/1000), Left: time.Duration(missing*0.006) * time.Second, Blur: time.Second,
		}, level.Usage{Total: 123}, true)
	}
	assert.True(t, l.Refills())
	assert.InDelta(t, 3700, l.Level(at(11*time.Second)), 1200)
}

// Streams tell nothing when they end. Where no reset is told, a request asks though many are under way.
func TestARequestAsksWhereStreamsTellNothing(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	silent := level.Window{Limit: 1000, Remaining: 90, Left: -1, Streamed: true}
	h := l.Take(at(0), d)
	l.Observe(at(time.Second), h, silent)
	ask := l.Ask(at(time.Second), d)
	require.False(t, ask.Go)
	require.False(t, ask.At.IsZero())
	assert.True(t, l.Ask(ask.At, d).Go)
}

// What a refusal asked to wait for is tried then, where no reset is told, though others are under way.
func TestARequestComesBackWhenARefusalAskedFor(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	answer(l, 0, d, level.Window{Limit: 1000, Remaining: 900, Left: -1}, level.Usage{Total: 10}, true)
	l.Take(at(time.Second), d) // takes long
	refused := l.Take(at(time.Second), d)
	l.Refuse(at(2*time.Second), refused, &level.Window{Limit: 1000, Remaining: 20, Left: -1}, true, at(30*time.Second))
	ask := l.Ask(at(3*time.Second), d)
	require.False(t, ask.Go)
	assert.True(t, l.Ask(at(31*time.Second), d).Go)
}

// What refusals taught where costs were guessed is measured by them once they are known.
func TestAFactorOfAGuessIsMeasuredAgain(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{}
	answer(l, 0, d, minute(900, 50*time.Second), level.Usage{}, false)
	for i, left := range []float64{30, 40, 50, 60} {
		sent := time.Duration(2+4*i) * time.Second
		h := l.Take(at(sent), d)
		rest := minute(left, 50*time.Second-sent)
		l.Refuse(at(sent+time.Second), h, &rest, true, time.Time{})
	}
	require.Greater(t, l.Admission(d), 50., "more than 17, which is guessed")
	for i := range 8 {
		answer(l, time.Duration(20+i)*time.Second, d, minute(800, 30*time.Second), level.Usage{Total: 60}, true)
	}
	assert.InDelta(t, 65, l.Admission(d), 15)
}

// Where nothing tells what requests cost, and few were sent yet, what they take is not what others spend.
func TestFewRequestsAreNotTakenForOthers(t *testing.T) {
	t.Parallel()
	l := level.New()
	left := 900.0
	for i := range 40 {
		now := time.Duration(i) * 4 * time.Second
		h := l.Take(at(now), level.Demand{})
		left += 400 // in four seconds
		left -= float64(109 + i%7*97)
		w := level.Window{Limit: 2000, Remaining: left, Left: time.Duration((2000 - left) / 100 * float64(time.Second))}
		now += 200 * time.Millisecond
		l.Observe(at(now), h, w)
		l.Settle(at(now), h, level.Usage{}, false)
		if i >= 32 {
			assert.InDelta(t, left+300, l.Level(at(now+3*time.Second)), 100)
		}
	}
}
