package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A learned is what is known of one key: the limits that the queue asks, and what
// it may spend on retries. The queue calls it under its lock.
type learned struct {
	limit.NoHooks // what is over is taken in with the response

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

	usageRead chan struct{} // closed when the usage endpoint was read; nil if it never was

	shapes map[*throttle.Limiter][]shape // what observers know

	share Share // in a fleet; nil for none
}

// strayPatience is how long the parts wait for what was sent before the split.
const strayPatience = 2 * time.Second

func newKeyState(t *Transport, key string, s *settings, now time.Time) *learned {
	l := &learned{transport: t, key: key, policy: s.policy, budget: s.newBudget(), whole: newThrottle(s.policy, now)}
	if lesson, ok := s.memory[nameOf(key)]; ok {
		_ = l.whole.Restore(time.Now(), lesson) // what is impossible is ignored
		l.spread.wide = lesson.Limit > 0 || lesson.Rate > 0
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

// Ask implements [limit.Limiter].
func (l *learned) Ask(now time.Time, d limit.Demand) limit.Decision {
	asks, ok := d.Tag.(*attempt)
	if !ok {
		return limit.Decision{At: l.opens(now)}
	}
	if asks.arrived.IsZero() {
		asks.arrived = now
	}
	var own *cooldown
	if asks.scope == 0 {
		l.enter(now, asks.route.id)
		own = l.cooldowns[asks.route.id]
	}
	part := l.of(now, asks)
	if l.stray > 0 && part != l.whole && now.Before(l.patience) {
		return limit.Decision{At: l.patience, Limit: throttle.FirstAnswer}
	}
	a := l.ask(now, part, d.Requests, asks)
	a = l.relax(now, a, asks)
	if own != nil {
		if b := l.relax(now, own.ask(now, d.Requests), asks); b.After(&a) {
			a = b
		}
	}
	return a
}

// opens returns when none of the limits of the key holds back a request any more, as far as is known. It
// is what the queue asks with no request in hand: a key of which any limit holds is worth keeping.
func (l *learned) opens(now time.Time) (at time.Time) {
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
	return at
}

// relax returns an answer less what it asks of an attempt that has no patience for it:
// pacing is voluntary, and a belief may be tried.
func (l *learned) relax(now time.Time, a limit.Decision, asks *attempt) limit.Decision {
	switch {
	case !a.Until.IsZero() && !asks.awaits(a.Until, l.transport.maxWait):
		if a.Try {
			return limit.Decision{At: now}
		}
		a.At = a.Until
	case a.Try && !asks.awaits(a.At, l.transport.maxWait):
		return limit.Decision{At: now}
	case a.Paced > 0:
		a.At = asks.paced(now, a.At, a.Paced, l.transport.maxWait)
	}
	return a
}

// Take implements [limit.Limiter].
func (l *learned) Take(now time.Time, d limit.Demand) {
	a, ok := d.Tag.(*attempt)
	if !ok { // the program uses the queue for what is no request of the transport
		l.whole.Abandon(now, l.whole.Take(now, d.Requests))
		return
	}
	a.taken, a.key, a.epoch = now, l, l.epoch
	a.part = l.of(now, a)
	a.ticket = a.reserve(a.part, now, d.Requests)
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

// Cancel implements [limit.Limiter].
func (l *learned) Cancel(_ time.Time, d limit.Demand) {
	a, ok := d.Tag.(*attempt)
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

// Idle implements [limit.Limiter].
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
