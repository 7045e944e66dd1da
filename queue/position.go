package queue

import (
	"cmp"
	"context"
	"time"
)

// A Position is the position of a request in the queue.
type Position struct {
	// Ahead is how many requests go first, as far as is known. It may grow if requests of a higher
	// priority arrive.
	Ahead int
	// Start is the earliest time at which the request will be sent, as far as is known; it may be sent
	// later. Zero if it is not known, as behind a bound on requests in flight.
	Start time.Time
	// Limit is the name of the limit that makes the request wait longest. Empty if none does.
	Limit string
}

// Waiting is a request in the queue, as passed to [Request.OnWait]. It is a small value. Its methods
// are safe for concurrent use.
type Waiting struct {
	t   *ticket
	gen uint32
}

// Position returns the current position of the request, and false if the request no longer waits. It
// takes time in proportion to the number of requests of the same key ahead of it.
func (w Waiting) Position() (Position, bool) {
	if w.t == nil {
		return Position{}, false
	}
	l := w.t.queue
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.t.gen != w.gen || w.t.state != waiting {
		return Position{}, false
	}
	return l.positionOf(w.t, l.now()), true
}

// Peek returns the position that r would have if it arrived now. It spends nothing. If r could be sent
// at once, Start is not after the current time and Ahead is 0.
func (l *Queue) Peek(r *Request) (Position, error) {
	if err := r.validate(); err != nil {
		return Position{}, err
	}
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase != open {
		return Position{}, &WaitError{Err: ErrClosed}
	}
	now := l.now()
	k, c := l.key(r.Key, now), l.classOf(id)
	t := l.ticket(k, c, r)
	t.demand, t.arrived = r.demand(), l.since(now)
	t.deadline, _ = l.deadlineOf(context.Background(), k, r, t.arrived)
	l.seq++
	t.seq, t.level = l.seq, r.level()
	// Joining the queue and leaving it again, without asking any limit in between, is the simplest way.
	l.join(t)
	p, err := l.positionOf(t, now), l.impossible(t, now)
	l.drop(t)
	l.recycle(t)
	l.dispatch(now)
	return p, err
}

// impossible returns the error for a request that costs more than a limit ever allows, or nil.
func (l *Queue) impossible(t *ticket, now time.Time) (err error) {
	d := t.asks(now)
	l.eachLimiter(t.flow, func(g *limiter) {
		if a := g.ask(now, &d); a.Max > 0 {
			err = newCostError(t.r, &a)
		}
	})
	return err
}

// eachLimiter calls do for all limiters that a flow has to pass.
func (l *Queue) eachLimiter(f *flow, do func(*limiter)) {
	if f.key.own != nil {
		do(&f.bucket.limiter)
	}
	for i := range f.kind.slots {
		do(l.limiterOf(f.key, &f.kind.slots[i]))
	}
	for _, g := range f.kind.limiters {
		do(g)
	}
}

// positionOf returns the position of a waiting ticket.
func (l *Queue) positionOf(t *ticket, now time.Time) Position {
	f := t.flow
	if f == &l.overflowed {
		return Position{Ahead: l.waiting + f.before(t).n}
	}
	own := f.before(t)
	p := Position{Ahead: own.n, Start: now}
	l.eachLimiter(f, func(g *limiter) {
		p.worsen(g, t, now, l.ahead(g, t, own))
	})
	return p
}

// worsen updates the position of t for limiter g, which the load ahead passes first.
func (p *Position) worsen(g *limiter, t *ticket, now time.Time, ahead load) {
	if p.Start.IsZero() {
		return // a limiter before g made it unknown
	}
	d := t.asks(now)
	a := g.ask(now, &d)
	start, name := a.Earliest(), a.Limit
	if a.Max <= 0 && !a.Unknown {
		if len(d.Units) > 0 {
			d.Units = t.flow.unitsTo(t)
		}
		f := g.limit.Forecast(now, ahead.cost, d)
		if f.At.After(start) {
			start = f.At
		}
		name = cmp.Or(name, f.Limit, g.name)
	}
	switch {
	case a.Unknown || g.flight() != nil && ahead.n > 0:
		*p = Position{Ahead: ahead.n, Limit: name}
	case start.After(p.Start):
		*p = Position{Ahead: ahead.n, Limit: name, Start: start}
	case p.Limit == "":
		p.Ahead = max(p.Ahead, ahead.n)
	}
}

// limiterAhead returns the limiter that the flow waits for, or nil.
func (f *flow) limiterAhead() *limiter {
	switch {
	case f.limiter != nil:
		return f.limiter
	case f.kind != nil:
		return f.entry().parked
	}
	return nil
}
