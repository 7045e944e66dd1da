package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// In three minutes, windows of seconds serve about as much as to a client that knows of no limits, and comes back
// when a refusal says, although responses tell in whole seconds when they open, or seem to.
func TestWindowsOfSecondsBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	delay := announcement{step: time.Second, rounding: 1, wait: true, date: true}
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
		callers  int
		trips    [2]time.Duration // one way
		least    float64
	}{
		"50 a second": {func() ratemodel.Model { return ratemodel.NewFixed(50, time.Second) }, delay, 20, near, .98},
		"10 a second, rolling, zeros left out": {func() ratemodel.Model { return ratemodel.NewSlidingLog(10, time.Second) },
			announcement{step: time.Millisecond, trim: true, wait: true, date: true}, 20, near, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				s := simulation{model: c.model, announce: c.announce, callers: c.callers, start: into, length: 3 * time.Minute,
					policy: DefaultPolicy(), fastest: c.trips[0], slowest: c.trips[1], seed: seed}
				ours := s.run()
				s.bare = true
				plain := s.run()
				t.Logf("%.2f: %v; plain %v", float64(ours.admitted)/float64(plain.admitted), ours, plain)
				assert.GreaterOrEqual(t, float64(ours.admitted), c.least*float64(plain.admitted))
				assert.LessOrEqual(t, ours.refused, 3+ours.sent/300, "as tests")
			}
		})
	}
}

var near = [2]time.Duration{37 * time.Millisecond, 63 * time.Millisecond}
