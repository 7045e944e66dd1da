package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client/internal/spread"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A cooldown is the state of a route that the server refused without naming a limit. Whether such
// refusals concern the route alone or all requests of the key is not known. The route has a
// limiter of its own for them, in addition to that of its bucket.
type cooldown struct {
	spread.Suspect
	limiter *throttle.Limiter
	closed  time.Time // when the wait ends of a refusal of which the limiter learned nothing
	sole    bool      // the limiter learned while no other route was used
	sheds   bool      // the limiter shows that the server sheds load
}

const (
	// fewRefusals is the share of a key's requests below which refusals are rather chance, once so many were served.
	fewRefusals = .03
	fewPrior    = 80
	// maxCooldowns is how many routes of a key have a cooldown. Refusals of further routes delay the
	// whole key.
	maxCooldowns = 256
)

// cooldown returns the cooldown of a route, or nil.
func (l *keyState) cooldown(route uint64) *throttle.Limiter {
	if c := l.cooldowns[route]; c != nil {
		return c.limiter
	}
	return nil
}

// noteRoute notes that a request of a route arrives. If only one other route was used before, then what
// whole learned from refusals may apply to that route alone, and moves to its cooldown.
func (l *keyState) noteRoute(now time.Time, route uint64) {
	sole := l.spread.Arrive(route)
	if sole == 0 || l.buckets != nil {
		return
	}
	hold := l.whole.Ask(now, 1)
	if l.shown.Mark != 0 && hold.Limit != throttle.Refusal {
		return // announced limits stay with whole
	}
	c := l.addCooldown(now, sole)
	if l.shown.Mark == 0 {
		c.sole, c.limiter = true, l.whole
	} else {
		c.closed = hold.At
	}
	l.whole = newThrottle(l.policy, now)
	l.before = nil
	c.Refuse(now, now, c.readyAt(now), false)
	l.spread.Suspect(&c.Suspect)
}

// readyAt returns when the route opens, or now if that depends on a response.
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

// idle reports whether the cooldown can be forgotten.
func (c *cooldown) idle(now time.Time) bool { return !now.Before(c.closed) && c.limiter.Idle(now) }

// pause returns how long a route stays closed after its first refusal, which is never less than the
// server asked for.
func (l *keyState) pause(r *header.Reading) time.Duration {
	wait := r.Wait.Delay
	switch {
	case !r.Wait.Known() || wait <= 0:
		wait = max(l.policy.Backoff(1), time.Millisecond)
	case !r.Wait.Explicit:
		wait += r.Wait.Resolution
	}
	return backoff.ServerWait(wait)
}

// rarely reports whether the server refuses so few requests, of all routes, that it is rather chance: a limit
// refuses all that are sent until it opens.
func (l *keyState) rarely() bool {
	return l.served > fewPrior && float64(l.refused) < fewRefusals*float64(l.served)
}

// observeOwn lets the cooldown of the route learn from a response. As soon as it shows that the server sheds load, others
// that seem to have a limit are doubted: they may be so slow that they would be long in finding out by themselves.
func (l *keyState) observeOwn(now time.Time, a *attempt, r *header.Reading) {
	a.own.Observe(now, a.ownTicket, r)
	c := l.cooldowns[l.placeOf(a)]
	if c == nil || c.limiter != a.own || c.sheds == c.limiter.Sheds() {
		return
	}
	if c.sheds = !c.sheds; !c.sheds {
		return
	}
	for _, other := range l.cooldowns {
		if other != c {
			other.limiter.Doubt(now)
		}
	}
}

// shedsBeside reports whether the server sheds load, as it does on another route than that of c.
func (l *keyState) shedsBeside(c *cooldown) bool {
	for _, other := range l.cooldowns {
		if other != c && other.sheds {
			return true
		}
	}
	return false
}

func (l *keyState) addCooldown(now time.Time, route uint64) *cooldown {
	if len(l.cooldowns) >= maxCooldowns {
		maps.DeleteFunc(l.cooldowns, func(_ uint64, c *cooldown) bool {
			idle := c.idle(now)
			if idle {
				l.spread.Forget(&c.Suspect)
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
	c := &cooldown{Suspect: spread.Suspect{Route: route}, limiter: newThrottle(l.policy, now)}
	l.cooldowns[route] = c
	return c
}

// refuseRoute decides whether a refusal that names no limit concerns its route alone. If so, it lets the
// cooldown of the route learn from it, and returns true.
func (l *keyState) refuseRoute(now time.Time, a *attempt) bool {
	s, r, route := &l.spread, &a.reading, l.placeOf(a)
	switch {
	case a.global || route == 0:
		return false
	case !s.Shared():
		s.RefuseSole()
		return false
	}
	l.refused++
	wait, named := r.Wait.Delay, r.Wait.Known() && r.Wait.Delay > 0
	c := l.cooldowns[route]
	// Several models may be refused at once because all were asked for too much, and not for one cause.
	apart := a.model != "" || route != a.route.ID || c != nil && c.Apart()
	if !apart && s.Presumed(route, wait, named) {
		s.Close(now, a.taken, route, wait, named)
		return false
	}
	if c != nil && a.own != c.limiter && a.taken.Before(c.Refused) {
		if until := now.Add(wait); until.After(c.Until) {
			c.closed, c.Until = until, until
		}
		return true // it was sent before the route was refused, and refused for the same reason
	}
	if !apart { // the route has no limit of its own, as far as is known
		if same := s.Agree(now, route, wait, named); s.Agreement(len(same)) {
			l.merge(now, same)
			s.Widen(now, a.taken, route, wait, named)
			return false
		}
	}
	if c == nil {
		if c = l.addCooldown(now, route); c == nil {
			return false
		}
		if apart || s.Unlikely(route) {
			c.SetApart()
		}
	}
	switch {
	case a.own == c.limiter:
		if l.shedsBeside(c) {
			c.limiter.Doubt(now)
		}
		l.observeOwn(now, a, r)
	case !l.rarely():
		c.closed = now.Add(l.pause(r))
	}
	c.Refuse(now, a.taken, c.readyAt(now), named)
	s.Suspect(&c.Suspect)
	return true
}

// merge notes that the refusals of several routes have one cause and concern all routes.
func (l *keyState) merge(now time.Time, same []*spread.Suspect) {
	for _, s := range same {
		// What a limiter learned while there was no other route is a start for all.
		if c := l.cooldowns[s.Route]; c != nil && c.sole {
			if lesson := c.limiter.Lesson(now); !lesson.IsZero() {
				_ = l.whole.Restore(now, lesson) // the lesson of a limiter is valid
			}
		}
		l.spread.Forget(s)
		delete(l.cooldowns, s.Route)
	}
}

// separate notes that a refusal with which all routes closed concerns its own route alone, which opens at until.
func (l *keyState) separate(now time.Time, route uint64, until time.Time) {
	l.whole.ForgetRefusals(now)
	l.above.forgetRefusals(now)
	if c := l.addCooldown(now, route); c != nil {
		c.Refuse(now, now, until, true)
		c.closed = until
		l.spread.Suspect(&c.Suspect)
	}
}

// holder returns the limiter that holds back a request for longest.
func (l *keyState) holder(now time.Time, a *attempt) *throttle.Limiter {
	holds := l.limiterOf(now, a)
	own, above := l.cooldowns[l.placeOf(a)], l.above.of(a)
	if own == nil && above == nil {
		return holds
	}
	longest := holds.Ask(now, a.Cost)
	if above != nil {
		if next := above.Ask(now, a.Cost); next.After(&longest) {
			holds, longest = above, next
		}
	}
	if own != nil && a.scope == 0 {
		if next := own.ask(now, a.Cost); next.After(&longest) {
			holds = own.limiter
		}
	}
	return holds
}
