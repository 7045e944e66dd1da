package client

import (
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/client/internal/spread"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A keyState is what the client knows of one key: its limits, which the queue asks, and its budget
// for retries. The queue's lock guards it.
type keyState struct {
	limit.NoHooks

	transport *Transport
	key       string
	policy    throttle.Policy
	budget    *backoff.Budget
	circuit   circuit
	usage     usage

	// whole holds the limits of all requests of the key or, if some buckets have limits of their own,
	// of all other requests.
	whole *throttle.Limiter
	// shown is the fingerprint of the last response, and shownBy the route of its request.
	// As soon as a response shows other limits, buckets determines which requests share limits, and
	// limits holds those of each bucket.
	shown   sharing.Fingerprint
	shownBy *sharing.Route
	buckets *sharing.Buckets
	untold  sharing.Untold
	limits  map[uint64]*throttle.Limiter
	apart   bool  // some of them are not those of scopes
	above   above // limits
	// Requests that were sent before the key was split may count in any bucket. The buckets wait until
	// these requests are answered, or until patience.
	before   *throttle.Limiter // whole before the split; nil without one
	patience time.Time

	// Refusals that name no limit delay their route, until other refusals show that they concern all.
	spread    spread.Estimator
	places    sharing.Places
	drought   sharing.Drought
	cooldowns map[uint64]*cooldown // by route
	outages   map[uint64]*outage   // by route
	badURL    badURL
	served    uint64 // requests
	refused   uint64 // requests, because of no limit that was named, once there were several routes

	counters  map[uint64]*sharing.Counters // by bucket
	models    map[uint64]*sharing.Models   // by bucket; nil if requests name no models
	lastPath  string                       // of the last request
	lastOwner uint64                       // that the last request named; see sharing.OwnerOf
	paths     bool                         // requests had several paths or owners

	epoch int // how often Forget was called

	usageRead chan struct{} // closed when the usage endpoint has been read; nil before the first request

	shapes map[*throttle.Limiter][]shape // as observers saw them last

	share Share // of a fleet; nil without one
}

func newKeyState(t *Transport, key string, s *settings, now time.Time) *keyState {
	l := &keyState{transport: t, key: key, policy: s.policy, budget: s.newBudget(), whole: newThrottle(s.policy, now)}
	if lesson, ok := s.memory[nameOf(key)]; ok {
		_ = l.whole.Restore(time.Now(), lesson) // it ignores what is impossible
		l.spread.Presume(lesson.Limit > 0 || lesson.Rate > 0)
	}
	l.join(s.fleet)
	return l
}

func newThrottle(p throttle.Policy, now time.Time) *throttle.Limiter {
	k, err := throttle.New(p, now)
	if err != nil {
		panic(err) // NewTransport has validated the policy
	}
	return k
}

// update calls f with the state of a key under the queue's lock, which then reconsiders the waiting
// requests of the key.
func (t *Transport) update(key string, f func(l *keyState, now time.Time)) {
	t.queue.Update(key, func(now time.Time, own limit.Limiter) { f(own.(*keyState), now) })
}

// Ask implements [limit.Limiter].
func (l *keyState) Ask(now time.Time, d limit.Demand) (a limit.Decision) {
	asks, ok := d.Tag.(*attempt)
	if !ok {
		return limit.Decision{At: l.opens(now)}
	}
	var own *cooldown
	if asks.scope == 0 {
		place := l.placeOf(asks)
		l.noteRoute(now, place)
		own = l.cooldowns[place]
	}
	part := l.limiterOf(now, asks)
	if part != l.whole && now.Before(l.patience) && l.strays(now) {
		return limit.Decision{At: l.patience, Limit: throttle.FirstAnswer}
	}
	a = l.ask(now, part, &d, asks)
	a.Relax(now, &d)
	if a.At.After(now) {
		if l.hurry(now, &a, asks); asks.testsKeys(now) {
			a = limit.Decision{At: now}
		}
	}
	l.above.ask(now, &a, &d, asks)
	l.badURL.hurry(now, &a, &d, asks)
	if own != nil {
		b := own.ask(now, d.Requests)
		b.Relax(now, &d)
		if l.badURL.hurry(now, &b, &d, asks); b.After(&a) {
			a = b
		}
	}
	l.pair(now, &a, asks)
	l.sparse(now, &a, asks)
	return a
}

// Forecast implements [limit.Limiter].
func (l *keyState) Forecast(now time.Time, ahead int, d limit.Demand) limit.Decision {
	a, ok := d.Tag.(*attempt)
	if !ok {
		return limit.Decision{}
	}
	part := l.limiterOf(now, a)
	if l.shares(part, a) {
		return limit.Decision{}
	}
	f := part.Forecast(now, ahead)
	if ahead == 0 {
		l.hurry(now, &f, a)
	}
	return f
}

// ask asks the limits of a part of the key.
func (l *keyState) ask(now time.Time, part *throttle.Limiter, d *limit.Demand, a *attempt) limit.Decision {
	switch {
	case l.shares(part, a):
		return l.askShared(now, part, *d, a)
	case d.Plain():
		return part.Ask(now, 1)
	}
	return part.AskFor(now, *d)
}

// opens returns when no limit of the key holds back requests any more, as far as is known. The queue asks
// without a request before it forgets a key: a key whose limits hold back requests is worth keeping.
func (l *keyState) opens(now time.Time) (at time.Time) {
	at = l.whole.Ask(now, 1).At
	for _, part := range l.limits {
		if next := part.Ask(now, 1).At; next.After(at) {
			at = next
		}
	}
	for _, c := range l.cooldowns {
		if next := c.ask(now, 1).At; next.After(at) {
			at = next
		}
	}
	return l.above.opens(now, at)
}

// Take implements [limit.Limiter].
func (l *keyState) Take(now time.Time, d limit.Demand) {
	a, ok := d.Tag.(*attempt)
	if !ok { // the program uses the transport's queue for requests of its own
		l.whole.Abandon(now, l.whole.Take(now, d.Requests))
		return
	}
	a.delay, a.taken, a.key, a.epoch = d.Waited, now, l, l.epoch
	a.part, a.explores = l.limiterOf(now, a), 0
	l.takePair(now, a)
	l.tryURL(now, a)
	l.explores(now, a, d)
	if d.Plain() {
		a.ticket = a.part.Take(now, 1)
	} else {
		a.ticket = a.part.TakeFor(now, d)
	}
	a.ticket.Retry = a.again
	if a.half == sharing.Neither {
		a.takeAbove(now, &l.above)
	}
	l.takeShare(now, a)
	if a.scope == 0 {
		l.sent(now, a)
	}
}

// sent counts an attempt without a scope as sent.
func (l *keyState) sent(now time.Time, a *attempt) {
	place := l.placeOf(a)
	l.spread.Sent(place)
	if l.places.Watches(a.route.ID) {
		l.places.Sent(now, a.route.ID, a.groupsOf())
	}
	l.drought.Send(now)
	a.untold = l.untold.Sent(l.tellerOf(a))
	if a.shown != nil {
		a.seenKeys = a.who.host.keys.Sent(now, a.shown)
	}
	if path := a.req.URL.Path; !l.paths && path != l.lastPath {
		l.lastPath, l.paths = path, l.lastPath != ""
	}
	if !l.paths && l.shown.Mark != 0 {
		if owner := sharing.OwnerOf(a.req); owner != 0 && owner != l.lastOwner {
			l.lastOwner, l.paths = owner, l.lastOwner != 0
		}
	}
	if (l.paths || l.spread.Shared()) && l.shown.Mark != 0 || l.counters != nil {
		l.count(now, a)
	}
	if own := l.cooldowns[place]; own != nil && a.half == sharing.Neither {
		a.own, a.ownTicket = own.limiter, own.limiter.Take(now, a.Cost)
		a.ownTicket.Retry = a.again
	}
}

// Cancel implements [limit.Limiter].
func (l *keyState) Cancel(_ time.Time, d limit.Demand) {
	a, ok := d.Tag.(*attempt)
	if ok {
		l.cancelShare(a)
		if a.shown != nil {
			a.who.host.keys.Lost(a.shown)
		}
	}
	if ok && !l.late(a) {
		l.untold.Lost(&a.untold)
		a.part.Cancel(a.ticket)
		a.cancelAbove()
		if a.own != nil {
			a.own.Cancel(a.ownTicket)
		}
	}
}

// Done implements [limit.Limiter]. It learns from the response to an attempt, or that there was none.
func (l *keyState) Done(now, _ time.Time, d limit.Demand) {
	a, ok := d.Tag.(*attempt)
	if !ok {
		return
	}
	a.over = now
	if !a.Retry {
		l.budget.Request(now)
	}
	l.usage.count(a, a.answered && a.reading.Refused)
	l.watchKeys(now, a)
	if !a.answered {
		l.lose(now, a)
		return
	}
	l.watchDrought(now, a)
	if r := &a.reading; r.Refused && !r.Wait.Explicit && a.part.Misled() {
		r.Wait = header.Wait{}
	}
	l.receive(now, a)
	l.observeShare(now, a)
	if a.streams() {
		a.follows = a.part.BeginBody(a.ticket)
	}
	if a.reading.Refused {
		a.refuser = l.holder(now, a) // the response may have changed which limits apply
		l.refusePlace(now, a)
	}
	if l.transport.observers != nil {
		l.believe(now, a)
	}
}

// Idle implements [limit.Limiter].
func (l *keyState) Idle(now time.Time) bool {
	for _, part := range l.limits {
		if !part.Idle(now) {
			return false
		}
	}
	for _, c := range l.cooldowns {
		if !c.idle(now) {
			return false
		}
	}
	return l.whole.Idle(now) && l.above.idle(now) && (l.share == nil || l.share.Idle(now))
}
