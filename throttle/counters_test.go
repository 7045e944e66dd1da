package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// drawCounter draws the length of a sliding counter's windows, a limit from 20 on, of so many, and the shortest trip in one
// direction, in milliseconds from 5 on, of so many.
func drawCounter(rng *rand.Rand, limits, trips int) (length time.Duration, limit int, least time.Duration) {
	length = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}[rng.IntN(4)]
	limit = 20 + rng.IntN(limits)
	return length, limit, time.Duration(5+rng.IntN(trips)) * time.Millisecond
}

// What a sliding counter regains while the last window fades is used from the second window on: in the first five
// windows nearly all of what it admits.
func TestSlidingCountersAreUsedAtOnce(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const worlds = 150
	sum, sent, refused := 0.0, 0, 0
	for seed := range uint64(worlds) {
		rng := rand.New(rand.NewPCG(seed, 27))
		length, limit, least := drawCounter(rng, 600, 100)
		s := simulation{
			model:    func() ratemodel.Model { return ratemodel.NewSlidingCounter(limit, length) },
			announce: announcement{step: time.Second, rounding: rng.IntN(3) - 1, epoch: rng.IntN(2) == 0, lengths: rng.IntN(3) == 0, wait: rng.IntN(2) == 0, date: true},
			// They would send one and a half times what is admitted, at least.
			callers: 1 + int(1.5*float64(limit)*float64(2*least+30*time.Millisecond)/float64(length)) + rng.IntN(5), policy: DefaultPolicy(),
			fastest: least, slowest: least + 30*time.Millisecond, start: time.Duration(rng.Int64N(int64(length))), length: 5 * length, seed: seed,
		}
		got := s.run()
		if sum, sent, refused = sum+got.used(), sent+got.sent, refused+got.refused; got.used() < .8 {
			t.Logf("seed %d, %d in %v, %d callers, %+v: %v", seed, limit, length, s.callers, s.announce, got)
		}
	}
	t.Logf("used %.3f on average; refused %d of %d", sum/worlds, refused, sent)
	assert.GreaterOrEqual(t, sum/worlds, .95)
	assert.LessOrEqual(t, refused, sent/10000)
}

// A lateCounter is a sliding counter that bids refused requests come back when its next window begins, although it
// regains something all the time.
type lateCounter struct{ *ratemodel.SlidingCounter }

func (c lateCounter) Next(now time.Time) time.Time {
	if next := c.SlidingCounter.Next(now); !next.After(now) {
		return next
	}
	return c.Windows(nil, now)[0].Reset
}

// Of a sliding counter that announces nothing, and names the end of the window when it refuses, a program gets more on
// average than one that only retries, which comes back when the window before counts in full.
func TestSilentCountersBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const worlds = 40
	sum := 0.0
	for seed := range uint64(worlds) {
		rng := rand.New(rand.NewPCG(seed, 28))
		length, limit, least := drawCounter(rng, 200, 60)
		s := simulation{
			model:    func() ratemodel.Model { return lateCounter{ratemodel.NewSlidingCounter(limit, length)} },
			announce: announcement{mute: true, wait: true, date: true},
			callers:  1 + rng.IntN(20), policy: DefaultPolicy(), fastest: least, slowest: least + 30*time.Millisecond,
			start: time.Duration(rng.Int64N(int64(length))), length: 12 * length, seed: seed,
		}
		ours := s.run()
		s.bare = true
		plain := s.run()
		ratio := float64(ours.admitted) / float64(plain.admitted)
		sum += ratio
		assert.GreaterOrEqual(t, ratio, .6, "seed %d, %d in %v, %d callers, start %v: %v; plain %v", seed, limit, length, s.callers, s.start, ours, plain)
		assert.LessOrEqual(t, ours.refused, max(plain.refused, s.callers+12), "seed %d", seed)
	}
	t.Logf("%.2f on average", sum/worlds)
	assert.GreaterOrEqual(t, sum/worlds, 1.05)
}

// Sliding counters of a few seconds, of which resets come in whole seconds, serve about as much as to a client that only
// retries, and hardly a request is refused, also where the computer is late: when their windows begin is learned from the resets.
func TestShortCountersBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const worlds = 60
	sum, sent, refused, low := 0.0, 0, 0, 0
	for seed := range uint64(worlds) {
		rng := rand.New(rand.NewPCG(seed, 29))
		length := []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second}[rng.IntN(3)]
		limit, least := 5+rng.IntN(16), time.Duration(5+rng.IntN(60))*time.Millisecond
		origin := time.Unix(0, 0).Add(time.Duration(rng.IntN(2)) * time.Duration(rng.Int64N(int64(time.Second))))
		s := simulation{
			model: func() ratemodel.Model {
				m := ratemodel.NewSlidingCounter(limit, length)
				m.Origin = origin
				return m
			},
			announce: announcement{step: time.Second, rounding: rng.IntN(3) - 1, epoch: rng.IntN(2) == 0, lengths: rng.IntN(3) == 0, wait: rng.IntN(2) == 0, date: true},
			callers:  1 + rng.IntN(20), policy: DefaultPolicy(), fastest: least, slowest: least + least/2,
			start: time.Duration(rng.Int64N(int64(time.Minute))), length: 3*time.Minute + 18*length, seed: seed,
			late: latenesses[seed%uint64(len(latenesses))],
		}
		got := s.run()
		s.bare = true
		share := float64(got.admitted) / float64(s.run().admitted)
		if sum, sent, refused = sum+min(share, 1.1), sent+got.sent, refused+got.refused; share < .85 {
			low++
			t.Logf("seed %d, %d in %v, %d callers, trips from %v, origin %v, %+v: %.2f, %v", seed, limit, length, s.callers, least, origin, s.announce, share, got)
		}
	}
	t.Logf("%.3f on average, %d below .85; refused %d of %d", sum/worlds, low, refused, sent)
	assert.GreaterOrEqual(t, sum/worlds, .94)
	assert.LessOrEqual(t, low, worlds/10)
	assert.LessOrEqual(t, refused, sent/200)
}
