package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Rolling windows of a few seconds whose resets come in whole seconds, and whose length is not told, serve about as much
// as to a client that only retries, at hardly any refusals.
func TestShortRollingWindowsInWholeSeconds(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for name, c := range map[string]struct {
		limit  int
		length time.Duration
		epoch  bool
		round  int
	}{
		"10 in a second, a moment, up":    {10, time.Second, true, 1},
		"50 in a second, a moment, up":    {50, time.Second, true, 1},
		"20 in two seconds, a moment, up": {20, 2 * time.Second, true, 1},
		"20 in two seconds, a delay, up":  {20, 2 * time.Second, false, 1},
		"23 in ten seconds, a moment, up": {23, 10 * time.Second, true, 1},
		"100 in ten seconds, a delay, up": {100, 10 * time.Second, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			share, refused := 0., 0
			for seed := range uint64(3) {
				s := simulation{announce: announcement{epoch: c.epoch, step: time.Second, rounding: c.round, wait: true, date: true}, callers: 20,
					start: 17300 * time.Millisecond, length: 3 * time.Minute, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, seed: seed,
					model: func() ratemodel.Model { return ratemodel.NewSlidingLog(c.limit, c.length) }}
				ours := s.run()
				s.bare = true
				share += float64(ours.admitted) / float64(s.run().admitted) / 3
				refused += ours.refused
			}
			t.Logf("%.2f, %d refused", share, refused)
			assert.Greater(t, share, .88)
			assert.Less(t, refused, 200)
		})
	}
}
