package queue

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A server with the same limit refuses no request, wherever its windows begin, however requests overtake
// each other, and however many requests there are.
func TestAWeighedQuotaSuitsAllServers(t *testing.T) {
	for seed := range 8 * max(5*unlessRaced(), seeds()) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			limit, length := []int{1, 2, 7, 30, 120, 400}[rng.IntN(6)], []time.Duration{sec, 10 * sec, time.Minute}[rng.IntN(3)]
			start := time.Now()
			origin := start.Add(time.Duration(rng.Int64N(int64(length))))
			kind := rng.IntN(4)
			s := newServer(seed, func() ratemodel.Model {
				switch kind {
				case 0:
					m := ratemodel.NewFixed(limit, length)
					m.Origin = origin
					return m
				case 1:
					return ratemodel.NewSlidingLog(limit, length)
				}
				m := ratemodel.NewSlidingCounter(limit, length)
				m.Origin = origin
				return m
			})
			if rng.IntN(2) == 0 {
				s.way = func(rng *rand.Rand, _ time.Time) trip { // heavy tails
					return trip{time.Duration(20+rng.ExpFloat64()*60) * time.Millisecond, time.Duration(20+rng.ExpFloat64()*60) * time.Millisecond}
				}
			}
			until := start.Add(10*length + time.Duration(rng.Int64N(int64(length))))
			s.until = until
			l := newLine(t, WithRule(Rule{Limits: []Quota{Per(limit, length).SlidingCounter()}}))
			s.load(t.Context(), l, Request{Key: "k"}, 1+rng.IntN(40), until).Wait()
			assert.Zero(t, s.refused, "seed %d: kind %d, %d in %v, %d admitted", seed, kind, limit, length, s.admitted)
			assert.LessOrEqual(t, s.admitted, 11*limit)
		})
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
		for seed := range max(seeds(), 5*unlessRaced()) {
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

// The clock decides in which window of an aligned quota a request counts, so the way itself matters,
// not only by how much ways differ.
func TestAnAlignedQuotaKnowsWhatArrivesInTheNextWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Limits: []Quota{PerSecond(5).FixedWindow(nil)}}))
		until := time.Now().Add(time.Minute)
		s := newServer(1, func() ratemodel.Model { return ratemodel.NewFixed(5, sec) })
		s.until = until
		s.way = func(rng *rand.Rand, _ time.Time) trip { return trip{250 * ms, between(rng, 250*ms, 260*ms)} }
		for time.Now().Before(until) {
			r := &Request{Key: "k"}
			p, err := l.Acquire(t.Context(), r)
			require.NoError(t, err)
			go func() {
				s.send("k", "")
				p.Release()
			}()
			time.Sleep(180 * ms)
		}
		time.Sleep(sec)
		t.Logf("refused %d, admitted %d", s.refused, s.admitted)
		assert.Zero(t, s.refused)
	})
}

// The release of a permit is enough for a key's own limit to admit the next request.
func TestAKeysOwnQuotaIsAskedWhenAnAnswerCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithKeyLimit(func(string) limit.Limiter {
			own, err := PerSecond(10).TokenBucket(1).Limiter()
			assert.NoError(t, err)
			return own
		}))
		p, err := l.Acquire(t.Context(), &Request{Key: "k"})
		require.NoError(t, err)
		next := enqueue(t.Context(), l, &Request{Key: "k"})
		pass(510 * ms)
		require.False(t, next.done())
		p.Release() // the next look without news would be at 759 ms
		pass(100 * ms)
		assert.Equal(t, 610*ms, next.get(t).took)
	})
}
