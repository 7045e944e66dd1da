package queue

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

var seedsFlag = flag.Uint64("seeds", 3, "how often to repeat what depends on chance")

func seeds() uint64 {
	if testing.Short() || chance.Raced {
		return 1
	}
	return *seedsFlag
}

// unlessRaced is 1, or 0 under the race detector.
func unlessRaced() uint64 {
	if chance.Raced {
		return 0
	}
	return 1
}

// bestSound is how many of n per length a client could have had admitted from start until the end that
// makes the same trips, knows the least and the most that a round trip takes, but not how much of it is
// on which way, and is never refused; see docs/queue.md for the proof.
func bestSound(n int, per time.Duration, trips []trip, start, until time.Time) (admitted int) {
	low, high := time.Duration(math.MaxInt64), time.Duration(0)
	for _, t := range trips {
		low, high = min(low, t.there+t.back), max(high, t.there+t.back)
	}
	at := start
	var left []time.Time // when each is known to count no more, sorted, the last n
	for _, t := range trips {
		if len(left) == n {
			if left[0].After(at) {
				at = left[0]
			}
			left = left[1:]
		}
		if !at.Before(until) {
			return admitted
		}
		if at.Add(t.there).Before(until) {
			admitted++
		}
		answered := at.Add(t.there + t.back)
		gone := at.Add(high - low + per)
		if gone.After(answered) {
			gone = answered.Add(max(0, per-low))
		}
		i, _ := slices.BinarySearchFunc(left, gone, time.Time.Compare)
		left = slices.Insert(left, i, gone)
	}
	panic("it could have made more trips")
}

// networks are ways to a server and back.
var networks = []struct {
	name string
	way  func(rng *rand.Rand, at time.Time) trip
}{
	{"10 to 20 ms", func(rng *rand.Rand, _ time.Time) trip {
		return trip{between(rng, 5*ms, 10*ms), between(rng, 5*ms, 10*ms)}
	}},
	{"80 to 160 ms", evenly},
	{"80 to 160 ms, there only", func(rng *rand.Rand, _ time.Time) trip {
		return trip{between(rng, 40*ms, 120*ms), 40 * ms}
	}},
	{"80 to 160 ms, back only", func(rng *rand.Rand, _ time.Time) trip {
		return trip{40 * ms, between(rng, 40*ms, 120*ms)}
	}},
	{"heavy tails", func(rng *rand.Rand, _ time.Time) trip {
		tail := func() time.Duration {
			d := time.Duration(rng.ExpFloat64() * float64(10*ms))
			if rng.IntN(50) == 0 {
				d += min(2*sec, time.Duration(math.Pow(rng.Float64(), -1)*float64(20*ms)))
			}
			return 20*ms + d
		}
		return trip{tail(), tail()}
	}},
	{"lognormal", func(rng *rand.Rand, _ time.Time) trip {
		tail := func() time.Duration { return 20*ms + time.Duration(math.Exp(rng.NormFloat64()/2)*float64(15*ms)) }
		return trip{tail(), tail()}
	}},
}

const ms = time.Millisecond

// Where each gap counts, the queue must be nearly as good as any client that is never refused can be.
func TestNoSoundClientIsMuchBetter(t *testing.T) {
	bucket := func() ratemodel.Model { return ratemodel.NewBucket(1, 120, time.Minute) }
	log := func(n int, per time.Duration) func() ratemodel.Model {
		return func() ratemodel.Model { return ratemodel.NewSlidingLog(n, per) }
	}
	for _, c := range []struct {
		name   string
		quota  Quota
		server func() ratemodel.Model
		n      int
		per    time.Duration
		least  float64
	}{
		{"120 per minute, burst 1", PerMinute(120).TokenBucket(1), bucket, 1, sec / 2, .965},
		{"1 per 2 s", Every(2 * sec), log(1, 2*sec), 1, 2 * sec, .99},
		{"1 per 10 s", Every(10 * sec), log(1, 10*sec), 1, 10 * sec, .995},
		{"10 per second", PerSecond(10), log(10, sec), 10, sec, .985},
	} {
		for _, net := range networks {
			t.Run(c.name+"/"+net.name, func(t *testing.T) {
				for seed := range seeds() {
					synctest.Test(t, func(t *testing.T) {
						l := newLine(t, WithRule(Rule{Limits: []Quota{c.quota}}))
						start := time.Now()
						until := start.Add(1000 * c.per / time.Duration(min(c.n, 4)))
						s := newServer(seed, c.server)
						s.until, s.way = until, net.way
						s.load(t.Context(), l, Request{Key: "k"}, 20, until).Wait()
						admitted := s.admitted
						for range 2*admitted + 2000 { // the better client may go on
							s.trip()
						}
						best := bestSound(c.n, c.per, s.trips, start, until)
						all := ratemodel.Greedy(c.server(), start, until, 0)
						t.Logf("seed %d: refused %d, admitted %d, the best %d, one who knows all %d: %.1f %%, %.1f %%",
							seed, s.refused, admitted, best, all, 100*float64(admitted)/float64(best), 100*float64(best)/float64(all))
						assert.Zero(t, s.refused)
						assert.GreaterOrEqual(t, float64(admitted), c.least*float64(best))
						assert.LessOrEqual(t, best, all)
					})
				}
			})
		}
	}
}
