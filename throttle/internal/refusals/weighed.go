package refusals

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/kind"
)

// A sliding counter weighs the window before. It refuses soon after a window opened, when hardly
// anything was admitted in it, and may name the end of the window, although room comes back by and
// by. Once one is recognised by such a refusal, its count is followed: so none of its waits is needed.

// weighedPart is of which part of the limit no more was admitted then.
const weighedPart = 4

// counter returns the window as a sliding counter has it, whose limit is the given one.
func (s *inferredWindow) counter(v *View, l *limits, limit int64, now clock.Instant) *kind.View {
	w := s.window(now)
	return &kind.View{
		Now: now, Limit: limit, Length: s.length, LengthSure: true,
		Reset: clock.Between(w.Latest, w.Earliest+s.length), ResetKnown: true, Log: &l.log, RTT: v.RTT,
	}
}

// regains returns when no more than room is counted.
func (s *inferredWindow) regains(v *View, l *limits, room int64, now clock.Instant) clock.Instant {
	return new(kind.Estimator).CounterReady(s.counter(v, l, max(room, 0), now), 0)
}

// weighed returns how much is counted, at the most.
func (s *inferredWindow) weighed(v *View, l *limits, now clock.Instant) int64 {
	_, most := s.counter(v, l, s.limit, now).Weighed()
	return int64(math.Ceil(most))
}

// weighsLast reports whether only the weight of the window before explains a congestion, after which the server
// said that it opens with the next window. That may show that a window is longer than the rest of the first one.
func (s *inferredWindow) weighsLast(v *View, l *limits, e *congestion) bool {
	if s.limit <= few || !s.proof.given || !e.told {
		return false
	}
	if s.near(e.reset) && s.weighsIn(s.length, v, l, e) {
		return true
	}
	s.weighs = false
	length := usualAbout(e.reset.Middle()-s.opens.Middle(), clock.Second/2+e.reset.Width()/2)
	if length <= s.length || !s.weighsIn(length, v, l, e) {
		return false
	}
	s.length = length
	return true
}

// weighsIn reports whether it does if windows are that long: with it, the limit was just reached. What shows that first
// is a window in which hardly anything was admitted.
func (s *inferredWindow) weighsIn(length clock.Instant, v *View, l *limits, e *congestion) bool {
	w := *s
	w.length = length
	least, most := w.counter(v, l, s.limit, e.at).Weighed()
	this, after := l.log.Between(w.window(e.at).Latest-length-1, e.closed), float64(l.log.After(e.closed))
	return (s.weighs || weighedPart*this <= s.limit) && most-after >= float64(s.limit-1) && least-after <= float64(s.limit+1)
}

// weigh takes in that it does.
func (s *inferredWindow) weigh(e *congestion, opened clock.Instant) {
	if s.weighs && s.limit > few+1 {
		s.limit--
	}
	s.weighs, s.fixed, s.sure, s.floor = true, true, true, 0
	s.opens = clock.Between(e.reset.Earliest, min(e.reset.Latest, opened))
	s.proof.confirm(e)
	s.streak, s.extra = 0, 0
	s.patient = climbLast
	s.climb = opened + s.patient*s.length
}
