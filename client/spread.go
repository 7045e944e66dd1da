package client

import (
	"slices"
	"time"
)

// A spread determines whether refusals that name no limit concern all routes of a key.
type spread struct {
	suspects []*cooldown // of the routes that were refused last
	// sole is the only route that was used until now. What whole learns from its refusals moves to a
	// cooldown as soon as another route is used.
	sole    uint64
	shared  bool // another route was used
	refused bool // whole learned from a refusal of sole
	// While wide is set, a refusal of one route is taken to concern all.
	wide    bool
	agreed  int           // refusals that seem to concern all routes, since one that concerned its own
	named   bool          // these refusals name a wait
	longest time.Duration // the longest wait that concerned all routes
	// chance is the probability that the route refused last was refused so often in a row, if it is no
	// more likely to be refused than the others.
	chance    float64
	last      uint64
	mine, all float64 // requests sent since it was refused: of that route, and of all

	closing closing
}

// A closing is the last refusal with which all routes closed. Requests that were sent between it and its
// refusal are witnesses: if the limit concerns all routes, those of the other routes are refused too.
type closing struct {
	route        uint64
	sent, heard  time.Time // witnesses are sent from one to the other
	until        time.Time // that the refusal named
	mine, others outcomes  // of witnesses of the route, and of others
	late         outcomes  // of those of others that hardly arrived before the request that was refused
}

// outcomes counts requests.
type outcomes struct{ served, refused int }

func (o *outcomes) add(refused bool) {
	if refused {
		o.refused++
	} else {
		o.served++
	}
}

const (
	// closingWait is the least wait of a refusal that is held against its witnesses: shorter ones may
	// end before a witness arrives.
	closingWait = 2 * time.Second
	// closingLate is how many late witnesses have to be served, and twice as many as are refused.
	closingLate = 3
	// So many of the route have to be refused and so many of others served, and none else, if the route
	// of a request says alone what becomes of it: among ten at the same time, chance does that once
	// in 200 times.
	closingMine, closingOthers = 4, 6
)

// witness takes in what became of a request that was sent at sent. It reports whether it follows that
// the routes do not share the limit.
func (c *closing) witness(route uint64, sent time.Time, refused bool) bool {
	if sent.Before(c.sent) || !sent.Before(c.heard) {
		return false
	}
	if route == c.route {
		c.mine.add(refused)
	} else {
		c.others.add(refused)
		if sent.Sub(c.sent) > c.heard.Sub(sent) {
			c.late.add(refused)
		}
	}
	return c.late.served >= closingLate && c.late.served > 2*c.late.refused ||
		c.mine.refused >= closingMine && c.others.served >= closingOthers && c.mine.served+c.others.refused == 0
}

// close takes in a refusal with which all routes close.
func (s *spread) close(now, sent time.Time, route uint64, wait time.Duration, named bool) {
	switch {
	case now.Before(s.closing.until) && !sent.After(s.closing.heard):
		s.closing.witness(route, sent, true)
	case named && wait >= closingWait:
		s.closing = closing{route: route, sent: sent, heard: now, until: now.Add(wait), mine: outcomes{refused: 1}}
	default:
		s.closing = closing{}
	}
}

// sent counts a request of a route as sent.
func (s *spread) sent(route uint64) {
	if s.wide {
		s.all++
		if route == s.last {
			s.mine++
		}
	}
}

// presumed reports whether earlier refusals suggest that a refusal of a route concerns all routes.
// wait is valid if the server named one.
func (s *spread) presumed(route uint64, wait time.Duration, named bool) bool {
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

// agree returns the cooldowns whose refusals seem to have the same cause as the refusal of another
// route at now. wait is valid if the server named one.
func (s *spread) agree(now time.Time, route uint64, wait time.Duration, named bool) (same []*cooldown) {
	for _, c := range s.suspects {
		if c.route == route || c.spared >= sparedEnough || c.apart >= apartEnough {
			continue
		}
		if c.agreed++; c.spared > 0 && c.agreed <= 2*c.spared {
			continue
		}
		if !now.Before(c.until) && (c.spared > 0 || now.Sub(c.refused) > suspectFor) {
			continue
		}
		if apart := c.until.Sub(now.Add(wait)).Abs(); c.named && named && apart > max(2*time.Second, wait/4) {
			continue // the routes open at different times
		}
		same = append(same, c)
	}
	return same
}

// agreement counts the n refusals that agree with another. It reports whether that is more than
// chance.
func (s *spread) agreement(n int) bool {
	s.agreed += n
	return n > 0 && s.agreed >= agreedEnough
}

// served counts a request of a route that was sent at sent and served.
func (s *spread) served(route uint64, sent time.Time) {
	for _, c := range s.suspects {
		if c.route != route && sent.After(c.refused) {
			if c.spared++; c.spared == sparedEnough {
				c.apart++
				s.agreed = 0
			}
		}
	}
}

// suspect adds c to the cooldowns that are compared with the next refusals.
func (s *spread) suspect(c *cooldown) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *cooldown) bool { return other == c })
	if len(s.suspects) == maxSuspects {
		s.suspects = slices.Delete(s.suspects, 0, 1)
	}
	s.suspects = append(s.suspects, c)
}

// forget removes c from them.
func (s *spread) forget(c *cooldown) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *cooldown) bool { return other == c })
}
