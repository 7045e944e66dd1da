package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An outage is the time in which a route serves nothing. A route whose refusals end is worth
// waiting for; one that refuses every request, while other routes are served, is not: callers would
// wait for it, one after the other, instead of sending requests that are served.
type outage struct {
	began  time.Time // when the first refusal came; zero while the route serves requests
	until  time.Time // when the wait of the last round ends
	rounds int       // refusals of requests that were sent after the wait of the one before
	served int       // requests of the key that were served before it began
	// longest is the longest outage that ended. It tells how long the route may be closed.
	longest time.Duration
	lasting bool // no request waits for the route any more
}

const (
	// lastingRounds is how many refused rounds, and lastingAfter for how long, make the outage of a
	// route lasting that has never served a request. That is what a single request would try.
	lastingRounds = 4
	lastingAfter  = 15 * time.Second
	// A route that has served requests may open with the next minute.
	lastingAfterMinute = 75 * time.Second
)

// outage returns the outage of the route of a request that was refused, or nil if the refusal is
// not evidence of one.
func (l *keyState) outage(a *attempt) *outage {
	if !l.spread.shared || a.route.ID == 0 || a.global || a.reading.Exhausted() {
		return nil
	}
	o := l.outages[a.route.ID]
	if o != nil {
		return o
	}
	if len(l.outages) >= maxCooldowns {
		maps.DeleteFunc(l.outages, func(_ uint64, o *outage) bool { return o.began.IsZero() })
	}
	if len(l.outages) >= maxCooldowns {
		return nil
	}
	if l.outages == nil {
		l.outages = make(map[uint64]*outage)
	}
	o = new(outage)
	l.outages[a.route.ID] = o
	return o
}

// refuse takes in a refusal.
func (o *outage) refuse(now time.Time, l *keyState, a *attempt) {
	if o.began.IsZero() {
		o.began, o.until, o.rounds, o.served = now, time.Time{}, 0, l.served
	}
	if a.taken.Before(o.until) {
		return // it was sent before the wait was over
	}
	o.rounds++
	o.until = now.Add(max(0, a.reading.Wait.Delay))
	after := lastingAfter
	if a.route.Served.Load() {
		after = lastingAfterMinute
		if longest := o.longest; longest <= l.transport.maxWait || l.transport.maxWait == 0 {
			after = max(after, longest+longest/4)
		}
	}
	o.lasting = o.lasting || o.alone(l) && o.rounds >= lastingRounds && now.Sub(o.began) >= after
}

// alone reports whether enough requests of other routes were served meanwhile.
func (o *outage) alone(l *keyState) bool { return l.served-o.served >= sparedEnough }

// serveRoute notes that a request was served, which ends the outage of its route.
func (l *keyState) serveRoute(now time.Time, a *attempt) {
	l.served++
	if !a.route.Served.Load() {
		a.route.Served.Store(true)
	}
	if o := l.outages[a.route.ID]; o != nil && !o.began.IsZero() && !a.taken.Before(o.began) {
		*o = outage{longest: max(o.longest, now.Sub(o.began))}
	}
}

// refuseAlone takes in a refusal of a route. It reports whether the refusal holds back no other request:
// the outage of the route lasts, or the server is overloaded only there.
func (l *keyState) refuseAlone(now time.Time, a *attempt) bool {
	o := l.outage(a)
	if o == nil {
		return false
	}
	lasted := o.lasting
	o.refuse(now, l, a)
	if o.lasting && !lasted {
		l.open(now, a.route.ID)
	}
	a.lasting = o.lasting
	return o.lasting || a.reading.Overloaded() && o.alone(l)
}

// open ends the wait for a route.
func (l *keyState) open(now time.Time, route uint64) {
	c := l.cooldowns[route]
	if c == nil {
		return
	}
	c.limiter.ForgetRefusals(now)
	c.closed, c.until, c.apart = time.Time{}, now, apartEnough
	l.spread.forget(c)
}

// observeAlone passes on what a refusal says that holds back no other request.
func (a *attempt) observeAlone(now time.Time, r *header.Reading) {
	a.part.Observe(now, a.ticket, unrefused(r))
	if a.own != nil && a.own != a.part {
		a.own.Observe(now, a.ownTicket, outcome(r))
	}
}
