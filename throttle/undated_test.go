package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Where no response has a Date, the clock by which a reset is told may be any. Most of a limit is used
// all the same, and an honest reset is soon believed.
func TestResetsByAnUnknownClock(t *testing.T) {
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		ahead   time.Duration
		used    float64
		refused int
	}{
		"right":              {func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) }, 0, .94, 8},
		"two minutes ahead":  {func() ratemodel.Model { return ratemodel.NewFixed(41, 10*time.Second) }, 2 * time.Minute, .7, 300},
		"ahead, and rolling": {func() ratemodel.Model { return ratemodel.NewSlidingLog(41, 10*time.Second) }, 2 * time.Minute, .3, 300},
		"an hour ahead":      {func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) }, time.Hour, .7, 200},
		"two minutes behind": {func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) }, -2 * time.Minute, .7, 200},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := simulation{
					model: c.model, announce: announcement{epoch: true, step: time.Second, rounding: 1, offset: c.ahead}, callers: 2,
					start: 17300 * time.Millisecond, length: 10 * time.Minute, policy: DefaultPolicy(), seed: seed,
					fastest: 80 * time.Millisecond, slowest: 160 * time.Millisecond,
				}
				o := s.run()
				t.Log(o)
				assert.Greater(t, o.used(), c.used)
				assert.LessOrEqual(t, o.refused, c.refused)
			}
		})
	}
}
