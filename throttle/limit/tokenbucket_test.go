package limit

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// flying is a request that was sent and not answered.
type flying struct {
	taken, arrives, answered time.Time
	r                        Demand
}

// drive sends n requests through a limit as early as it allows, or somewhat later, over a network in
// which they overlap and overtake each other, and returns when each arrived.
func drive(l Limiter, rng *rand.Rand, n, maxCost int, pause time.Duration, way func() trip) (arrivals []time.Time) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var open []flying
	answer := func() { // those whose time has come, one after the other
		slices.SortFunc(open, func(a, b flying) int { return a.answered.Compare(b.answered) })
		for len(open) > 0 && !open[0].answered.After(now) {
			l.Done(open[0].answered, open[0].taken, open[0].r)
			open = open[1:]
		}
	}
	for range n {
		r := Demand{Requests: 1 + rng.IntN(maxCost)}
		for {
			answer()
			a := l.Ask(now, r)
			if a.Admits(now) {
				break
			}
			now = a.At
			if len(open) > 0 && open[0].answered.Before(now) {
				now = open[0].answered
			}
		}
		if rng.IntN(10) == 0 { // somebody gives up
			l.Take(now, r)
			l.Cancel(now, r)
			a := l.Ask(now, r)
			if !a.Admits(now) {
				panic("what was returned is not there")
			}
		}
		l.Take(now, r)
		t := way()
		open = append(open, flying{now, now.Add(t.there), now.Add(t.there + t.back), r})
		for range r.Count() {
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
		l, err := q.Limiter()
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

func TestASmoothQuotaAllocatesNothingForAPass(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	for _, q := range []Quota{PerSecond(1000).TokenBucket(1), PerSecond(1000).TokenBucket(100), PerSecond(1), PerSecond(5000)} {
		l, err := q.Limiter()
		require.NoError(t, err)
		now, r := time.Now(), Demand{}
		n := testing.AllocsPerRun(1000, func() {
			for {
				a := l.Ask(now, r)
				if a.Admits(now) {
					break
				}
				now = a.At
			}
			l.Take(now, r)
			now = now.Add(ms)
			l.Done(now, now.Add(-ms), r)
		})
		assert.Zero(t, n, q)
	}
}
