package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// flying is a request that was sent and not answered.
type flying struct{ taken, arrives, answered time.Time }

// drive sends n requests through a limit as early as it allows, or somewhat later, over a network in
// which they overlap and overtake each other, and returns when each arrived.
func drive(l Limit, rng *rand.Rand, n, maxCost int, pause time.Duration, way func() trip) (arrivals []time.Time) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var open []flying
	answer := func() { // those whose time has come, one after the other
		slices.SortFunc(open, func(a, b flying) int { return a.answered.Compare(b.answered) })
		for len(open) > 0 && !open[0].answered.After(now) {
			l.(Observer).Observe(open[0].answered, open[0].taken)
			open = open[1:]
		}
	}
	for range n {
		r := &Request{Cost: 1 + rng.IntN(maxCost)}
		for {
			answer()
			a := l.Ask(now, r)
			if a.goes(now) {
				break
			}
			now = a.At
			if len(open) > 0 && open[0].answered.Before(now) {
				now = open[0].answered
			}
		}
		if rng.IntN(10) == 0 { // somebody gives up
			l.Take(now, r)
			l.(Canceler).Return(now, r)
			a := l.Ask(now, r)
			if !a.goes(now) {
				panic("what was returned is not there")
			}
		}
		l.Take(now, r)
		t := way()
		open = append(open, flying{now, now.Add(t.there), now.Add(t.there + t.back)})
		for range r.cost() {
			arrivals = append(arrivals, now.Add(t.there))
		}
		if pause > 0 && rng.IntN(3) == 0 {
			now = now.Add(time.Duration(rng.Int64N(int64(pause))))
		}
	}
	slices.SortFunc(arrivals, time.Time.Compare)
	return arrivals
}

func TestSmoothIsExactAtTheServer(t *testing.T) {
	const rounding = 10 * time.Nanosecond
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		n, burst := 1+rng.IntN(50), 1+rng.IntN(12)
		jitter := time.Duration(1 + rng.Int64N(int64(300*ms)))
		base := time.Duration(rng.Int64N(int64(300 * ms)))
		q := PerSecond(n).TokenBucket(burst)
		if seed%2 == 0 {
			q = q.Slack(jitter)
		}
		l, err := q.Limit()
		require.NoError(t, err)
		arrivals := drive(l, rng, 500, min(burst, 3), time.Duration(rng.Int64N(int64(2*sec))), func() trip {
			return trip{base + time.Duration(rng.Int64N(int64(jitter))), base + time.Duration(rng.Int64N(int64(jitter)))}
		})
		server := ratemodel.NewBucket(burst, n, time.Second)
		for i, at := range arrivals {
			next := server.Next(at)
			require.LessOrEqual(t, next.Sub(at), rounding, "seed %d: %d of %v, burst %d", seed, i, q, burst)
			server.Admit(next)
		}
	}
}

// Many are on the way at once, and the burst is just what their spread needs: the rate must be reached.
func TestALongWayDoesNotSlowABucketDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := func() ratemodel.Model { return ratemodel.NewBucket(12, 100, time.Second) }
		l := newLine(t, WithRule(Rule{Limits: []Quota{PerSecond(100).TokenBucket(12)}}))
		start := time.Now()
		until := start.Add(2 * time.Minute)
		s := newServer(1, model)
		s.until = until
		s.way = func(rng *rand.Rand, _ time.Time) trip {
			return trip{between(rng, 500*ms, 540*ms), between(rng, 500*ms, 540*ms)}
		}
		s.load(t.Context(), l, Request{Key: "k"}, 500, until).Wait()
		best := ratemodel.Greedy(model(), start, until, 0)
		t.Logf("refused %d, used %.1f %%", s.refused, 100*float64(s.admitted)/float64(best))
		assert.Zero(t, s.refused)
		assert.GreaterOrEqual(t, float64(s.admitted), .93*float64(best))
	})
}

// A smooth quota whose rate and burst together are the limit of a counter that weighs two windows is
// never refused by it, wherever its windows begin. And no client that does not know where that is, and
// is never refused, can have more than the limit times the length of the run, once that is a window.
func TestASmoothQuotaSuitsAWeighedCounter(t *testing.T) {
	for _, limit := range []int{60, 300, 1000} {
		for seed := range max(seeds(), 5) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 5))
				start := time.Now()
				until := start.Add(10 * time.Minute)
				s := newServer(seed, func() ratemodel.Model {
					m := ratemodel.NewSlidingCounter(limit, time.Minute)
					m.Origin = start.Add(time.Duration(rng.Int64N(int64(time.Minute))))
					return m
				})
				s.until = until
				burst := 1 + (limit*100+59_999)/60_000 // more than comes in 100 ms
				l := newLine(t, WithRule(Rule{Limits: []Quota{PerMinute(limit - burst).TokenBucket(burst)}}))
				s.load(t.Context(), l, Request{Key: "k"}, 20, until).Wait()
				bound := 10 * limit
				t.Logf("limit %d, burst %d, seed %d: refused %d, admitted %d, %.1f %% of %d", limit, burst, seed,
					s.refused, s.admitted, 100*float64(s.admitted)/float64(bound), bound)
				assert.Zero(t, s.refused)
				assert.GreaterOrEqual(t, s.admitted, 10*(limit-burst)*995/1000)
				assert.LessOrEqual(t, s.admitted, bound)
			})
		}
	}
}

func TestASmoothQuotaAllocatesNothingForAPass(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, q := range []Quota{PerSecond(1000).TokenBucket(1), PerSecond(1000).TokenBucket(100), PerSecond(1), PerSecond(5000)} {
		l, err := q.Limit()
		require.NoError(t, err)
		now, r := time.Now(), &Request{}
		n := testing.AllocsPerRun(1000, func() {
			for {
				a := l.Ask(now, r)
				if a.goes(now) {
					break
				}
				now = a.At
			}
			l.Take(now, r)
			now = now.Add(ms)
			l.(Observer).Observe(now, now.Add(-ms))
		})
		assert.Zero(t, n, q)
	}
}
