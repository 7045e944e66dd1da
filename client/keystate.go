package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// A learned is what is known of one key: the limits that the queue asks, and what
// it may spend on retries. The queue calls it under its lock.
type learned struct {
	transport *Transport
	key       string
	policy    throttle.Policy
	budget    *backoff.Budget
	circuit   circuit
	usage     usage

	// whole holds the limits of all requests, or of those that belong to no part.
	whole *throttle.Limiter
	// shown is the sign of the last response, and method and path are of its request.
	// Once there was another, routes tells the parts apart, and limits holds those of
	// each.
	shown  fingerprint
	method string
	path   string
	routes *buckets
	limits map[uint64]*throttle.Limiter
	// The requests that were sent before the key was split may be counted by any
	// part. Until they are answered, or that takes too long, the parts wait.
	flying   int // by limits of the whole
	stray    int // of those, before the split
	before   *throttle.Limiter
	patience time.Time

	// Refusals that name no limit hold their route, until it shows that they are about
	// all.
	spread    spread
	cooldowns map[uint64]*cooldown // by route

	counters map[uint64]*counters // by bucket
	lastPath string               // of the last request
	paths    bool                 // there were several

	epoch int // how often all this was forgotten

	shapes map[*throttle.Limiter][]shape // what observers know

	share Share // in a fleet; nil for none
}

// strayPatience is how long the parts wait for what was sent before the split.
const strayPatience = 2 * time.Second

func newKeyState(t *Transport, key string, s *settings, now time.Time) *learned {
	l := &learned{transport: t, key: key, policy: s.policy, budget: s.newBudget(), whole: newThrottle(s.policy, now)}
	if lesson, ok := s.memory[nameOf(key)]; ok {
		_ = l.whole.Restore(time.Now(), lesson) // it was tried before
		l.spread.wide = true
	}
	l.join(s.fleet)
	return l
}

func newThrottle(p throttle.Policy, now time.Time) *throttle.Limiter {
	k, err := throttle.New(p, now)
	if err != nil {
		panic(err) // the policy was tried before
	}
	return k
}

// Ask implements queue.Limit.
func (l *learned) Ask(now time.Time, r *queue.Request) queue.Decision {
	part := l.whole
	var own *cooldown
	asks, _ := r.Tag.(*attempt)
	if asks != nil {
		if asks.scope == 0 {
			l.enter(now, asks.route.id)
			own = l.cooldowns[asks.route.id]
		}
		part = l.of(now, asks)
	}
	if l.stray > 0 && part != l.whole && now.Before(l.patience) {
		return queue.Decision{At: l.patience, Name: throttle.FirstAnswer}
	}
	a := l.ask(now, part, r, asks)
	a = l.relax(now, a, asks)
	if own != nil {
		a = later(a, l.relax(now, own.ask(now, r.Cost), asks))
	}
	return queue.Decision{At: a.At, Name: a.Name, Unknown: a.At.IsZero() && a.Max == 0, Max: a.Max, Voluntary: a.Paced > 0}
}

// relax returns an answer less what it asks of an attempt that has no patience for it:
// pacing is voluntary, and a belief may be tried.
func (l *learned) relax(now time.Time, a throttle.Decision, asks *attempt) throttle.Decision {
	switch {
	case asks == nil:
	case a.Try && !asks.awaits(a.At, l.transport.maxWait):
		return throttle.Decision{At: now}
	case a.Paced > 0:
		a.At = asks.paced(now, a.At, a.Paced, l.transport.maxWait)
	}
	return a
}

// Take implements queue.Limit.
func (l *learned) Take(now time.Time, r *queue.Request) {
	a, ok := r.Tag.(*attempt)
	if !ok { // somebody uses the queue for what is no request of ours
		l.whole.Abandon(now, l.whole.Take(now, r.Cost))
		return
	}
	a.taken, a.key, a.epoch = now, l, l.epoch
	a.part = l.of(now, a)
	a.ticket = a.part.Take(now, r.Cost)
	l.takeShare(now, a)
	if a.scope == 0 {
		l.sent(now, a)
	}
	if a.part == l.whole {
		l.flying++
	}
}

// sent takes in that an attempt is sent that the caller gave no scope.
func (l *learned) sent(now time.Time, a *attempt) {
	l.spread.sent(a.route.id)
	if path := a.req.URL.Path; !l.paths && path != l.lastPath {
		l.lastPath, l.paths = path, l.lastPath != ""
	}
	if (l.paths || l.spread.shared) && l.shown.mark != 0 {
		if a.counters = l.countersOf(l.bucket(a)); a.counters != nil {
			a.seen = a.counters.sent(a.groupsOf())
		}
	}
	if own := l.cooldowns[a.route.id]; own != nil {
		a.own, a.ownTicket = own.limiter, own.send(now, a.Cost)
	}
}

// Return implements queue.Returner.
func (l *learned) Return(_ time.Time, r *queue.Request) {
	a, ok := r.Tag.(*attempt)
	if ok {
		l.cancelShare(a)
	}
	if ok && !l.late(a) {
		l.landed(a)
		a.part.Cancel(a.ticket)
		if a.own != nil {
			a.own.Cancel(a.ownTicket)
		}
	}
}

// lose notes that an attempt got no answer.
func (l *learned) lose(now time.Time, a *attempt) {
	l.abandonShare(now, a)
	if l.late(a) {
		return
	}
	l.landed(a)
	a.part.Abandon(now, a.ticket)
	if a.own != nil {
		a.own.Abandon(now, a.ownTicket)
	}
}

// landed notes that an attempt is over.
func (l *learned) landed(a *attempt) {
	switch a.part {
	case l.whole:
		l.flying--
	case l.before:
		l.stray--
	}
}

// Idle implements queue.Idler.
func (l *learned) Idle(now time.Time) bool {
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
	return l.whole.Idle(now) && (l.share == nil || l.share.Idle(now))
}

// of returns the limits that a request obeys.
func (l *learned) of(now time.Time, a *attempt) *throttle.Limiter {
	if a.scope != 0 {
		return l.part(now, a.scope)
	}
	if m := l.refine(l.bucket(a), a); m != 0 {
		return l.part(now, m)
	}
	return l.whole
}

// bucket returns the mark of what a request shares its limits with, as far as responses
// name them; 0 is the whole.
func (l *learned) bucket(a *attempt) uint64 {
	if l.routes == nil {
		return 0
	}
	return l.routes.of(a.route.name)
}

// maxParts is how many parts of a key have limits of their own at a time.
const maxParts = 1024

// part returns the limits of a part, which are unknown at first.
func (l *learned) part(now time.Time, m uint64) *throttle.Limiter {
	if k := l.limits[m]; k != nil {
		return k
	}
	if len(l.limits) >= maxParts {
		maps.DeleteFunc(l.limits, func(_ uint64, k *throttle.Limiter) bool { return k.Idle(now) })
		clear(l.shapes)
	}
	if len(l.limits) >= maxParts { // those in use are many: any of them is learned again soon
		for other := range l.limits {
			delete(l.limits, other)
			break
		}
	}
	if l.limits == nil {
		l.limits = make(map[uint64]*throttle.Limiter)
	}
	k := newThrottle(l.policy, now)
	l.limits[m] = k
	return k
}

// receive takes in the response to an attempt.
func (l *learned) receive(now time.Time, a *attempt) {
	if l.late(a) {
		return
	}
	l.landed(a)
	r := &a.reading
	shown := signOf(r)
	if shown.mark != 0 && !r.Refused && !r.Stale && a.scope == 0 {
		l.show(now, a, shown)
	}
	l.watchCounters(now, a)
	belongs := a.part
	if a.scope == 0 && (l.routes != nil || a.counters != nil) {
		belongs = l.of(now, a)
	}
	if finalError(r) != nil {
		// No wait ends it, and it says nothing of others.
		a.part.Observe(now, a.ticket, unrefused(r))
		if a.own != nil && a.own != a.part {
			a.own.Observe(now, a.ownTicket, outcome(r))
		}
		return
	}
	bare := r.Refused && a.scope == 0 && !explained(r) && !r.Overloaded() // what is overloaded limits nobody
	if bare && a.part == l.cooldown(a.route.id) {
		a.own, a.ownTicket = a.part, a.ticket // it became one while it was under way
	}
	if bare && l.cool(now, a) {
		if a.part != a.own {
			a.part.Observe(now, a.ticket, unrefused(r))
		}
		return
	}
	if a.own != nil && a.own != a.part {
		a.own.Observe(now, a.ownTicket, outcome(r))
	}
	if a.scope == 0 && !r.Refused {
		l.spread.served(a.route.id, a.taken)
	}
	if belongs == a.part {
		a.part.Observe(now, a.ticket, r)
	} else {
		// It was sent before it was known where it belongs.
		a.part.Observe(now, a.ticket, &header.Reading{})
		if r.Refused || l.stray == 0 {
			tell(belongs, now, r)
		}
	}
	if bare && l.limits != nil {
		l.refuseAll(now, belongs, r)
	}
}

// unrefused returns what a response says of limits that are not the reason why it is a
// refusal.
func unrefused(r *header.Reading) *header.Reading {
	return &header.Reading{Windows: r.Windows, Date: r.Date, Stale: r.Stale || len(r.Windows) == 0}
}

// outcome returns what a response says to a cooldown: that the request was served, or
// nothing if it was refused by a limit that is known.
func outcome(r *header.Reading) *header.Reading {
	return &header.Reading{Date: r.Date, Stale: r.Stale || r.Refused}
}

// show notes what a response tells its limits by, and splits the key when routes
// turn out to tell them by different things.
func (l *learned) show(now time.Time, a *attempt, shown fingerprint) {
	before, method, path := l.shown, l.method, l.path
	l.shown, l.method, l.path = shown, a.req.Method, a.req.URL.Path
	if l.routes == nil {
		if before.mark == 0 || before.mark == shown.mark {
			return
		}
		l.routes = newParts(routeFrom(method, path), before)
	}
	if l.routes.show(a.route.name, shown, before) {
		l.before, l.whole = l.whole, newThrottle(l.policy, now)
		l.flying, l.stray = 0, l.flying
		l.patience = now.Add(strayPatience)
	}
}

// refuseAll passes a refusal that names no limit on to the other parts: it may have
// been for all of them.
func (l *learned) refuseAll(now time.Time, told *throttle.Limiter, r *header.Reading) {
	for _, part := range l.limits {
		if part != told {
			tell(part, now, r)
		}
	}
	if l.whole != told {
		tell(l.whole, now, r)
	}
}

// tell passes on a response to a request that a throttle did not send.
func tell(k *throttle.Limiter, now time.Time, r *header.Reading) {
	k.Observe(now, k.Take(now, 1), r)
}
