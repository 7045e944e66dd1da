package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// A limit that only refusals tell of is followed like one that is not told at all.
func TestOnlyRefusalsTell(t *testing.T) {
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		callers  int
		service  time.Duration
		announce announcement
	}{
		"20 a second, 5 callers": {func() ratemodel.Model { return ratemodel.NewFixed(20, time.Second) }, 5, 0, announcement{step: time.Second, rounding: 1}},
		"20 a second, responses of half a second": {
			func() ratemodel.Model { return ratemodel.NewFixed(20, time.Second) }, 20, 400 * time.Millisecond, announcement{epoch: true, step: time.Second, rounding: 1},
		},
		"5 a second":               {func() ratemodel.Model { return ratemodel.NewFixed(5, time.Second) }, 5, 0, announcement{step: time.Second, rounding: 1}},
		"100 in 10 s, rolling":     {func() ratemodel.Model { return ratemodel.NewSlidingLog(100, 10*time.Second) }, 5, 0, announcement{step: time.Second, rounding: 1}},
		"60 a minute":              {minutes(60), 5, 0, announcement{epoch: true, step: time.Second, rounding: 1}},
		"bucket of 20, 5 a second": {func() ratemodel.Model { return ratemodel.NewBucket(20, 300, time.Minute) }, 5, 0, announcement{step: time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				a := c.announce
				a.refusals, a.wait, a.date = true, true, true
				s := simulation{model: c.model, announce: a, callers: c.callers, service: [2]time.Duration{c.service, c.service * 3 / 2}, start: into,
					length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 60 * time.Millisecond, seed: seed}
				got := s.run()
				s.bare = true
				plain := s.run()
				t.Log(got, "plain:", plain)
				assert.Greater(t, float64(got.admitted), .93*float64(plain.admitted))
				assert.Less(t, got.refused, plain.refused/2+20)
				assert.False(t, got.stuck)
			}
		})
	}
}

// So is one of which the first response of all told, which was a refusal.
func TestARefusalToldFirst(t *testing.T) {
	s := newScript(t, plain())
	cold := minute(60, 0, 1.5)
	cold.Refused = true
	s.hears(.1, s.goes(0), cold)
	require.Len(t, s.k.Status(at(.2)).Windows, 1)
	s.hears(3.1, s.take(3), header.Reading{})
	assert.Empty(t, s.k.Status(at(3.2)).Windows)
	for range 10 {
		s.hears(3.3, s.goes(3.2), header.Reading{})
	}
}
