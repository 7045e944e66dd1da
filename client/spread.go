package client

import (
	"slices"
	"time"
)

// A spread tells whether refusals that name no limit are about all routes of a key.
type spread struct {
	suspects []*cooldown // those refused last
	// sole is the only route that was used until now. What its refusals teach the
	// whole is moved to a cooldown when there is another route.
	sole    uint64
	shared  bool // all requests of the key were used to be refused together
	refused bool // the whole was refused for sole
	// While wide, a refusal of one route is taken to be about all.
	wide    bool
	agreed  int           // refusals that seem to be about all, while none seemed to be about one
	named   bool          // these refusals name a wait
	longest time.Duration // of the waits that all routes were asked for
	// chance is how likely it is that the route refused last was refused that often
	// without another, if it is no more likely to be refused than the others.
	chance    float64
	last      uint64
	mine, all float64 // requests sent since it was refused: of it, and in all
}

// sent takes in that a request of a route is sent.
func (s *spread) sent(route uint64) {
	if s.wide {
		s.all++
		if route == s.last {
			s.mine++
		}
	}
}

// presumed reports whether a refusal of a route, with a wait if the server named one, is
// about all routes by what was seen before.
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

// agree finds the cooldowns whose refusals seem to have the same cause as that of
// another route at now, with a wait if the server named one.
func (s *spread) agree(now time.Time, route uint64, wait time.Duration, named bool) (same []*cooldown) {
	for _, c := range s.suspects {
		if c.route == route || c.spared >= sparedEnough || c.apart >= apartEnough {
			continue
		}
		if !now.Before(c.until) && (c.spared > 0 || now.Sub(c.refused) > suspectFor) {
			continue
		}
		if apart := c.until.Sub(now.Add(wait)).Abs(); c.named && named && apart > max(2*time.Second, wait/4) {
			continue // they open at different times
		}
		same = append(same, c)
	}
	return same
}

// agreement takes in with how many others a refusal agrees. It reports whether that is
// more than chance.
func (s *spread) agreement(n int) bool {
	s.agreed += n
	return n > 0 && s.agreed >= agreedEnough
}

// served takes in that a request of a route was served that was sent at sent.
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

// suspect compares the refusal of c with the next ones.
func (s *spread) suspect(c *cooldown) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *cooldown) bool { return other == c })
	if len(s.suspects) == maxSuspects {
		s.suspects = slices.Delete(s.suspects, 0, 1)
	}
	s.suspects = append(s.suspects, c)
}

// forget stops comparing.
func (s *spread) forget(c *cooldown) {
	s.suspects = slices.DeleteFunc(s.suspects, func(other *cooldown) bool { return other == c })
}
