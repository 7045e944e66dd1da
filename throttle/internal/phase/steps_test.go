package phase

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A teller tells resets in steps of a second.
type teller struct {
	rng      *rand.Rand
	length   clock.Instant
	origin   clock.Instant // when a window begins
	offset   clock.Instant // of the server's clock
	rounding int8
	moment   bool // as moments
	told     clock.Instant
	rolls    bool // the reset is when the oldest request leaves
	sent     []clock.Instant
}

// ends returns when the window ends that is open at the given time.
func (t *teller) ends(at clock.Instant) clock.Instant {
	if t.rolls {
		for len(t.sent) > 0 && t.sent[0]+t.length <= at {
			t.sent = t.sent[1:]
		}
		t.sent = append(t.sent, at)
		return t.sent[0] + t.length
	}
	return t.origin + (floor(at-t.origin, t.length)+1)*t.length
}

func (t *teller) round(at clock.Instant) clock.Instant {
	switch {
	case t.rounding < 0:
		return floor(at, clock.Second) * clock.Second
	case t.rounding > 0:
		return ceil(at, clock.Second) * clock.Second
	}
	return floor(at+clock.Second/2, clock.Second) * clock.Second
}

// observe sends a request at now, and returns when its window ends, as is told and as it is.
func (t *teller) observe(p *Steps, now clock.Instant) (told clock.Interval, ends clock.Instant) {
	at := now + 10*clock.Millisecond + clock.Instant(t.rng.Int64N(int64(40*clock.Millisecond)))
	received := at + 10*clock.Millisecond + clock.Instant(t.rng.Int64N(int64(40*clock.Millisecond)))
	ends = t.ends(at)
	r := Response{Sample: Sample{Sent: now, Received: received}, Step: clock.Second, Told: t.told}
	if t.moment {
		r.Moment = t.round(ends+t.offset) + 1000*clock.Second
		said := r.Moment - 1000*clock.Second - t.offset
		told = clock.Between(said-clock.Second, said+clock.Second)
	} else {
		in := t.round(ends - at)
		told = clock.Between(now+in-clock.Second, received+in+clock.Second)
	}
	return p.Observe(told, &r), ends
}

func drawTeller(seed uint64) *teller {
	rng := rand.New(rand.NewPCG(seed, 3))
	t := &teller{
		rng: rng, length: []clock.Instant{2, 5, 10}[rng.IntN(3)] * clock.Second, origin: clock.Instant(rng.Int64N(int64(clock.Second))),
		offset: clock.Instant(rng.Int64N(int64(60 * clock.Second))), rounding: int8(rng.IntN(3) - 1), moment: rng.IntN(2) == 0,
	}
	if rng.IntN(3) == 0 {
		t.told = t.length
	}
	return t
}

// Whatever the windows, and however resets are rounded, the end of a window is never left out, and soon known to a part of
// what a single reset tells.
func TestStepsNeverLeaveOutTheEnd(t *testing.T) {
	narrow := 0
	const draws = 300
	for seed := range uint64(draws) {
		teller, p := drawTeller(seed), Steps{}
		var last clock.Interval
		now := clock.Second
		for range 400 {
			now += clock.Instant(teller.rng.Int64N(int64(teller.length / 3)))
			told, ends := teller.observe(&p, now)
			if last = told; told.Earliest > ends+1 || told.Latest < ends-1 {
				t.Fatalf("seed %d, %+v: the window ends at %v, not from %v to %v", seed, teller, ends, told.Earliest, told.Latest)
			}
		}
		assert.Equal(t, teller.length, p.Settled(), "seed %d, %+v", seed, teller)
		if last.Width() < clock.Second/2 {
			narrow++
		}
	}
	t.Logf("%d of %d are narrow", narrow, draws)
	assert.Greater(t, narrow, draws*3/4)
}

// The resets of a log of requests are soon known to be no ends of windows that follow each other.
func TestStepsAreNoLog(t *testing.T) {
	settled, all := 0, 0
	for seed := range uint64(100) {
		teller, p := drawTeller(seed), Steps{}
		teller.rolls = true
		now := clock.Second
		for range 400 {
			now += clock.Instant(teller.rng.Int64N(int64(teller.length / 3)))
			if p.Plausible(teller.told, clock.Second) {
				teller.observe(&p, now)
			}
			if all++; p.Settled() > 0 {
				settled++
			}
		}
		assert.Zero(t, p.Settled(), "seed %d, %+v", seed, teller)
	}
	t.Logf("settled after %d of %d responses", settled, all)
	assert.Less(t, settled, all/100)
}

// A request that is to tell when windows begin, and comes a little late, does not wait for the next window: computers are late
// every time.
func TestStepsMayBeTestedLate(t *testing.T) {
	p := Steps{begun: true, step: clock.Second, guesses: []parts{{length: 2 * clock.Second, open: ^uint64(0)}}, test: clock.Second / 2}
	at := p.Test(10 * clock.Second)
	assert.Equal(t, 10*clock.Second+clock.Second/2, at)
	for late := clock.Instant(0); late < clock.Second/5; late += clock.Second / 50 {
		assert.Equal(t, at, p.Test(at+late), late)
	}
	assert.Equal(t, at+2*clock.Second, p.Test(at+clock.Second))
}
