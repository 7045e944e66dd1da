// Package spread finds out whether refusals that name no limit concern the route that was refused, or
// all routes of a key.
//
// Start reading at [Estimator]: routes that are refused without the others are suspects, and if several of
// them seem to be refused for one cause, all routes close with each further refusal, until closing.go finds
// that requests of other routes are served meanwhile. The client keeps a limiter for each route that
// is refused alone.
//
// The package imports nothing of this module.
package spread

import (
	"slices"
	"time"
)

// An Estimator determines whether refusals that name no limit concern all routes of a key.
type Estimator struct {
	suspects []*Suspect // of the routes that were refused last
	// sole is the only route that was used until now.
	sole    uint64
	shared  bool // another route was used
	refused bool // the sole route was refused
	// While wide is set, a refusal of one route is taken to concern all.
	wide    bool
	agreed  int           // refusals that seem to concern all routes, since one that concerned its own
	aparts  int           // how often a route was refused and others were not, since these
	named   bool          // these refusals name a wait
	longest time.Duration // the longest wait that concerned all routes
	// chance is the probability that the route refused last was refused so often in a row, if it is no
	// more likely to be refused than the others.
	chance    float64
	last      uint64
	mine, all float64 // requests sent since it was refused: of that route, and of all

	closing closing
}

// A Suspect is a route that was refused, perhaps alone.
type Suspect struct {
	Route   uint64
	Refused time.Time // when the server refused the route last
	Until   time.Time // when the wait of that refusal ends
	since   time.Time // what was sent since came to the server after the request that was refused

	named bool // the last refusal named a wait
	// spared counts the requests of other routes that were sent after the last refusal and served.
	// As long as there are few, the refusal may concern them too.
	spared int
	agreed int // refusals of other routes since then
	apart  int // how often the route was refused and others were not
}

const (
	// overtakes is the part of a round trip by which a request may overtake another.
	overtakes = 3
	// maxSuspects is how many suspects are compared with the next refusal.
	maxSuspects = 8
	// Spared is how many served requests of other routes show that a refusal concerns its route
	// alone.
	Spared = 3
	// agreedEnough is how many agreeing refusals of different routes show that they concern all.
	agreedEnough = 2
	// apartEnough is how often a route is refused alone before it is taken to have a limit of its own.
	apartEnough = 4
	// suspectFor is how long, at the least, a refusal is compared with later ones, if no request was
	// served since.
	suspectFor = 5 * time.Minute
	// unlikely is the chance below which refusals concern the route alone.
	unlikely = 0.001
	// A wait that is longWait times as long as any before may concern the route alone, unless it is
	// shorter than shortWait.
	longWait  = 4
	shortWait = time.Minute
)

// Refuse takes in a refusal of the route, whose wait ends at the given time.
func (c *Suspect) Refuse(now, sent, until time.Time, named bool) {
	c.Refused, c.Until, c.named, c.spared, c.agreed = now, until, named, 0, 0
	c.since = sent.Add(now.Sub(sent) / overtakes)
}

// Apart reports whether the route is taken to have a limit of its own.
func (c *Suspect) Apart() bool { return c.apart >= apartEnough }

// SetApart notes that the route has a limit of its own.
func (c *Suspect) SetApart() { c.apart = apartEnough }

// Shared reports whether requests of more than one route were sent.
func (s *Estimator) Shared() bool { return s.shared }

// Arrive notes that a request of a route arrives. If only one other route was used before, and refused,
// Arrive returns it: what was learned from its refusals may concern it alone. Otherwise it returns 0.
func (s *Estimator) Arrive(route uint64) (sole uint64) {
	switch {
	case s.shared || s.sole == route:
		return 0
	case s.sole == 0:
		s.sole = route
		return 0
	}
	s.shared = true
	if !s.refused {
		return 0
	}
	return s.sole
}

// RefuseSole takes in that the only route that was used until now is refused.
func (s *Estimator) RefuseSole() { s.refused = true }

// Presume says whether a refusal of one route is taken to concern all from now on.
func (s *Estimator) Presume(wide bool) { s.wide = wide }

// Widen takes in a refusal of a route that shows, with those before, that they concern all.
func (s *Estimator) Widen(now, sent time.Time, route uint64, wait time.Duration, named bool) {
	s.wide, s.named, s.aparts = true, named, 0
	s.longest = max(s.longest, wait)
	s.Close(now, sent, route, wait, named)
	s.last, s.chance, s.mine, s.all = route, 1, 0, 0
}

// Unlikely reports whether the route was refused so often in a row that its refusals concern it alone.
func (s *Estimator) Unlikely(route uint64) bool { return s.last == route && s.chance < unlikely }

// Separate notes that the refusal with which all routes closed last concerns its own route alone, and
// returns that route, and when its wait ends.
func (s *Estimator) Separate() (route uint64, until time.Time) {
	route, until = s.closing.route, s.closing.until
	s.wide, s.shared, s.agreed, s.closing = false, true, 0, closing{}
	return route, until
}

// Witness takes in that a request that was sent at sent was served. It reports whether it follows that the
// refusal with which all routes closed last concerns its own route alone.
func (s *Estimator) Witness(route uint64, sent time.Time) bool {
	return s.closing.witness(route, sent, false)
}

// Close takes in a refusal with which all routes close.
func (s *Estimator) Close(now, sent time.Time, route uint64, wait time.Duration, named bool) {
	switch {
	case now.Before(s.closing.until) && !sent.After(s.closing.heard):
		s.closing.witness(route, sent, true)
	case named && wait >= closingWait:
		s.closing = closing{route: route, sent: sent, heard: now, until: now.Add(wait), mine: outcomes{refused: 1}}
	default:
		s.closing = closing{}
	}
}

// Sent counts a request of a route as sent.
func (s *Estimator) Sent(route uint64) {
	if s.wide {
		s.all++
		if route == s.last {
			s.mine++
		}
	}
}

// Presumed reports whether earlier refusals suggest that a refusal of a route concerns all routes.
// wait is valid if the server named one.
func (s *Estimator) Presumed(route uint64, wait time.Duration, named bool) bool {
	if !s.wide || s.named && !named {
		return false
	}
	if wait > max(shortWait, longWait*s.longest) {
		return false
	}
	if route != s.last {
		s.last, s.chance, s.mine, s.all = route, 1, 0, 0
		return true
	}
	if s.all > 0 {
		s.chance *= max(s.mine, 1) / max(s.all, 1)
		s.mine, s.all = 0, 0
	}
	if s.chance < unlikely {
		s.wide = false
	}
	return s.wide
}

// Agree returns the suspects whose refusals seem to have the same cause as the refusal of another
// route at now. wait is valid if the server named one.
func (s *Estimator) Agree(now time.Time, route uint64, wait time.Duration, named bool) (same []*Suspect) {
	for _, c := range s.suspects {
		if c.Route == route || c.spared >= Spared || c.Apart() {
			continue
		}
		if c.agreed++; c.spared > 0 && c.agreed <= 2*c.spared {
			continue
		}
		if !now.Before(c.Until) && (c.spared > 0 || now.Sub(c.Refused) > suspectFor) {
			continue
		}
		if apart := c.Until.Sub(now.Add(wait)).Abs(); c.named && named && apart > max(2*time.Second, wait/4) {
			continue // the routes open at different times
		}
		same = append(same, c)
	}
	return same
}

// Agreement counts the n refusals that agree with another. It reports whether that is more than
// chance.
func (s *Estimator) Agreement(n int) bool {
	s.agreed += n
	return n > 0 && s.agreed >= agreedEnough+s.aparts
}

// Served counts a request of a route that was sent at sent and served.
func (s *Estimator) Served(route uint64, sent time.Time) {
	for _, c := range s.suspects {
		if c.Route != route && sent.After(c.since) {
			if c.spared++; c.spared == Spared {
				c.apart++
				s.aparts++
				s.agreed = 0
			}
		}
	}
}

// Suspect adds c to those that are compared with the next refusals.
func (s *Estimator) Suspect(c *Suspect) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *Suspect) bool { return other == c })
	if len(s.suspects) == maxSuspects {
		s.suspects = slices.Delete(s.suspects, 0, 1)
	}
	s.suspects = append(s.suspects, c)
}

// Forget removes c from them.
func (s *Estimator) Forget(c *Suspect) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *Suspect) bool { return other == c })
}
