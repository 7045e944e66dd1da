package queue

import (
	"slices"
	"time"
)

// Place is where a request stands in the line.
type Place struct {
	// Ahead is how many requests go first, as far as is known: more, if more of a higher priority come.
	Ahead int
	// Start is when the request will go if nothing else happens, as far as is known: not earlier, but
	// perhaps later. Zero if it is not known, as behind a bound on requests in flight.
	Start time.Time
	// Limit names the limit that holds the request back longest. Empty if none does.
	Limit string
}

// Waiting is a request in the line; see [Request]. It is a small value. Its method is safe for
// concurrent use.
type Waiting struct {
	t   *ticket
	gen uint32
}

// Place returns where the request stands now. It reports false when the request no longer waits. It
// takes time in proportion to the number of requests of the same key ahead.
func (w Waiting) Place() (Place, bool) {
	if w.t == nil {
		return Place{}, false
	}
	l := w.t.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.t.gen != w.gen || w.t.state != waiting {
		return Place{}, false
	}
	return l.placeOf(w.t, l.now()), true
}

// eachGate calls f for all limits that apply to a ticket in a flow of its key.
func (l *Line) eachGate(t *ticket, f func(*gate)) {
	if t.key.own != nil {
		f(&t.flow.lane.gate)
	}
	for i := range t.class.slots {
		f(l.gateOf(t.key, &t.class.slots[i]))
	}
	for _, g := range t.class.gates {
		f(g)
	}
}

// load is requests, and what they cost.
type load struct{ n, cost int }

func (a load) plus(b load) load   { return load{a.n + b.n, a.cost + b.cost} }
func (a load) atMost(b load) load { return load{min(a.n, b.n), min(a.cost, b.cost)} }
func (f *flow) total() load       { return load{f.len(), f.cost} }
func (f *flow) one() load         { return load{1, f.head().r.cost()} }

// before is what goes first in t's own flow.
func (f *flow) before(t *ticket) (b load) {
	if t == f.others.back && t.r != nil && !t.r.Retry {
		return load{f.len() - 1, f.cost - t.r.cost()}
	}
	for x := t.prev; x != nil; x = x.prev {
		b = b.plus(load{1, x.r.cost()})
	}
	if !t.r.Retry {
		for x := f.retries.front; x != nil; x = x.next {
			b = b.plus(load{1, x.r.cost()})
		}
	}
	return b
}

// placeOf works out where a waiting ticket stands.
func (l *Line) placeOf(t *ticket, now time.Time) Place {
	f := t.flow
	if f == &l.yard {
		return Place{Ahead: l.waiting + f.before(t).n}
	}
	own := f.before(t)
	p := Place{Ahead: own.n, Start: now}
	l.eachGate(t, func(g *gate) {
		ahead := own
		switch {
		case g.shared:
			ahead = ahead.plus(l.rivals(g, f, own))
		case g != &f.lane.gate:
			ahead = ahead.plus(f.siblings(t))
		default:
			ahead = ahead.plus(f.lane.above(f))
		}
		p.worsen(g, t, now, ahead)
	})
	return p
}

// worsen takes into account that t waits at g behind ahead.
func (p *Place) worsen(g *gate, t *ticket, now time.Time, ahead load) {
	if p.Start.IsZero() {
		return // it is not known already
	}
	a := g.ask(now, t.r)
	start := a.At
	if f, ok := g.limit.(Forecaster); ok && a.Max <= 0 && !a.Unknown {
		start = f.Forecast(now, ahead.cost, t.r)
	}
	if a.Name == "" {
		a.Name = g.nameOf()
	}
	switch {
	case a.Unknown || g.flight != nil && ahead.n > 0:
		*p = Place{Ahead: ahead.n, Limit: a.Name}
	case start.After(p.Start):
		*p = Place{Ahead: ahead.n, Limit: a.Name, Start: start}
	case p.Limit == "":
		p.Ahead = max(p.Ahead, ahead.n)
	}
}

// above is what goes first in the flow's lane.
func (n *lane) above(f *flow) (b load) {
	for _, x := range n.flows {
		if x.level > f.level {
			b = b.plus(x.total())
		}
	}
	return b
}

// maxRivals bounds how many flows are looked at, since the lock is held.
const maxRivals = 64

// siblings is what goes first in other flows of the key, at least.
func (f *flow) siblings(t *ticket) (b load) {
	left := maxRivals
	f.key.eachLane(func(n *lane) {
		for _, x := range n.flows {
			switch {
			case left == 0 || x == f:
				continue
			case x.level > f.level:
				b = b.plus(x.total())
			case x.level == f.level && x.head().seq < t.seq:
				b = b.plus(x.one())
			}
			left--
		}
	})
	return b
}

// rivals is what others send through a shared gate before a request goes that has own ahead in its
// flow f, at least: each rival as much as f does, if it has so much, and one that goes first one more.
func (l *Line) rivals(g *gate, f *flow, own load) (b load) {
	left := maxRivals
	count := func(c *class) {
		for level := f.level; int(level) < levels; level++ {
			for i, x := range c.ready.ranks[level] {
				if left == 0 {
					// Of the rest it is only certain that each has one.
					rest := len(c.ready.ranks[level]) - i
					b = b.plus(load{rest, rest})
					break
				}
				left--
				switch {
				case x.flow == f:
				case level > f.level:
					b = b.plus(x.flow.total())
				case byRank{}.less(x, &f.node):
					b = b.plus(x.flow.total().atMost(own.plus(x.flow.one())))
				default:
					b = b.plus(x.flow.total().atMost(own))
				}
			}
		}
	}
	count(f.kind)
	if g.crowd == nil {
		return b
	}
	for i := range g.crowd.ranks {
		for _, x := range g.crowd.ranks[i] {
			if left == 0 {
				return b
			}
			left--
			// A class has a seat for each of its priorities; it is counted at the first.
			if c := x.class; c != f.kind && !slices.ContainsFunc(c.seats[:i], func(n node) bool { return n.seated() }) {
				count(c)
			}
		}
	}
	return b
}

// gateAhead is the gate that the flow waits for, or nil.
func (f *flow) gateAhead() *gate {
	switch {
	case f.gate != nil:
		return f.gate
	case f.kind != nil:
		return f.kind.parked
	}
	return nil
}
