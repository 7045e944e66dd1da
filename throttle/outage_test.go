package throttle

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// An outage refuses everything for a while, and has no limit otherwise.
type outage struct {
	after, lasts time.Duration
	from         time.Time
}

func (o *outage) Admit(now time.Time) bool {
	if o.from.IsZero() {
		o.from = now.Add(o.after)
	}
	return !o.over(now)
}

func (o *outage) over(now time.Time) bool {
	return !o.from.IsZero() && !now.Before(o.from) && now.Before(o.from.Add(o.lasts))
}

func (o *outage) Next(now time.Time) time.Time {
	if o.over(now) {
		return o.from.Add(o.lasts)
	}
	return now
}

func (o *outage) Windows(dst []ratemodel.Window, _ time.Time) []ratemodel.Window { return dst }

// An API without a limit that refuses everything for a moment is used at full speed
// again soon, also if it happens before much was admitted, though nothing tells that
// it has no limit.
func TestAnOutageIsNoLimit(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for _, c := range []struct{ after, lasts time.Duration }{
		{10 * time.Millisecond, 400 * time.Millisecond},
		{time.Second, 400 * time.Millisecond},
		{10 * time.Second, 400 * time.Millisecond},
		{10 * time.Second, 2 * time.Second},
	} {
		for _, trip := range latencies {
			s := simulation{model: func() ratemodel.Model { return &outage{after: c.after, lasts: c.lasts} },
				announce: announcement{mute: true}, callers: 20, length: time.Minute,
				policy: DefaultPolicy(), fastest: trip[0], slowest: trip[1]}
			minute := s.run()
			s.length = 2 * time.Minute
			both := s.run()
			s.length, s.bare = time.Minute, true
			share := float64(both.admitted-minute.admitted) / float64(s.run().admitted)
			t.Logf("after %v, for %v, trips of %v to %v: %d refused, %.1f %% of all in the second minute",
				c.after, c.lasts, trip[0], trip[1], both.refused, 100*share)
			if share < .95 || both.refused > 25 {
				t.Error("it was taken for a limit")
			}
		}
	}
}

// A recurring outage is one that begins anew after each period.
type recurring struct {
	every, lasts time.Duration
}

func (o *recurring) Admit(now time.Time) bool { return now.Sub(epoch)%o.every < o.every-o.lasts }

func (o *recurring) Next(now time.Time) time.Time { return now }

func (o *recurring) Windows(dst []ratemodel.Window, _ time.Time) []ratemodel.Window { return dst }

// An API that refuses everything for a minute again and again is used at full speed in
// between, however many requests that is.
func TestRecurringOutagesAreNoLimit(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const every, lasts = 5 * time.Minute, time.Minute
	for seed := range uint64(3) {
		s := simulation{model: func() ratemodel.Model { return &recurring{every, lasts} }, announce: announcement{mute: true}, callers: 20,
			length: 20 * time.Minute, policy: DefaultPolicy(), fastest: 45 * time.Millisecond, slowest: 55 * time.Millisecond, seed: seed}
		got := s.run()
		s.bare = true
		plain := s.run()
		part := float64(got.admitted) / float64(plain.admitted)
		t.Logf("%d refused, %.3f of what a plain client gets", got.refused, part)
		if part < .94 || got.refused > 150 {
			t.Error("it was taken for a limit")
		}
	}
}

// A tally counts what is admitted in each ten minutes.
type tally struct {
	ratemodel.Model
	spans [24]int
}

func (c *tally) Admit(now time.Time) bool {
	ok := c.Model.Admit(now)
	if i := int(now.Sub(epoch) / (10 * time.Minute)); ok && i < len(c.spans) {
		c.spans[i]++
	}
	return ok
}

// One outage teaches no limit that lasts: for three hours afterwards the client gets as much in
// each ten minutes as one that knows of no limits, whether it is used heavily or lightly.
func TestALongOutageIsNoLimit(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	const seeds = uint64(1)
	for _, c := range []struct {
		lasts   time.Duration
		callers int
		think   time.Duration
	}{
		{time.Minute, 20, 0},
		{5 * time.Minute, 20, 0},
		{10 * time.Minute, 20, 6 * time.Second},
		{20 * time.Second, 1, 6 * time.Second},
		{3 * time.Minute, 1, 6 * time.Second},
	} {
		for seed := range seeds {
			var tallies []*tally
			s := simulation{model: func() ratemodel.Model {
				m := &tally{Model: &outage{after: 5 * time.Minute, lasts: c.lasts}}
				tallies = append(tallies, m)
				return m
			}, announce: announcement{mute: true, date: true}, callers: c.callers, think: c.think, start: time.Duration(seed) * into,
				length: 210 * time.Minute, policy: DefaultPolicy(), fastest: 290 * time.Millisecond, slowest: 310 * time.Millisecond, seed: seed}
			got := s.run()
			mine := tallies[0].spans
			tallies, s.bare = nil, true
			plain := s.run()
			part := float64(got.admitted) / float64(plain.admitted)
			least, its := 1., tallies[0].spans
			for i := 2; i < 21; i++ {
				if its[i] > 0 {
					least = min(least, float64(mine[i])/float64(its[i]))
				}
			}
			t.Logf("%v, %d callers, seed %d: %d refused, %.3f of what a plain client gets, at least %.3f in ten minutes",
				c.lasts, c.callers, seed, got.refused, part, least)
			// A caller alone sends about 170 requests in ten minutes, at random times.
			bar := .95
			if c.callers == 1 {
				bar = .9
			}
			if part < .95 || least < bar || got.refused > 60 {
				t.Error("it was taken for a limit")
			}
		}
	}
}
