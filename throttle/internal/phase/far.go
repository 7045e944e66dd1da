package phase

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Span spreads requests over windows that are so short beside a round trip that what responses say of
// them is over when they come. Nil knows of no response that was long in coming.
type Span struct {
	trip   clock.Instant // of responses that were no refusals, which come sooner, smoothed
	served int           // of them
	// most is the longest delay until a reset that responses have told: a window is hardly longer if they have
	// told no more for long.
	most, since clock.Instant
	heard       int // responses that told no more

	next    clock.Instant // when the next request may go
	from    clock.Instant // since when requests are spread; 0 is not yet
	refused int           // requests since
}

// Serve takes in how long a response was in coming that was no refusal, and returns the Span to go on with.
func (s *Span) Serve(trip clock.Instant) *Span {
	if s == nil {
		if trip < farLeast {
			return nil
		}
		s = new(Span)
	}
	s.served = min(s.served+1, farSmooth)
	s.trip += (trip - s.trip) / clock.Instant(s.served)
	return s
}

// Observe takes in a delay until the reset that a response told.
func (s *Span) Observe(now, left clock.Instant) {
	if s == nil {
		return
	}
	if s.heard++; left > s.most+s.most/farMore || s.heard == 1 {
		s.since, s.heard = now, 1
	}
	s.most = max(s.most, left)
}

// Settled reports whether a window is hardly longer than the longest delay.
func (s *Span) Settled(now clock.Instant) bool {
	return s != nil && s.heard >= farHeard && now-s.since >= farLasts*max(s.most, clock.Second)
}

// Send takes in that n requests go, so many of which a window allows that is taken to be so long.
func (s *Span) Send(now clock.Instant, n, limit int64, length clock.Instant) {
	if s == nil {
		return
	}
	if s.from == 0 {
		s.from = now
	}
	step := s.step(limit, length)
	s.next = max(s.next, now-step) + clock.Times(step, n)
}

// Next returns when the next request may go.
func (s *Span) Next() clock.Instant {
	if s == nil {
		return 0
	}
	return s.next
}

// Refuse takes in that a request was refused that was sent at sent.
func (s *Span) Refuse(sent clock.Instant) {
	if s != nil && s.from > 0 && sent > s.from {
		s.refused++
	}
}

// step returns the time between two requests. It is a little longer than it has to be, as one may be on its
// way for longer than the next. The length may be too long by how resets are rounded, until requests are refused.
func (s *Span) step(limit int64, length clock.Instant) clock.Instant {
	if s.heard > 0 && s.refused < farRefused {
		length = min(length, clock.UsualLength(s.most))
	}
	return (length + length/farSpare) / clock.Instant(max(limit, 1))
}

const (
	// farLeast is the shortest round trip of a window that is far.
	farLeast = clock.Second / 2
	// farSpare is the part of a window in which nothing is sent.
	farSpare = 16
	// farRefused is how many requests are refused until a window is taken to be longer.
	farRefused = 3
	// farHeard is how many responses have to tell no more, and farLasts for how many times as long.
	farHeard, farLasts = 16, 8
	farSmooth          = 16 // round trips are averaged
	farMore            = 8  // a delay that is longer by one part of so many is hardly longer
	// farTold is how many times a round trip takes of a window whose length is told that is far.
	farTold = 3
	// farOpenings is how many times a window has to have opened until it is known to be short.
	farOpenings = 4
	// A window is far if a round trip takes more than 18 parts in 32 of it, and vague if one takes more than five.
	farParts, farSpan, vagueSpan = 32, 18, 5
)

// Far reports whether a window is so short beside a round trip that what responses say of it is over
// when they come, whether they tell a reset in long steps or not. span is as much as responses have
// told of its length; was is what Far reported before.
func (p *Estimator) Far(now, span clock.Instant, told *Span, rtt *clock.RTT, was bool) bool {
	switch {
	case told.Settled(now):
		span = min(span, told.most)
	case !was && p.seen < farOpenings:
		return false
	}
	return takes(min(rtt.Mean, 2*rtt.Low()), farSpan, span, rtt)
}

// Vague reports whether most round trips take so much of a window that responses say little of what a server counts
// that weighs the last one.
func Vague(span clock.Instant, rtt *clock.RTT) bool { return takes(rtt.Low(), vagueSpan, span, rtt) }

// takes reports whether a round trip takes so many parts of a window.
func takes(trip, parts, span clock.Instant, rtt *clock.RTT) bool {
	return farParts*trip >= parts*max(span-rtt.WasShortest, clock.Second)
}

// FarTold reports the same of a window whose length is told, which our own log explains as well unless it is
// much too short.
func (s *Span) FarTold(length clock.Instant) bool {
	return s != nil && s.served >= farSmooth && s.trip >= farTold*length
}
