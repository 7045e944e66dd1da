package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Where some responses are slow in the making, requests travel as before: as much of a quota is used as
// by clients that try all the time, and hardly any is refused.
func TestSlowResponses(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for _, m := range []struct {
		name  string
		model func() ratemodel.Model
		share float64 // of what those clients are served
		trial int     // so many may be refused in trials of whether it is worth to wait
	}{
		{"10 a second", func() ratemodel.Model { return ratemodel.NewFixed(10, time.Second) }, .55, 0},
		{"50 in 10 s", func() ratemodel.Model { return ratemodel.NewFixed(50, 10*time.Second) }, .95, 0},
		{"300 a minute, rolling", rolling(300), .95, 0},
		{"300 a minute", minutes(300), .95, 0},
		{"bucket of 20, 5 a second", func() ratemodel.Model { return ratemodel.NewBucket(20, 300, time.Minute) }, .92, 2500}, // a client that does not wait is refused 25,000
	} {
		for _, slow := range []struct {
			share   float64
			service [2]time.Duration
		}{
			{.02, [2]time.Duration{2 * time.Second, 4 * time.Second}},
			{.1, [2]time.Duration{5 * time.Second, 10 * time.Second}},
			{.05, [2]time.Duration{20 * time.Second, 40 * time.Second}},
			{.3, [2]time.Duration{time.Second, 3 * time.Second}},
		} {
			for seed := range uint64(1) {
				s := simulation{model: m.model, announce: epochSeconds, callers: 40, service: slow.service, slow: slow.share, start: into,
					length: 6*time.Minute - into, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 80 * time.Millisecond, seed: seed}
				got := s.run()
				s.bare = true
				plain := s.run()
				part := float64(got.admitted) / float64(plain.admitted)
				t.Logf("%s, %v of %.0f %%: %.3f of %d, refused %d", m.name, slow.service, 100*slow.share, part, plain.admitted, got.refused)
				assert.GreaterOrEqual(t, part, m.share, "%s, %v of %.0f %%", m.name, slow.service, 100*slow.share)
				assert.LessOrEqual(t, got.refused, 4+m.trial, "%s, %v of %.0f %%", m.name, slow.service, 100*slow.share)
			}
		}
	}
}
