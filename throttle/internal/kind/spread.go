package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A spread spreads requests of a window that is said to last for a second, now and then, after it was used up a few
// times. Who sends all that remains at once sees the same of a bucket that is full again long before the second
// is over: only what remains after requests in between tells the two apart. They go at twice the rate that the window
// has, so that one that is as it says is still used up.
type spread struct {
	emptied clock.Instant // when nothing was left, last
	times   int           // that it was
	next    int           // so many until the requests are spread
	until   clock.Instant // requests are spread
}

const (
	spreadTimes   = 3 // at first, and
	spreadAgain   = 4 // so many times as many with each time
	spreadMost    = 1 << 12
	spreadFaster  = 2
	spreadLengths = 3 // for so many, and two round trips
	spreadLeast   = 4 // the smallest limit of which requests are spread
)

// observe takes in what a response tells.
func (s *spread) observe(o *Observation) {
	switch {
	case !o.LengthSure || o.Length != inflowWindow || o.Limit < spreadLeast:
		*s = spread{}
	case o.Remaining > o.Unsure || o.Now < max(s.emptied+o.Length, s.until):
	default:
		s.emptied = o.Now
		if s.times++; s.times >= max(s.next, spreadTimes) {
			*s = spread{next: min(spreadAgain*max(s.next, spreadTimes), spreadMost), emptied: s.emptied,
				until: o.Now + spreadLengths*o.Length + 2*(o.Now-o.Sent)}
		}
	}
}

// Spread returns the time between two requests of a window that may be a bucket which fills faster than it says, or 0.
func (e *Estimator) Spread(now clock.Instant, limit int64, length clock.Instant) clock.Instant {
	if now >= e.inflow.spread.until || e.Regains() {
		return 0
	}
	return length / clock.Instant(spreadFaster*limit)
}
