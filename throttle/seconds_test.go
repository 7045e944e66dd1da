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
	moment := announcement{step: time.Second, rounding: 1, epoch: true, wait: true, date: true}
	for name, c := range map[string]struct {
		model    func() ratemodel.Model
		announce announcement
		callers  int
		trips    [2]time.Duration // one way
		least    float64
	}{
		"20 a second, weighed, a third of a second away": {func() ratemodel.Model { return ratemodel.NewSlidingCounter(20, time.Second) },
			announcement{step: time.Second, rounding: 1, lengths: true, wait: true, date: true}, 20, far, .8},
		"20 a second, weighed, a third of a second away, no length": {func() ratemodel.Model { return ratemodel.NewSlidingCounter(20, time.Second) },
			delay, 20, far, .76},
		"50 a second": {func() ratemodel.Model { return ratemodel.NewFixed(50, time.Second) }, delay, 20, near, .98},
		"10 a second, rolling, zeros left out": {func() ratemodel.Model { return ratemodel.NewSlidingLog(10, time.Second) },
			announcement{step: time.Millisecond, trim: true, wait: true, date: true}, 20, near, 1},
		"10 a second, rolling": {func() ratemodel.Model { return ratemodel.NewSlidingLog(10, time.Second) }, moment, 20, near, .96},
		"30 in 10 s, rolling":  {func() ratemodel.Model { return ratemodel.NewSlidingLog(30, 10*time.Second) }, moment, 20, near, .98},
		"23 in 10 s, rolling":  {func() ratemodel.Model { return ratemodel.NewSlidingLog(23, 10*time.Second) }, moment, 1, near, .97},
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

var (
	near = [2]time.Duration{37 * time.Millisecond, 63 * time.Millisecond}
	far  = [2]time.Duration{110 * time.Millisecond, 190 * time.Millisecond}
)

// In windows of a minute that begin with their first request, as in those that weigh the last one and of which
// nothing says how long they are, a program gets about as much as one that only retries, also where some requests are
// refused that the server does not count.
func TestWindowsOfAMinuteBesideAPlainClient(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		callers int
		think   time.Duration
		shed    float64
		length  time.Duration
		least   float64
	}{
		"6 from the first request":  {firstOf(6), 1, 0, 0, 20 * time.Minute, 1},
		"11 from the first request": {firstOf(11), 1, 0, 0, 20 * time.Minute, 1},
		"428, weighed, some shed": {func() ratemodel.Model { return ratemodel.NewSlidingCounter(428, time.Minute) },
			300, 70 * time.Second, .05, 15 * time.Minute, .93},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				s := simulation{model: c.model, announce: announcement{step: time.Second, rounding: 1, wait: true, date: true},
					callers: c.callers, think: c.think, shed: c.shed, start: into, length: c.length, policy: DefaultPolicy(), fastest: near[0], slowest: near[1], seed: seed}
				ours := s.run()
				s.bare = true
				plain := s.run()
				t.Logf("%.2f: %v; plain %v", float64(ours.admitted)/float64(plain.admitted), ours, plain)
				assert.GreaterOrEqual(t, float64(ours.admitted), c.least*float64(plain.admitted))
				assert.LessOrEqual(t, ours.refused, int(1.5*c.shed*float64(ours.sent)))
			}
		})
	}
}

func firstOf(n int) func() ratemodel.Model {
	return func() ratemodel.Model {
		m := ratemodel.NewFixed(n, time.Minute)
		m.FromFirst = true
		return m
	}
}
