package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A window of a second is over when the response comes that tells of it, if a round trip takes
// 0.6 to 0.8 s. It is used all the same, at the price of a few refusals.
func TestAWindowShorterThanARoundTrip(t *testing.T) {
	for name, a := range map[string]announcement{
		"a moment": {epoch: true, step: time.Second, rounding: 1, wait: true, date: true},
		"a delay":  {step: time.Second, rounding: 1, wait: true, date: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: a, callers: 20, start: 17300 * time.Millisecond, length: 10 * time.Minute, policy: DefaultPolicy(),
					fastest: 300 * time.Millisecond, slowest: 400 * time.Millisecond, seed: seed, model: func() ratemodel.Model { return ratemodel.NewFixed(10, time.Second) }}
				got := s.run()
				t.Log(seed, got)
				assert.Greater(t, got.used(), .55)
				assert.Less(t, got.refusals(), .04)
			}
		})
	}
}

// A window of a minute is none that is too short, however slow the server is and wherever in the window
// the first responses come.
func TestAMinuteIsNotTooShort(t *testing.T) {
	for seed := range uint64(5) {
		s := simulation{announce: announcement{epoch: true, step: time.Second, rounding: 1, wait: true, date: true}, callers: 20,
			start: 58 * time.Second, length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 500 * time.Millisecond, slowest: 900 * time.Millisecond,
			seed: seed, model: func() ratemodel.Model { return ratemodel.NewFixed(100, time.Minute) }}
		got := s.run()
		t.Log(seed, got)
		assert.Greater(t, got.used(), .9)
		assert.LessOrEqual(t, got.refused, got.unknowing)
	}
}

// A server of which each response takes many windows serves as much as it would a client that sends at
// once, and refuses no more, however it tells the reset.
func TestResponsesThatTakeManyWindows(t *testing.T) {
	for name, a := range map[string]announcement{
		"a moment":        {epoch: true, step: time.Second, rounding: 1, wait: true, date: true},
		"an exact moment": {epoch: true, step: time.Millisecond, wait: true, date: true},
		"a delay":         {step: time.Second, rounding: 1, wait: true, date: true},
		"an exact delay":  {step: time.Millisecond, wait: true, date: true},
		"a length":        {step: time.Second, rounding: 1, wait: true, date: true, lengths: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulation{announce: a, callers: 300, think: 20 * time.Second, start: 17300 * time.Millisecond, length: 10 * time.Minute,
				policy: DefaultPolicy(), fastest: 20 * time.Millisecond, slowest: 40 * time.Millisecond, service: [2]time.Duration{8 * time.Second, 16 * time.Second},
				seed: 1, model: func() ratemodel.Model { return ratemodel.NewFixed(20, time.Second) }}
			got := s.run()
			s.bare = true
			plain := s.run()
			t.Log(got, "plain:", plain)
			assert.Greater(t, float64(got.admitted), .86*float64(plain.admitted))
			assert.LessOrEqual(t, got.refused, plain.refused)
		})
	}
}
