package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// Of a window of one request, no second one is waited for, as one that weighs the last may need, whether its length is
// told or not: the first request that goes at the reset shows it.
func TestWindowsOfOneFromTheFirst(t *testing.T) {
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		length  time.Duration
		silent  bool // of the length
		least   int  // served of five
		refused int
	}{
		"in 2 s":            {func() ratemodel.Model { return ratemodel.NewFixed(1, 2*time.Second) }, 2 * time.Second, false, 4, 0},
		"in 5 s":            {func() ratemodel.Model { return ratemodel.NewFixed(1, 5*time.Second) }, 5 * time.Second, false, 4, 0},
		"in 10 s, rolling":  {func() ratemodel.Model { return ratemodel.NewSlidingLog(1, 10*time.Second) }, 10 * time.Second, false, 4, 0},
		"in a minute":       {minutes(1), time.Minute, false, 5, 0},
		"in 5 s, weighed":   {func() ratemodel.Model { return ratemodel.NewSlidingCounter(1, 5*time.Second) }, 5 * time.Second, false, 2, 3},
		"in 10 s, not told": {func() ratemodel.Model { return ratemodel.NewFixed(1, 10*time.Second) }, 10 * time.Second, true, 4, 0},
		"rolling, not told": {func() ratemodel.Model { return ratemodel.NewSlidingLog(1, 10*time.Second) }, 10 * time.Second, true, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(10) {
				s := simulation{model: c.model, announce: announcement{step: time.Second, rounding: 1, date: true, lengths: !c.silent}, callers: 5,
					length: 5 * c.length, policy: DefaultPolicy(), fastest: 30 * time.Millisecond, slowest: 45 * time.Millisecond, seed: seed}
				got := s.run()
				t.Log(got)
				assert.GreaterOrEqual(t, got.admitted, c.least)
				assert.LessOrEqual(t, got.refused, c.refused)
			}
		})
	}
}

// A window of one request a second is used nearly every second, although responses tell its
// reset in whole seconds only, or leave open whether the window before counts. Where it
// does, that is found out with a few refusals.
func TestSmallestWindows(t *testing.T) {
	second := announcement{step: time.Second, date: true, epoch: true}
	told := announcement{step: time.Second, rounding: 1, date: true, lengths: true}
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
		least    float64
		refused  int
	}{
		"one a second, Unix seconds": {func() ratemodel.Model { return ratemodel.NewFixed(1, time.Second) }, second, .9, 8},
		"one a second, length told":  {func() ratemodel.Model { return ratemodel.NewFixed(1, time.Second) }, told, .84, 8},
		"two in 5 s, length told":    {func() ratemodel.Model { return ratemodel.NewFixed(2, 5*time.Second) }, told, .84, 8},
		"one in 2 s, rolling":        {func() ratemodel.Model { return ratemodel.NewSlidingLog(1, 2*time.Second) }, told, .84, 8},
		"one in 2 s, weighed":        {func() ratemodel.Model { return ratemodel.NewSlidingCounter(1, 2*time.Second) }, told, .85, 12},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(10) {
				s := simulation{model: c.model, announce: c.announce, callers: 5, length: 5 * time.Minute, policy: DefaultPolicy(),
					fastest: 30 * time.Millisecond, slowest: 45 * time.Millisecond, seed: seed}
				got := s.run()
				t.Log(got)
				assert.Greater(t, got.used(), c.least)
				assert.LessOrEqual(t, got.refused, c.refused)
			}
		})
	}
}

// A request that goes on credit, because a response came while it waited, is no early test.
func TestCreditIsNoEarlyTest(t *testing.T) {
	s := newScript(t, plain())
	said := func(remaining int, reset float64) header.Reading {
		return header.Reading{Windows: []header.Window{{
			Name: "second", Unit: "requests", Limit: known(1), Remaining: known(remaining), Length: 5 * time.Second,
			Reset: header.Reset{At: at(reset), Resolution: time.Second},
		}}}
	}
	s.hears(.1, s.goes(0), said(0, 5))
	w := &s.k.windows[0]
	s.k.Ask(at(1), 1)
	assert.True(t, w.eager.Waits(), "it waits for the window")
	w.grantedThrough = s.k.sent + 1 // a response told of more
	s.k.Ask(at(1), 1)
	assert.False(t, w.eager.Waits())
}
