package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWeighedSteps(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	// A burst may be all of a window that ends just now, or of one that began just now.
	runSteps(t, Per(4, 8*sec).SlidingCounter().Slack(0), start, []step{
		{0, 4, 0}, {0, 1, 8 * sec}, {8 * sec, 1, 10 * sec}, {10 * sec, 1, 10 * sec}, {10 * sec, 1, 12 * sec},
		{10 * sec, 2, 14 * sec}, {16 * sec, 3, 16 * sec},
	})
	// Until it is answered, a request may arrive that much later.
	runSteps(t, Per(4, 8*sec).SlidingCounter().Slack(sec), start, []step{
		{0, 4, 0}, {9 * sec, 1, 10 * sec}, {10 * sec, 1, 11 * sec}, {11 * sec, 1, 11 * sec},
	})
	runSteps(t, Per(1, 8*sec).SlidingCounter().Slack(0), start, []step{
		{0, 1, 0}, {sec, 1, 9 * sec}, {9 * sec, 1, 16 * sec}, {16 * sec, 1, 16 * sec},
	})
}

// slowCounter counts as a server does whose windows begin at the worst time, by trying all.
type slowCounter struct {
	n, per int
	sent   []int // seconds
}

func (c slowCounter) admits(now, cost int) bool {
	for begins := now - c.per + 1; begins <= now; begins++ {
		this, last := cost, 0
		for _, at := range c.sent {
			switch {
			case at >= begins:
				this++
			case at >= begins-c.per:
				last++
			}
		}
		if last*(c.per-now+begins)+this*c.per > c.n*c.per {
			return false
		}
	}
	return true
}

// A weighed quota lets go what any such server lets pass, and all of that.
func TestAWeighedQuotaIsExact(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * sec) }
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		c := slowCounter{n: 1 + rng.IntN(12), per: 2 + rng.IntN(20)}
		l, err := Per(c.n, time.Duration(c.per)*sec).SlidingCounter().Slack(0).Limiter()
		require.NoError(t, err)
		refused := 0
		for now, i := 0, 0; i < 200; i++ {
			cost := 1
			if rng.IntN(4) == 0 {
				cost += rng.IntN(c.n)
			}
			r := Demand{Requests: cost}
			a := l.Ask(at(now), r)
			require.Equal(t, c.admits(now, cost), a.Admits(at(now)), "seed %d, %+v, at %d, cost %d", seed, c, now, cost)
			if a.Admits(at(now)) {
				l.Take(at(now), r)
				l.Done(at(now), at(now), r)
				for range cost {
					c.sent = append(c.sent, now)
				}
				now += rng.IntN(3)
				continue
			}
			refused++
			for ; at(now).Before(a.At); now++ { // not a second too late
				require.False(t, c.admits(now, cost), "seed %d, %+v, at %d, cost %d, told %v", seed, c, now, cost, a.At.Sub(start))
			}
		}
		require.Positive(t, refused)
	}
}

// BenchmarkWeighed is a pass where some hundred requests have to be looked at.
func BenchmarkWeighed(b *testing.B) {
	for name, n := range map[string]int{"300": 300, "100000": 100_000} {
		b.Run(name, func(b *testing.B) {
			l, err := PerMinute(n).SlidingCounter().Slack(0).Limiter()
			require.NoError(b, err)
			now := time.Now()
			step := time.Minute / time.Duration(n)
			r := Demand{}
			for range 3 * n {
				l.Take(now, r)
				l.Done(now, now, r)
				now = now.Add(step * 101 / 100)
				l.Ask(now, r)
			}
			b.ReportAllocs()
			for b.Loop() {
				l.Ask(now, r)
			}
		})
	}
}
