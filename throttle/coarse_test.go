package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A reset that is told to the minute is most likely meant to the second: every window is used, and none is
// probed in vain.
func TestResetsToTheMinute(t *testing.T) {
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
		used     float64
		refused  int
	}{
		"windows of a minute": {func() ratemodel.Model { return ratemodel.NewFixed(100, time.Minute) },
			announcement{epoch: true, step: time.Minute, rounding: -1, date: true}, .99, 0},
		"windows of an hour": {func() ratemodel.Model { return ratemodel.NewFixed(500, time.Hour) },
			announcement{epoch: true, step: time.Minute, rounding: -1, date: true}, .99, 0},
		"windows of ten seconds, Retry-After": {func() ratemodel.Model { return ratemodel.NewFixed(30, 10*time.Second) },
			announcement{epoch: true, step: time.Minute, rounding: -1, date: true, wait: true}, .97, 2000 / 30},
		"minutes left, rounded down": {func() ratemodel.Model { return ratemodel.NewFixed(300, 5*time.Minute) },
			announcement{step: time.Minute, rounding: -1, date: true}, .6, 2},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: c.announce, callers: 20, start: 17300 * time.Millisecond, length: max(10*time.Minute, 12*time.Second*time.Duration(c.model().Windows(nil, time.Now())[0].Limit)),
					policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, seed: seed, model: c.model}
				got := s.run()
				t.Log(seed, got)
				assert.Greater(t, got.used(), c.used)
				assert.LessOrEqual(t, got.refused, c.refused)
			}
		})
	}
}
