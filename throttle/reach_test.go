package throttle

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

func TestReach(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	fixed := func(n int, d time.Duration) func() ratemodel.Model {
		return func() ratemodel.Model { return ratemodel.NewFixed(n, d) }
	}
	seconds := announcement{epoch: true, step: time.Second, rounding: 1, date: true}
	base := simulation{callers: 20, fastest: 40 * ms, slowest: 80 * ms, start: 17300 * ms, announce: seconds, policy: DefaultPolicy(), length: 10*time.Minute - 17300*ms}
	with := func(change func(*simulation)) simulation { s := base; change(&s); return s }
	for _, c := range []struct {
		name    string
		s       simulation
		refused int
		used    float64
	}{
		{"200 a minute, fixed", with(func(s *simulation) { s.model = fixed(200, time.Minute) }), 0, .995},
		{"60 a minute, log", with(func(s *simulation) {
			s.model = func() ratemodel.Model { return ratemodel.NewSlidingLog(60, time.Minute) }
		}), 0, .995},
		{"120 a minute, GCRA", with(func(s *simulation) {
			s.model = func() ratemodel.Model {
				b := ratemodel.NewBucket(120, 120, time.Minute)
				b.Reset = ratemodel.ResetFull
				return b
			}
			s.announce.epoch = false
		}), 0, .97},
		{"10 a second and 100 a minute", with(func(s *simulation) {
			s.model = func() ratemodel.Model {
				a, b := ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)
				a.Name, b.Name = "second", "minute"
				return ratemodel.All{a, b}
			}
			s.announce.epoch, s.announce.lengths = false, true
		}), 0, .99},
		{"20 a second, resets in whole seconds", with(func(s *simulation) {
			s.model = func() ratemodel.Model { return ratemodel.NewFixed(20, time.Second) }
			s.announce.epoch, s.announce.lengths = false, true
		}), 0, .80},
		{"300 a minute, slow network", with(func(s *simulation) {
			s.model = fixed(300, time.Minute)
			s.callers, s.fastest, s.slowest = 200, 200*ms, 1700*ms
		}), 0, .99},
		{"200 a minute, clock 95 s ahead", with(func(s *simulation) { s.model = fixed(200, time.Minute); s.announce.offset = 95 * time.Second }), 0, .99},
		{"200 a minute, clock 95 s behind", with(func(s *simulation) { s.model = fixed(200, time.Minute); s.announce.offset = -95 * time.Second }), 0, .99},
		{"200 a minute, 5 % faults", with(func(s *simulation) { s.model = fixed(200, time.Minute); s.faults = .05 }), 0, .99},
		{"600 a minute, 15000 an hour, 250000 a day", with(func(s *simulation) {
			s.model = func() ratemodel.Model {
				a, b, c := ratemodel.NewFixed(600, time.Minute), ratemodel.NewFixed(15000, time.Hour), ratemodel.NewFixed(250000, 24*time.Hour)
				a.Name, b.Name, c.Name = "minute", "hour", "day"
				return ratemodel.All{a, b, c}
			}
			s.announce.lengths = true
			s.length = 26*time.Hour - 17300*ms
		}), 2, .995},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if chance.Raced && c.s.length > time.Hour {
				t.Skip("a simulation has one goroutine")
			}
			for _, rounding := range []int{1, 0, -1} {
				s := c.s
				s.announce.rounding = rounding
				o := s.run()
				t.Log(rounding, o)
				if o.stuck || o.refused > c.refused || o.used() < c.used {
					t.Errorf("want at most %d refused and at least %v used", c.refused, c.used)
				}
			}
		})
	}
}
