package limit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tokensOf(t *testing.T, q Quota) Limiter {
	t.Helper()
	l, err := q.Of("tokens").Limiter()
	require.NoError(t, err)
	return l
}

func tokens(n float64) Demand { return Demand{Units: map[string]float64{"tokens": n}} }

// remaining returns how much a limiter of 1,000 tokens a minute lets go.
func remaining(l Limiter, now time.Time) int {
	return Per(1000, time.Minute).Of("tokens").Remaining(l, now)
}

func admits(l Limiter, now time.Time, d Demand) bool {
	a := l.Ask(now, d)
	return a.Admits(now)
}

func TestUnitsThatAreKnownAreHeldAndThenCounted(t *testing.T) {
	for name, q := range map[string]Quota{
		"rolling": Per(1000, time.Minute), "counter": Per(1000, time.Minute).SlidingCounter(),
		"fixed": Per(1000, time.Minute).FixedWindow(nil), "bucket": Per(1000, time.Minute).TokenBucket(1000),
	} {
		t.Run(name, func(t *testing.T) {
			l, now := tokensOf(t, q), time.Unix(1_700_000_000, 0).Truncate(time.Minute)
			assert.True(t, l.Idle(now))
			l.Take(now, tokens(600.5))
			assert.False(t, l.Idle(now))
			assert.True(t, admits(l, now, tokens(399)))
			assert.False(t, admits(l, now, tokens(400)), "601 are under way")
			assert.True(t, admits(l, now, Demand{Requests: 5000}), "those cost no tokens")
			assert.True(t, admits(l, now, tokens(0)))
			l.Cancel(now, tokens(600.5))
			assert.True(t, admits(l, now, tokens(1000)))
			l.Take(now, tokens(600))
			l.Done(now.Add(time.Second), now, tokens(600))
			now = now.Add(time.Second)
			assert.Equal(t, 400, q.Of("tokens").Remaining(l, now))
			a := l.Ask(now, tokens(900))
			assert.True(t, a.At.After(now) && !a.At.After(now.Add(2*time.Minute)), "%v", a)
			assert.False(t, q.Of("tokens").Full(l, now).IsZero())
			assert.True(t, admits(l, now.Add(2*time.Minute), tokens(900)))
		})
	}
}

func TestUnitsThatNoWindowAllows(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	l.Take(now, tokens(1000))
	assert.Equal(t, Decision{Limit: "1000 tokens per minute", Max: 1000, Cost: 1001}, l.Ask(now, tokens(1000.5)))
	assert.Equal(t, 1000, l.Ask(now, tokens(math.Inf(1))).Max)
	a := l.Ask(now, tokens(1000))
	assert.Zero(t, a.Max, "it will go")
	for _, absurd := range []float64{math.NaN(), -1, math.Inf(-1)} {
		assert.True(t, admits(l, now, tokens(absurd)), "it is the same as none")
	}
}

func TestUnitsThatAreKnownAfterwards(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	metered := Demand{Metered: true}
	take := func() { l.Take(now, metered) }
	settle := func(used map[string]float64) {
		l.Done(now, now, metered)
		l.Settle(now, metered, used)
	}
	require.True(t, admits(l, now, metered))
	take()
	a := l.Ask(now, metered)
	require.True(t, a.Unknown, "the first goes alone")
	settle(map[string]float64{"tokens": 100})
	under := 0
	for under < 100 && admits(l, now, metered) {
		take()
		under++
	}
	assert.Equal(t, 6, under, "900 are left, and each may cost 150")
	for range under {
		settle(map[string]float64{"tokens": 50})
	}
	assert.Equal(t, 600, remaining(l, now))
	take()
	settle(map[string]float64{}) // it was refused
	assert.Equal(t, 600, remaining(l, now))
	take()
	settle(nil) // others cost some 80
	assert.InDelta(t, 480, remaining(l, now), 60)
	settle(map[string]float64{"tokens": 500}) // there is none that could have cost it
	assert.InDelta(t, 480, remaining(l, now), 60)
	for _, absurd := range []float64{math.NaN(), -5} {
		take()
		settle(map[string]float64{"tokens": absurd})
	}
	assert.InDelta(t, 480, remaining(l, now), 60)
	take()
	settle(map[string]float64{"tokens": 1e300})
	assert.InDelta(t, 400, remaining(l, now), 60, "that is the same as none")
	take()
	settle(map[string]float64{"tokens": 1500})
	assert.Zero(t, remaining(l, now), "that may be a debt")
	assert.True(t, l.Idle(now.Add(time.Minute+time.Second)), "it is over like any other")
}

func TestUnitsOutliveAChangeOfTheQuota(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := tokensOf(t, Per(1000, time.Minute))
	l.Take(now, tokens(300))
	l.Done(now, now, tokens(300))
	l.Take(now, tokens(100))
	more, other := Per(2000, time.Minute).Of("tokens"), Per(2000, time.Minute).Of("credits")
	assert.Equal(t, 1600, more.Remaining(more.Replace(l, now), now))
	assert.Equal(t, 2000, other.Remaining(other.Replace(l, now), now))
	assert.Equal(t, "requests", Per(1, time.Minute).Of("requests").Unit())
	assert.Equal(t, "tokens", more.Unit())
}

// A quota a day comes back at the midnight of its own zone.
func TestUnitsADayComeBackAtMidnight(t *testing.T) {
	zone := time.FixedZone("west", -8*3600)
	l := tokensOf(t, Per(1000, 24*time.Hour).FixedWindow(zone))
	now := time.Date(2026, 3, 4, 15, 0, 0, 0, zone)
	l.Take(now, tokens(900))
	l.Done(now, now, tokens(900))
	a := l.Ask(now, tokens(200))
	assert.True(t, a.At.Equal(time.Date(2026, 3, 5, 0, 0, 0, 0, zone)), "%v", a.At)
}

// A limiter that combines others, of which any may count units, tells all of them what a request cost.
func TestAllSettlesEachOfItsParts(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	requests, err := Per(10, time.Minute).Limiter()
	require.NoError(t, err)
	l := tokensOf(t, Per(1000, time.Minute))
	both := All(requests, All(l, fixed{}))
	metered := Demand{Metered: true}
	both.Take(now, metered)
	both.Done(now, now, metered)
	both.Settle(now, metered, map[string]float64{"tokens": 300})
	assert.Equal(t, 700, remaining(l, now))
}
