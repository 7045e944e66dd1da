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
