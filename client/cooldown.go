package client

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A cooldown is what the refusals of one route say that name no limit: whether they are
// about the route alone, or about all requests of the key, is not known. The route has a
// limiter of its own for them, beside that of its bucket.
type cooldown struct {
	route   uint64
	limiter *throttle.Limiter
	refused time.Time // when it was refused last
	until   time.Time // it is closed for the last refusal
	closed  time.Time // it is closed for the first, of which the limiter learns nothing: it has not seen what went before
	named   bool      // the server named the time
	// spared counts the requests of other routes that were sent after that and served.
	// While there are hardly any, the refusal may be about them too.
	spared int
	apart  int // how often it was refused and others were not
	// The limiter of a route that sends one request after the other learns only from
	// refusals that are frequent. A few in a hundred may be those of a server that sheds
	// load, and cost less than being careful would.
	sent, refusals float64 // of late
	sole           bool    // it was taught while there was no other route
}

const (
	// fewRefusals is the share of a route's requests below which refusals teach nothing.
	fewRefusals = .03
	// fewPrior is how many requests are taken to have been served before the first.
	fewPrior = 80
	// fewMemory is how many requests that share goes back.
	fewMemory = 400
	// maxCooldowns is how many routes of a key have a cooldown. Refusals of others hold
	// the whole key.
	maxCooldowns = 256
	// maxSuspects is how many cooldowns are compared with the next refusal.
	maxSuspects = 8
	// sparedEnough is how many requests of other routes are served after a refusal
	// that is about one route alone.
	sparedEnough = 3
	// agreedEnough is how many refusals of different routes agree that are about all.
	agreedEnough = 2
	// apartEnough is how often a route is refused alone that has a limit of its own.
	apartEnough = 4
	// suspectFor is how long a refusal is compared with others at the least, as long as
	// nothing was served since.
	suspectFor = 5 * time.Minute
)

const (
	// unlikely is the chance below which refusals are about the route alone.
	unlikely = 0.001
	// A wait so many times as long as any before may be about the route alone, unless
	// it is short.
	longWait  = 4
	shortWait = time.Minute
)

// cooldown returns the cooldown of a route, or nil.
func (l *keyState) cooldown(route uint64) *throttle.Limiter {
	if c := l.cooldowns[route]; c != nil {
		return c.limiter
	}
	return nil
}

// enter takes in that a request of a route comes. If only another was used before, what
// the whole was taught by refusals is that route's alone.
func (l *keyState) enter(now time.Time, route uint64) {
	s := &l.spread
	switch {
	case s.shared || s.sole == route:
		return
	case s.sole == 0:
		s.sole = route
		return
	}
	s.shared = true
	if !s.refused || l.buckets != nil {
		return
	}
	hold := l.whole.Ask(now, 1)
	if l.shown.Mark != 0 && hold.Limit != throttle.Refusal {
		return // what is announced stays with the whole
	}
	c := l.addCooldown(now, s.sole)
	if l.shown.Mark == 0 {
		c.sole, c.limiter = true, l.whole
	} else {
		c.closed = hold.At
	}
	l.whole = newThrottle(l.policy, now)
	l.before = nil
	c.refused, c.until = now, c.readyAt(now)
	s.suspect(c)
}

// readyAt returns when the route opens, or now if that depends on an answer.
func (c *cooldown) readyAt(now time.Time) time.Time {
	if at := c.ask(now, 1).At; !at.IsZero() {
		return at
	}
	return now
}

// ask returns when a request of the route may go.
func (c *cooldown) ask(now time.Time, cost int) limit.Decision {
	if now.Before(c.closed) {
		return limit.Decision{At: c.closed, Limit: throttle.Refusal}
	}
	return c.limiter.Ask(now, cost)
}

// send takes in that a request of the route is sent.
func (c *cooldown) send(now time.Time, cost int) throttle.Reservation {
	if c.sent++; c.sent > fewMemory {
		c.sent, c.refusals = c.sent/2, c.refusals/2
	}
	return c.limiter.Take(now, cost)
}

// idle reports whether nothing is known of the route.
func (c *cooldown) idle(now time.Time) bool { return !now.Before(c.closed) && c.limiter.Idle(now) }

// pause returns how long a route stays closed that was refused for the first time. The
// server's word is never shortened.
func (l *keyState) pause(r *header.Reading) time.Duration {
	wait := r.Wait.Delay
	switch {
	case r.Wait.Known() && wait > 0:
		if !r.Wait.Explicit {
			wait += r.Wait.Resolution
		}
	case l.policy.Backoff != nil:
		wait = max(l.policy.Backoff(1), time.Millisecond)
	default:
		wait = time.Second
	}
	return wait + rand.N(min(wait/20, time.Second)+1)
}

func (l *keyState) addCooldown(now time.Time, route uint64) *cooldown {
	if len(l.cooldowns) >= maxCooldowns {
		maps.DeleteFunc(l.cooldowns, func(_ uint64, c *cooldown) bool {
			idle := c.idle(now)
			if idle {
				l.spread.forget(c)
			}
			return idle
		})
	}
	if len(l.cooldowns) >= maxCooldowns {
		return nil
	}
	if l.cooldowns == nil {
		l.cooldowns = make(map[uint64]*cooldown)
	}
	c := &cooldown{route: route, limiter: newThrottle(l.policy, now), sent: fewPrior}
	l.cooldowns[route] = c
	return c
}

// cool decides about a refusal that names no limit. It returns whether the refusal holds
// its route alone, and has taken it in then.
func (l *keyState) cool(now time.Time, a *attempt) bool {
	s, r, route := &l.spread, &a.reading, a.route.ID
	switch {
	case a.global || route == 0:
		return false
	case !s.shared:
		s.refused = true
		return false
	}
	wait, named := r.Wait.Delay, r.Wait.Known() && r.Wait.Delay > 0
	if c := l.cooldowns[route]; c == nil || c.apart < apartEnough {
		if s.presumed(route, wait, named) {
			return false
		}
	}
	c := l.cooldowns[route]
	if c != nil && a.own != c.limiter && a.taken.Before(c.refused) {
		if until := now.Add(wait); until.After(c.until) {
			c.closed, c.until = until, until
		}
		return true // sent before the route was first refused, and refused for the same reason
	}
	if c == nil || c.apart < apartEnough { // it has no limit of its own, as far as is known
		if same := s.agree(now, route, wait, named); s.agreement(len(same)) {
			l.merge(now, same, wait)
			s.named = named
			s.last, s.chance, s.mine, s.all = route, 1, 0, 0
			return false
		}
	}
	if c == nil {
		if c = l.addCooldown(now, route); c == nil {
			return false
		}
		if s.last == route && s.chance < unlikely {
			c.apart = apartEnough
		}
	}
	c.refusals++
	switch {
	case a.own != c.limiter:
		c.closed = now.Add(l.pause(r))
	case c.refusals < fewRefusals*c.sent && c.limiter.InFlight(now) <= 1:
		// Nothing else was under way that could tell a limit from chance.
		c.closed = now.Add(l.pause(r))
		c.limiter.Observe(now, a.ownTicket, outcome(r))
	default:
		c.limiter.Observe(now, a.ownTicket, r)
	}
	c.refused, c.until, c.named, c.spared = now, c.readyAt(now), named, 0
	s.suspect(c)
	return true
}

// merge takes in that refusals of several routes have one cause: they are about all.
func (l *keyState) merge(now time.Time, same []*cooldown, wait time.Duration) {
	l.spread.wide = true
	l.spread.longest = max(l.spread.longest, wait)
	for _, c := range same {
		// What was learned while there was no other route is a beginning for all.
		if lesson := c.limiter.Lesson(now); c.sole && !lesson.IsZero() {
			_ = l.whole.Restore(now, lesson) // it comes from a throttle
		}
		l.spread.forget(c)
		delete(l.cooldowns, c.route)
	}
}

// holder returns which of the limits of a request hold it back for longest.
func (l *keyState) holder(now time.Time, a *attempt) *throttle.Limiter {
	part := l.of(now, a)
	if a.scope != 0 {
		return part
	}
	own := l.cooldowns[a.route.ID]
	if own == nil {
		return part
	}
	alone, whole := own.ask(now, a.Cost), part.Ask(now, a.Cost)
	if alone.After(&whole) {
		return own.limiter
	}
	return part
}

// statusOf returns what is believed of the limits that a request obeys.
func (l *keyState) statusOf(now time.Time, a *attempt) throttle.Status {
	s := l.of(now, a).Status(now)
	if a.scope != 0 {
		return s
	}
	own := l.cooldown(a.route.ID)
	if own == nil {
		return s
	}
	also := own.Status(now)
	s.Windows = append(s.Windows, also.Windows...)
	s.Refusals = max(s.Refusals, also.Refusals)
	for _, hold := range []time.Time{also.Hold, l.cooldowns[a.route.ID].closed} {
		if hold.After(now) && hold.After(s.Hold) {
			s.Hold = hold
		}
	}
	return s
}
