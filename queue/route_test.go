package queue

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A way that becomes shorter brings the next request nearer to the one before than anything seen could
// tell. That may cost refusals then, and none later.
func TestRoutesChange(t *testing.T) {
	const half = 10 * time.Minute
	scaled := func(by float64) func(*rand.Rand) trip {
		return func(rng *rand.Rand) trip {
			x := evenly(rng, time.Time{})
			return trip{time.Duration(by * float64(x.there)), time.Duration(by * float64(x.back))}
		}
	}
	steady := func(base time.Duration) func(*rand.Rand) trip {
		return func(rng *rand.Rand) trip { return trip{base + between(rng, 0, 10*ms), base + between(rng, 0, 10*ms)} }
	}
	for _, c := range []struct {
		name          string
		before, after func(*rand.Rand) trip
		gradual       bool
		most          int // refused in any run
	}{
		{name: "half as long", before: scaled(1), after: scaled(.5), most: 2},
		{name: "twice as long", before: scaled(1), after: scaled(2)},
		{name: "half as long, little jitter", before: steady(100 * ms), after: steady(50 * ms), most: 2},
		{name: "twice as long, little jitter", before: steady(50 * ms), after: steady(100 * ms)},
		{name: "half as long, by and by", before: scaled(1), after: scaled(.5), gradual: true},
		{name: "twice as long, by and by", before: scaled(.5), after: scaled(1), gradual: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused, admitted, all, most := 0, 0, 0, 0
			for seed := range seeds() {
				synctest.Test(t, func(t *testing.T) {
					model := func() ratemodel.Model { return ratemodel.NewBucket(1, 120, time.Minute) }
					l := newLine(t, WithRule(Rule{Limits: []Quota{PerMinute(120).TokenBucket(1)}}))
					start := time.Now()
					until := start.Add(2 * half)
					s := newServer(seed, model)
					s.until = until
					s.way = func(rng *rand.Rand, at time.Time) trip {
						gone := at.Sub(start)
						switch {
						case c.gradual:
							a, b, f := c.before(rng), c.after(rng), min(1, float64(gone)/float64(2*half))
							return trip{a.there + time.Duration(f*float64(b.there-a.there)), a.back + time.Duration(f*float64(b.back-a.back))}
						case gone < half:
							return c.before(rng)
						}
						return c.after(rng)
					}
					var atStep int
					time.AfterFunc(half-time.Second, func() { assert.True(t, c.gradual || s.refusals() == 0, "before the step") })
					time.AfterFunc(half+time.Minute, func() { atStep = s.refusals() })
					s.load(t.Context(), l, Request{Key: "k"}, 20, until).Wait()
					assert.True(t, c.gradual || atStep == s.refused, "refused later than a minute after the step")
					refused, admitted, most = refused+s.refused, admitted+s.admitted, max(most, s.refused)
					all += ratemodel.Greedy(model(), start, until, 0)
				})
			}
			t.Logf("%d runs: refused %d, at most %d in one, used %.1f %%", seeds(), refused, most, 100*float64(admitted)/float64(all))
			assert.LessOrEqual(t, most, c.most)
		})
	}
}
