package refusals

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// hears plays requests, a tenth of a second apart, that are refused with such a chance.
func (v verdict) hears(seed uint64, chance float64) finding {
	rng := rand.New(rand.NewPCG(seed, 3))
	for n := int64(1); n < 10_000; n++ {
		if f := v.observe(&Request{Number: n, Cost: 1, At: clock.Instant(n) * clock.Second / 10}, rng.Float64() < chance); f != undecided {
			return f
		}
	}
	return undecided
}

// The same share refused of more requests is no limit's; the share that a limit would
// refuse is.
func TestVerdict(t *testing.T) {
	for _, share := range []float64{.05, .2, .35, .5} {
		wrong := 0
		for seed := range uint64(200) {
			if newVerdict(share, true).hears(seed, share) != noLimit {
				wrong++
			}
			if newVerdict(share, true).hears(seed, 1-(1-share)/doubtTries) != aLimit {
				wrong++
			}
		}
		assert.LessOrEqual(t, wrong, 20, "of 400 at %v", share)
	}
	assert.Equal(t, aLimit, newVerdict(.2, false).hears(1, 1), "a window that is used up")
}

// A window of a second that opens between two refusals proves nothing yet.
func TestVerdictWaitsOutAShortWindow(t *testing.T) {
	v := newVerdict(.05, true)
	assert.Equal(t, undecided, v.observe(&Request{Number: 1, Cost: 1}, true))
	for n := int64(2); n < 12; n++ {
		assert.Equal(t, undecided, v.observe(&Request{Number: n, Cost: 1, At: clock.Instant(n) * clock.Second / 10}, false))
	}
}
