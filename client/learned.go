package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// A learned is what is known of one key: the limits that the line asks, and what
// it may spend on retries. The line calls it under its lock.
type learned struct {
	transport *Transport
	key       string
	policy    throttle.Policy
	budget    *backoff.Budget
	circuit   circuit
	usage     usage

	// whole holds the limits of all requests, or of those that belong to no part.
	whole *throttle.Throttle
	// shown is the sign of the last response, and method and path are of its request.
	// Once there was another, routes tells the parts apart, and limits holds those of
	// each.
	shown  sign
	method string
	path   string
	routes *parts
	limits map[uint64]*throttle.Throttle
	// The requests that were sent before the key was split may be counted by any
	// part. Until they are answered, or that takes too long, the parts wait.
	flying   int // by limits of the whole
	stray    int // of those, before the split
	before   *throttle.Throttle
	patience time.Time

	shapes map[*throttle.Throttle][]shape // what observers know
}

// strayPatience is how long the parts wait for what was sent before the split.
const strayPatience = 2 * time.Second

func newLearned(t *Transport, key string, s *settings, now time.Time) *learned {
	l := &learned{transport: t, key: key, policy: s.policy, budget: s.newBudget(), whole: newThrottle(s.policy, now)}
	if lesson, ok := s.memory[nameOf(key)]; ok {
		_ = l.whole.Resume(time.Now(), lesson) // it was tried before
	}
	return l
}

func newThrottle(p throttle.Policy, now time.Time) *throttle.Throttle {
	k, err := throttle.New(p, now)
	if err != nil {
		panic(err) // the policy was tried before
	}
	return k
}

// Ask implements queue.Limit.
func (l *learned) Ask(now time.Time, r *queue.Request) queue.Answer {
	part := l.whole
	if a, ok := r.Tag.(*attempt); ok {
		part = l.of(now, a)
	}
	if l.stray > 0 && part != l.whole && now.Before(l.patience) {
		return queue.Answer{At: l.patience, Name: throttle.FirstAnswer}
	}
	a := part.Ask(now, r.Cost)
	return queue.Answer{At: a.At, Name: a.Name, Unknown: a.At.IsZero() && a.Max == 0, Max: a.Max}
}

// Take implements queue.Limit.
func (l *learned) Take(now time.Time, r *queue.Request) {
	a, ok := r.Tag.(*attempt)
	if !ok { // somebody uses the line for what is no request of ours
		l.whole.Lose(now, l.whole.Send(now, r.Cost))
		return
	}
	a.taken, a.key = now, l
	a.part = l.of(now, a)
	a.ticket = a.part.Send(now, r.Cost)
	if a.part == l.whole {
		l.flying++
	}
}

// Return implements queue.Returner.
func (l *learned) Return(_ time.Time, r *queue.Request) {
	if a, ok := r.Tag.(*attempt); ok {
		l.landed(a)
		a.part.Return(a.ticket)
	}
}

// lose notes that an attempt got no answer.
func (l *learned) lose(now time.Time, a *attempt) {
	l.landed(a)
	a.part.Lose(now, a.ticket)
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
	return l.whole.Idle(now)
}

// of returns the limits that a request obeys.
func (l *learned) of(now time.Time, a *attempt) *throttle.Throttle {
	switch {
	case a.scope != 0:
		return l.part(now, a.scope)
	case l.routes == nil:
		return l.whole
	}
	if m := l.routes.of(a.routed()); m != 0 {
		return l.part(now, m)
	}
	return l.whole
}

// maxParts is how many parts of a key have limits of their own; those beyond obey
// those of the whole.
const maxParts = 256

// part returns the limits of a part, which are unknown at first.
func (l *learned) part(now time.Time, m uint64) *throttle.Throttle {
	if k := l.limits[m]; k != nil {
		return k
	}
	if len(l.limits) >= maxParts {
		maps.DeleteFunc(l.limits, func(_ uint64, k *throttle.Throttle) bool { return k.Idle(now) })
		clear(l.shapes)
	}
	if len(l.limits) >= maxParts {
		return l.whole
	}
	if l.limits == nil {
		l.limits = make(map[uint64]*throttle.Throttle)
	}
	k := newThrottle(l.policy, now)
	l.limits[m] = k
	return k
}

// receive takes in the response to an attempt.
func (l *learned) receive(now time.Time, a *attempt) {
	l.landed(a)
	shown := signOf(&a.reading)
	if shown.mark != 0 && !a.reading.Refused && !a.reading.Stale && a.scope == 0 {
		l.show(now, a, shown)
	}
	belongs := a.part
	if a.scope == 0 && l.routes != nil {
		belongs = l.of(now, a)
	}
	if belongs == a.part {
		a.part.Receive(now, a.ticket, &a.reading)
	} else {
		// It was sent before it was known where it belongs.
		a.part.Receive(now, a.ticket, &header.Reading{})
		if a.reading.Refused || l.stray == 0 {
			tell(belongs, now, &a.reading)
		}
	}
	if shown.mark == 0 && a.reading.Refused && a.scope == 0 {
		l.refuseAll(now, belongs, &a.reading)
	}
}

// show notes what a response tells its limits by, and splits the key when routes
// turn out to tell them by different things.
func (l *learned) show(now time.Time, a *attempt, shown sign) {
	before, method, path := l.shown, l.method, l.path
	l.shown, l.method, l.path = shown, a.req.Method, a.req.URL.Path
	if l.routes == nil {
		if before.mark == 0 || before.mark == shown.mark {
			return
		}
		l.routes = newParts(routeFrom(method, path), before)
	}
	l.transport.route(l.key, l.routes)
	if l.routes.show(a.routed(), shown, before) {
		l.before, l.whole = l.whole, newThrottle(l.policy, now)
		l.flying, l.stray = 0, l.flying
		l.patience = now.Add(strayPatience)
	}
}

// refuseAll passes a refusal that names no limit on to the other parts: it may have
// been for all of them.
func (l *learned) refuseAll(now time.Time, told *throttle.Throttle, r *header.Reading) {
	if l.limits == nil {
		return
	}
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
func tell(k *throttle.Throttle, now time.Time, r *header.Reading) {
	k.Receive(now, k.Send(now, 1), r)
}
