package throttle

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// hears plays requests, a tenth of a second apart, that are refused with such a chance.
func (v verdict) hears(seed uint64, chance float64) finding {
	rng := rand.New(rand.NewPCG(seed, 3))
	for n := int64(1); n < 10_000; n++ {
		if f := v.observe(&request{number: n, cost: 1, at: instant(n) * second / 10}, rng.Float64() < chance); f != undecided {
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
	assert.Equal(t, undecided, v.observe(&request{number: 1, cost: 1}, true))
	for n := int64(2); n < 12; n++ {
		assert.Equal(t, undecided, v.observe(&request{number: n, cost: 1, at: instant(n) * second / 10}, false))
	}
}
