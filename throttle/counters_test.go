package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// What a sliding counter regains while the last window fades is used from the second window on: in the first five
// windows nearly all of what it admits.
func TestSlidingCountersAreUsedAtOnce(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const worlds = 150
	sum, sent, refused := 0.0, 0, 0
	for seed := range uint64(worlds) {
		rng := rand.New(rand.NewPCG(seed, 27))
		length := []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}[rng.IntN(4)]
		limit := 20 + rng.IntN(600)
		least := time.Duration(5+rng.IntN(100)) * time.Millisecond
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
