package client

import (
	"cmp"
	"hash/maphash"
	"maps"
	"net/url"
	"time"

	"github.com/forbear-go/forbear/client/internal/spread"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An outage is the time in which a route, a scope, or a key of which nothing was served yet, serves
// nothing. If its refusals end, it is worth waiting for; if it refuses every request, while other
// requests are served, it is not: callers would wait for it, one after the other, instead of sending
// requests that are served.
type outage struct {
	whole  bool      // it is that of a key
	began  time.Time // when the first refusal came; zero while the route serves requests
	until  time.Time // when the wait of the last round ends
	rounds int       // refusals of requests that were sent after the wait of the one before
	served uint64    // other requests that were served before it began
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
	lastingAfterServed = 75 * time.Second
)

// outage returns the outage to which the refusal of a request belongs, or nil if the refusal is not
// evidence of one.
func (l *keyState) outage(a *attempt) *outage {
	id := cmp.Or(a.scope, a.route.ID)
	switch {
	case a.global || a.reading.Exhausted():
		return nil
	case l.served == 0:
		id = 0 // that of the key
	case id == 0 || a.scope == 0 && !l.spread.Shared():
		return nil
	}
	o := l.outages[id]
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
	o = &outage{whole: id == 0}
	l.outages[id] = o
	return o
}

// refuse takes in a refusal.
func (o *outage) refuse(now time.Time, l *keyState, a *attempt) {
	if o.began.IsZero() {
		o.began, o.until, o.rounds, o.served = now, time.Time{}, 0, o.others(l)
	}
	if a.taken.Before(o.until) {
		return // it was sent before the wait was over
	}
	o.rounds++
	o.until = now.Add(max(0, a.reading.Wait.Delay))
	after := lastingAfter
	if !o.whole && a.route.Served.Load() {
		after = lastingAfterServed
		if most := l.transport.maxWait; most == 0 || o.longest <= most {
			after = max(after, o.longest+o.longest/4)
		}
	}
	o.lasting = o.lasting || o.alone(l) && o.rounds >= lastingRounds && now.Sub(o.began) >= after
}

// others returns how many other requests were served: of the key, or of all keys.
func (o *outage) others(l *keyState) uint64 {
	if o.whole {
		return l.transport.served.Load()
	}
	return l.served
}

// alone reports whether enough other requests were served meanwhile.
func (o *outage) alone(l *keyState) bool { return o.others(l)-o.served >= spread.Spared }

// serveRoute notes that a request was served, which ends the outage.
func (l *keyState) serveRoute(now time.Time, a *attempt) {
	if l.served == 0 {
		delete(l.outages, 0)
	}
	l.served++
	l.transport.served.Add(1)
	if !a.route.Served.Load() {
		a.route.Served.Store(true)
	}
	if o := l.outages[cmp.Or(a.scope, a.route.ID)]; o != nil && !o.began.IsZero() && !a.taken.Before(o.began) {
		*o = outage{longest: max(o.longest, now.Sub(o.began))}
	}
}

// refuseAlone takes in a refusal. It reports whether the refusal holds back no other request: it concerns its URL
// alone, the outage lasts, or the server is overloaded only there.
func (l *keyState) refuseAlone(now time.Time, a *attempt) bool {
	if l.badURL.refuse(now, a) {
		return true
	}
	o := l.outage(a)
	if o == nil {
		return false
	}
	lasted := o.lasting
	o.refuse(now, l, a)
	if o.lasting && !lasted {
		l.open(now, a, o)
	}
	a.lasting = o.lasting
	return o.lasting || a.reading.Overloaded() && o.alone(l)
}

// open ends the waits that the refusals of an outage caused.
func (l *keyState) open(now time.Time, a *attempt, o *outage) {
	switch {
	case o.whole:
		l.whole.ForgetRefusals(now)
		for _, part := range l.limits {
			part.ForgetRefusals(now)
		}
		l.above.forgetRefusals(now)
		for _, c := range l.cooldowns {
			l.release(now, c)
		}
	case a.scope != 0:
		a.part.ForgetRefusals(now)
	case l.cooldowns[l.placeOf(a)] != nil:
		c := l.cooldowns[l.placeOf(a)]
		c.SetApart()
		l.release(now, c)
	}
}

// release opens the route of a cooldown.
func (l *keyState) release(now time.Time, c *cooldown) {
	c.limiter.ForgetRefusals(now)
	c.closed, c.Until = time.Time{}, now
	l.spread.Forget(&c.Suspect)
}

// observeAlone passes on what a refusal says that holds back no other request.
func (a *attempt) observeAlone(now time.Time, r *header.Reading) {
	a.part.Observe(now, a.ticket, unrefused(r))
	if a.own != nil && a.own != a.part {
		a.own.Observe(now, a.ownTicket, outcome(r))
	}
}

// sparse delays a request that is sent too early while nothing is served to it, unless its own counter said that something
// is left.
func (l *keyState) sparse(now time.Time, a *limit.Decision, asks *attempt) {
	if asks.scope != 0 {
		return
	}
	next := l.drought.Next()
	if c := l.counters[l.bucket(asks)]; c != nil {
		next = c.Next(now, asks.groupsOf(), next)
	}
	if dry := (limit.Decision{At: next, Limit: throttle.Refusal}); next.After(now) && dry.After(a) {
		*a = dry
	}
}

// watchDrought notes whether a request was served.
func (l *keyState) watchDrought(now time.Time, a *attempt) {
	switch r := &a.reading; {
	case a.scope != 0 || l.late(a):
	case !r.Refused:
		l.drought.Serve()
		if a.counters != nil {
			a.counters.Serve(a.groupsOf())
		}
	case r.Exhausted() && r.Wait.Known():
		l.drought.Refuse(now, a.taken, now.Add(r.Wait.Delay))
		if a.counters != nil {
			a.counters.Refuse(now, a.taken, a.groupsOf(), now.Add(r.Wait.Delay))
		}
	}
}

// A badURL is that of the request that was refused last, and bidden to wait for long. Whether the refusal concerns it alone
// is not known: an item that is locked, a report that was made today. So where requests with other URLs cannot wait as long,
// and would fail, one of them goes now and then to find out, the more rarely the more of them were refused.
type badURL struct {
	sum   uint64        // 0 is none
	alone bool          // requests with other URLs are served
	next  time.Time     // when one may go
	pause time.Duration // until the next
}

const (
	badURLWait  = 5 * time.Second // is long
	badURLFirst = 2 * time.Second // pause
	badURLLast  = 10 * time.Minute
)

var urlSeed = maphash.MakeSeed()

func sumOf(u *url.URL) uint64 { return maphash.Comparable(urlSeed, [2]string{u.Path, u.RawQuery}) }

// refuse takes in a refusal. It reports whether it is known to concern its URL alone.
func (b *badURL) refuse(now time.Time, a *attempt) (alone bool) {
	if a.scope != 0 || a.global || a.reading.Exhausted() || a.reading.Overloaded() || a.reading.Wait.Delay < badURLWait {
		return false
	}
	sum := sumOf(a.req.URL)
	if b.alone && b.sum == sum {
		return true
	}
	if b.pause = max(b.pause, badURLFirst); a.triesURL {
		b.pause = min(2*b.pause, badURLLast)
	}
	b.sum, b.alone, b.next = sum, false, now.Add(b.pause)
	return false
}

// doubted reports whether a request is held back by the refusal of another URL, of which nothing shows that it concerns it.
func (b *badURL) doubted(a *attempt) bool {
	return b.sum != 0 && !b.alone && a.scope == 0 && b.sum != sumOf(a.req.URL)
}

// hurry has a request that a refusal holds back, and that cannot wait, wait no longer than until it may go to find out
// whether that concerns it.
func (b *badURL) hurry(now time.Time, hold *limit.Decision, d *limit.Demand, a *attempt) {
	if hold.Limit == throttle.Refusal && hold.At.After(now) && !d.Awaits(now, hold.At) && b.doubted(a) {
		sooner(hold, b.next)
	}
}

// sooner has a request that a limit holds back asked for again at a time, if that is earlier.
func sooner(hold *limit.Decision, at time.Time) {
	if at.Before(hold.At) {
		*hold = limit.Decision{At: at, Limit: hold.Limit}
	}
}

// tryURL notes that a request goes, and whether it is one to find out.
func (l *keyState) tryURL(now time.Time, a *attempt) {
	b := &l.badURL
	if a.triesURL = false; now.Before(b.next) || !b.doubted(a) {
		return
	}
	hold := l.held(now, a)
	if a.triesURL = hold.Limit == throttle.Refusal && hold.At.After(now); a.triesURL {
		b.next = now.Add(b.pause)
	}
}

// held returns what holds back a request: its limits, those above them, or the refusals of its route.
func (l *keyState) held(now time.Time, a *attempt) limit.Decision {
	hold := a.part.Ask(now, 1)
	if above := l.above.of(a); above != nil && hold.Admits(now) {
		hold = above.Ask(now, 1)
	}
	if own := l.cooldowns[l.placeOf(a)]; own != nil && hold.Admits(now) {
		hold = own.ask(now, 1)
	}
	return hold
}

// serveURL takes in that a request was served. If it went to find out, what held it back concerns another URL alone.
func (l *keyState) serveURL(now time.Time, a *attempt) {
	if !a.triesURL || l.badURL.alone {
		return
	}
	l.badURL.alone, l.badURL.pause = true, 0
	a.part.ForgetRefusals(now)
	l.above.forgetRefusals(now)
	if c := l.cooldowns[l.placeOf(a)]; c != nil {
		l.release(now, c)
	}
}
