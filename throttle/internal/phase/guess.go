package phase

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A guess is a hypothesis of how long the windows are, how their resets are rounded, and
// whether each begins with the first request after the last, or where the last ended.
type guess struct {
	length   clock.Instant
	rounding int8 // below 0 down, above 0 up, 0 to nearest
	first    bool // each begins with a request
	known    bool
	opens    clock.Interval // when some window opens, or the newest that begins with a request
}

// bound returns when the window of an answer ends if the guess is right, and whether
// it may be.
func (g *guess) bound(reset clock.Interval, s Sample, step clock.Instant) (clock.Interval, bool) {
	switch {
	case g.rounding < 0:
		reset.Earliest += step
	case g.rounding > 0:
		reset.Latest -= step
	default:
		reset.Earliest, reset.Latest = reset.Earliest+step/2, reset.Latest-step/2
	}
	reset.Earliest, reset.Latest = max(reset.Earliest, s.Sent+1), min(reset.Latest, s.Received+g.length)
	return reset, reset.Width() >= 0
}

// follow takes in when the window of an answer ends, if windows begin with the first request
// in them: that which leaves all but one. It reports whether the guess may be right.
func (g *guess) follow(ends clock.Interval, s *Response) bool {
	if s.Refused || s.Limit-s.Remaining != 1 {
		return true // the answer to the first may be still to come
	}
	opens := clock.Between(max(ends.Earliest-g.length, s.Sent), min(ends.Latest-g.length, s.Received))
	if s.Limit == 1 && g.known && max(opens.Latest-g.opens.Earliest, g.opens.Latest-opens.Earliest) < g.length {
		return false // two windows in the time of one; of more requests, several servers that count apart tell the same
	}
	if !g.known || opens.Latest >= g.opens.Latest {
		g.opens, g.known = opens, true
	}
	return opens.Width() >= 0
}

// narrow takes in bounds of an opening. It reports whether the guess may be right.
func (g *guess) narrow(bound clock.Interval) bool {
	if bound.Width() >= g.length {
		return true
	}
	if !g.known {
		g.opens, g.known = bound, true
		return true
	}
	opens, one, some := g.at(bound)
	if one {
		g.opens = opens
	}
	return some
}

// at returns the opening that lies within bounds. It reports whether there is just one,
// and whether there is any.
func (g *guess) at(bound clock.Interval) (opens clock.Interval, one, some bool) {
	least := ceil(bound.Earliest-g.opens.Latest, g.length)
	most := -ceil(g.opens.Earliest-bound.Latest, g.length)
	opens = clock.Between(g.opens.Earliest+least*g.length, g.opens.Latest+least*g.length)
	if least > most {
		return opens, false, false
	}
	return opens.Intersect(bound), least == most, true
}

// ends returns when the newest window ends that began with a request.
func (g *guess) ends() clock.Interval {
	return clock.Between(g.opens.Earliest+g.length, g.opens.Latest+g.length)
}

// ceil divides, and rounds up.
func ceil(a, b clock.Instant) clock.Instant {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
