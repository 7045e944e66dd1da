package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Windows of a few seconds whose resets come in whole seconds are all used after a
// while, although a reset may be a second late by what it says.
func TestShortWindowsInWholeSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		limit  int
		length time.Duration
		round  int
	}{
		"10 in two seconds, up":  {10, 2 * time.Second, 1},
		"50 in five seconds, up": {50, 5 * time.Second, 1},
		"20 in two seconds, up":  {20, 2 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: announcement{epoch: true, step: time.Second, rounding: c.round, wait: true, date: true}, callers: 20,
					length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 30 * time.Millisecond, slowest: 45 * time.Millisecond, seed: seed,
					model: func() ratemodel.Model { return ratemodel.NewFixed(c.limit, c.length) }}
				got := s.run()
				t.Log(got)
				assert.Greater(t, got.used(), .75)
				assert.Less(t, got.refusals(), .001)
			}
		})
	}
}
