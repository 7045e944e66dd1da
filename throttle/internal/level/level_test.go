package level_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/level"
)

var start = time.Unix(1_700_000_000, 0)

func at(d time.Duration) time.Time { return start.Add(d) }

// answer sends a request and takes in what its response says, a second later.
func answer(l *level.Limiter, from time.Duration, d level.Demand, w level.Window, u level.Usage, known bool) {
	h := l.Take(at(from), d)
	l.Observe(at(from+time.Second), h, w)
	l.Settle(at(from+time.Second), h, u, known)
}

func known(c float64) level.Demand { return level.Demand{Cost: c, Known: true} }

func minute(remaining float64, left time.Duration) level.Window {
	return level.Window{Limit: 1000, Remaining: remaining, Left: left}
}

func TestTheFirstRequestGoesAlone(t *testing.T) {
	t.Parallel()
	l := level.New()
	require.True(t, l.Ask(start, known(10)).Go)
	h := l.Take(start, known(10))
	assert.False(t, l.Ask(start, known(10)).Go, "nothing is known until it is answered")
	assert.True(t, l.Ask(l.Ask(start, known(10)).At, known(10)).Go, "it may never be")
	l.Cancel(h)
	assert.True(t, l.Ask(start, known(10)).Go, "it was never sent")
}

func TestKnownCostsAreHeldUntilCounted(t *testing.T) {
	t.Parallel()
	l := level.New()
	answer(l, 0, known(100), minute(900, 50*time.Second), level.Usage{}, false)
	now := 10 * time.Second
	var holds []*level.Hold
	for l.Ask(at(now), known(100)).Go {
		holds = append(holds, l.Take(at(now), known(100)))
	}
	assert.Len(t, holds, 9, "900 are left")
	l.Cancel(holds[0])
	assert.True(t, l.Ask(at(now), known(100)).Go)
	assert.True(t, l.Ask(at(now), known(0)).Go, "what costs nothing goes")
}

func TestACostAboveTheLimitIsNeverAllowed(t *testing.T) {
	t.Parallel()
	l := level.New()
	answer(l, 0, known(1), minute(999, 50*time.Second), level.Usage{}, false)
	assert.True(t, l.Ask(at(2*time.Second), known(1001)).Never)
	assert.False(t, l.Ask(at(2*time.Second), known(1000)).Never)
}

func TestANewerResponseCorrectsAnEstimate(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 500}
	answer(l, 0, d, minute(990, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	assert.InDelta(t, 990, l.Level(at(2*time.Second)), 0)
	h := l.Take(at(2*time.Second), d)
	assert.False(t, l.Ask(at(2*time.Second), d).Go, "the server may ask for 510 of 990 twice")
	l.Observe(at(3*time.Second), h, minute(980, 48*time.Second))
	l.Settle(at(3*time.Second), h, level.Usage{Total: 10, Prompt: 10}, true)
	assert.True(t, l.Ask(at(3*time.Second), d).Go, "it took 10")
}

// While the rest of a bucket is told, the time until there is enough is exact.
func TestABucketIsWaitedForExactly(t *testing.T) {
	t.Parallel()
	l := level.New()
	for i := range 6 {
		spent := float64(203 * (i + 1))
		w := level.Window{Limit: 6000, Remaining: 6000 - spent, Left: time.Duration(spent * 1e7)}
		answer(l, time.Duration(i)*time.Second, known(1), w, level.Usage{}, false)
	}
	now := 10 * time.Second // 4782 were left four seconds ago, and 100 come back in each
	d := l.Ask(at(now), known(5500))
	require.False(t, d.Go)
	assert.InDelta(t, 13.2, d.At.Sub(start).Seconds(), 0.2)
	assert.True(t, l.Ask(d.At, known(5500)).Go)
}

// At remaining 0 a longer time until the bucket is full is a debt.
func TestADebtIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := level.New()
	for i := range 6 {
		spent := float64(203 * (i + 1))
		w := level.Window{Limit: 6000, Remaining: 6000 - spent, Left: time.Duration(spent * 1e7)}
		answer(l, time.Duration(i)*time.Second, known(1), w, level.Usage{}, false)
	}
	answer(l, 6*time.Second, known(1), level.Window{Limit: 6000, Left: 90 * time.Second}, level.Usage{}, false)
	assert.InDelta(t, -3000, l.Level(at(7*time.Second)), 10)
	d := l.Ask(at(10*time.Second), known(100))
	require.False(t, d.Go)
	assert.InDelta(t, 7+31, d.At.Sub(start).Seconds(), 1)
}

// A refusal that says how much was left proves what the server asks for.
func TestARefusalTeachesTheFactor(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 190} // estimated as 200
	answer(l, 0, d, minute(800, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	h := l.Take(at(2*time.Second), d)
	rest := minute(240, 48*time.Second)
	l.Refuse(at(3*time.Second), h, &rest, true, at(4*time.Second))
	refused := l.Ask(at(3*time.Second), d)
	assert.Equal(t, at(4*time.Second), refused.At, "the server's time is kept")
	h = l.Take(at(4*time.Second), d)
	l.Observe(at(5*time.Second), h, minute(240, 46*time.Second))
	l.Settle(at(5*time.Second), h, level.Usage{Total: 10, Prompt: 10}, true)
	assert.False(t, l.Ask(at(7*time.Second), d).Go, "240 did not suffice")
	assert.True(t, l.Ask(at(7*time.Second), known(200)).Go, "what is known is not estimated")
}

func TestAbsurdNumbersChangeNothing(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Prompt: 30, Most: 100}
	answer(l, 0, d, minute(800, 50*time.Second), level.Usage{Total: 10, Prompt: 10}, true)
	for i, w := range []level.Window{
		{Limit: -1, Remaining: 5}, {Limit: math.Inf(1), Remaining: 5}, {Limit: math.NaN()},
		{Limit: 1000, Remaining: -5}, {Limit: 1000, Remaining: math.NaN()}, {Limit: 1000, Remaining: 1, Left: math.MaxInt64},
	} {
		h := l.Take(at(2*time.Second), d)
		l.Observe(at(3*time.Second), h, w)
		l.Settle(at(3*time.Second), h, level.Usage{Total: 1e300}, true)
		assert.InDelta(t, 800, l.Level(at(3*time.Second)), 0, "case %d", i)
		l.Cancel(h)
	}
	assert.True(t, l.Ask(at(4*time.Second), d).Go)
	for _, total := range []float64{-1, math.NaN(), math.Inf(1), 1e300} {
		answer(l, 4*time.Second, d, minute(790, 40*time.Second), level.Usage{Total: total}, true)
	}
	assert.True(t, l.Ask(at(6*time.Second), d).Go)
}

// Nothing tells when there will be more: one request asks now and then.
func TestAWindowWithoutAResetIsAskedAgain(t *testing.T) {
	t.Parallel()
	l := level.New()
	w := level.Window{Limit: 1000, Left: -1}
	answer(l, 0, known(10), w, level.Usage{}, false)
	now := 2 * time.Second
	sent := 0
	for range 40 {
		d := l.Ask(at(now), known(10))
		switch {
		case d.Go:
			sent++
			h := l.Take(at(now), known(10))
			l.Refuse(at(now), h, &w, true, time.Time{})
		case d.At.IsZero():
			t.Fatal("nothing is under way, and no time is told")
		default:
			require.True(t, d.At.After(at(now)))
			now = d.At.Sub(start)
		}
	}
	assert.Greater(t, sent, 5)
}

func BenchmarkAsk(b *testing.B) {
	l := level.New()
	d := level.Demand{Prompt: 400, Most: 100}
	answer(l, 0, d, level.Window{Limit: 1e9, Remaining: 9e8, Left: time.Hour}, level.Usage{Total: 10, Prompt: 10}, true)
	for range 20 {
		l.Take(at(2*time.Second), d)
	}
	now := at(3 * time.Second)
	b.ReportAllocs()
	for b.Loop() {
		h := l.Take(now, d)
		l.Ask(now, d)
		l.Cancel(h)
	}
}

// Where a server gives back what it reserved, more is there long before the moment
// that its refusal named.
func TestARefusalHoldsUntilAResponseTellsOfEnough(t *testing.T) {
	t.Parallel()
	l := level.New()
	d := level.Demand{Most: 300}
	answer(l, 0, d, minute(900, 50*time.Second), level.Usage{Total: 100}, true)
	first, second := l.Take(at(10*time.Second), d), l.Take(at(10*time.Second), d)
	l.Refuse(at(11*time.Second), second, &level.Window{Limit: 1000, Remaining: 100, Left: 50 * time.Second}, true, at(59*time.Second))
	require.False(t, l.Ask(at(12*time.Second), d).Go, "it was refused")
	l.Observe(at(13*time.Second), first, minute(800, 47*time.Second))
	assert.True(t, l.Ask(at(13*time.Second), d).Go, "there is enough by now")
}

// A response may overtake one that was made before it: then the newest number does
// not count what the other response did.
func TestAResponseThatWasMadeEarlierCountsLess(t *testing.T) {
	t.Parallel()
	l := level.New()
	answer(l, 0, known(100), minute(800, 50*time.Second), level.Usage{}, false)
	a, b := l.Take(at(10*time.Second), known(100)), l.Take(at(10*time.Second), known(100))
	l.Observe(at(12*time.Second), a, minute(600, 38*time.Second))
	l.Settle(at(12*time.Second), a, level.Usage{}, false)
	streamed := minute(700, 38*time.Second)
	streamed.Streamed = true
	l.Observe(at(12*time.Second+5*time.Millisecond), b, streamed)
	now := at(15 * time.Second)
	assert.False(t, l.Ask(now, known(550)).Go, "a cost 100 that 700 does not count, and b has yet to be charged 100")
	assert.True(t, l.Ask(now, known(500)).Go)
}

// In round numbers, a window that opens soon looks like a bucket for a while.
func TestRoundedNumbersThatHardlyFallProveNoRefill(t *testing.T) {
	t.Parallel()
	l := level.New()
	for i, remaining := range []float64{3000, 3000, 3000, 2000, 2000, 1000, 1000, 1000, 1000} {
		now := time.Duration(i) * 60 * time.Millisecond
		h := l.Take(at(now), known(37))
		now += 50 * time.Millisecond
		l.Observe(at(now), h, level.Window{Limit: 10000, Remaining: remaining, Left: 8*time.Second - now})
		l.Settle(at(now), h, level.Usage{}, false)
	}
	was := l.Level(at(time.Second))
	assert.InDelta(t, was, l.Level(at(2*time.Second)), 0.1, "nothing comes back before it opens")
}

// A body that is never closed holds nothing for ever.
func TestAHoldThatNothingEndsLapses(t *testing.T) {
	t.Parallel()
	l := level.New()
	answer(l, 0, known(100), level.Window{Limit: 1000, Remaining: 900, Left: -1}, level.Usage{}, false)
	l.Take(at(2*time.Second), known(900))
	require.False(t, l.Ask(at(time.Minute), known(500)).Go)
	assert.True(t, l.Ask(at(2*time.Hour), known(500)).Go || l.Ask(at(2*time.Hour+time.Minute), known(500)).Go)
}

// Of two responses that come within what requests differ on the way, the one that tells of more may
// have been made before; later it is what came back.
func TestAnOvertakenResponseRaisesNothing(t *testing.T) {
	t.Parallel()
	l := level.New()
	told := func(remaining float64) level.Window {
		return level.Window{Limit: 1000, Remaining: remaining, Left: time.Duration(1000-remaining) * 60 * time.Millisecond}
	}
	for i := range 8 {
		answer(l, time.Duration(i)*2*time.Second, level.Demand{Most: 50}, told(900-20*float64(i)), level.Usage{}, false)
	}
	require.True(t, l.Refills())
	var holds []*level.Hold
	for range 3 {
		holds = append(holds, l.Take(at(20*time.Second), level.Demand{Most: 50}))
	}
	now := 21 * time.Second
	l.Observe(at(now), holds[0], told(500))
	l.Observe(at(now+5*time.Millisecond), holds[1], told(600))
	assert.InDelta(t, 500, l.Level(at(now+5*time.Millisecond)), 6, "rounded to tens")
	l.Observe(at(now+2*time.Second), holds[2], told(600))
	assert.InDelta(t, 600, l.Level(at(now+2*time.Second)), 6)
}

// Resets that are a part of a second off hide no bucket: once it is nearly empty, nothing would tell it
// from a window that opens.
func TestABucketIsKnownThoughItsResetsAreInexact(t *testing.T) {
	t.Parallel()
	l := level.New()
	rate, missing, now := 250_000/3600., 0., time.Duration(0)
	for i := range 160 {
		cost := 2003.0
		if i >= 120 {
			cost = 76 // as much as comes back
		}
		missing = max(0, missing-1.1*rate) + cost
		w := level.Window{Limit: 250_000, Remaining: math.Floor(250_000 - missing), Blur: time.Millisecond,
			Left: time.Duration(missing/rate*float64(time.Second)) + time.Duration(i%3)*200*time.Millisecond}
		answer(l, now, known(cost), w, level.Usage{}, false)
		now += 1100 * time.Millisecond
	}
	require.True(t, l.Refills())
	d := l.Ask(at(now), known(250_000-missing+872))
	require.False(t, d.Go)
	assert.InDelta(t, (872+76)/rate, d.At.Sub(at(now)).Seconds(), 3)
}
