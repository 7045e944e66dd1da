package queue

import (
	"maps"
	"slices"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A load is what passes a limiter before some request does: the number of requests, as far as is known, and
// the cost of those that certainly go first. The queue turns callers away because of the cost, so it must
// never be too high.
type load struct{ n, cost int }

func (a load) plus(b load) load { return load{a.n + b.n, a.cost + b.cost} }

// total is the load of all requests in the flow, and one that of the first.
func (f *flow) total() load { return load{f.len(), f.cost} }
func (f *flow) one() load   { return load{1, f.head().r.cost()} }

// before returns the load ahead of t in its own flow, which passes the same limiters as t.
func (f *flow) before(t *ticket) (b load) {
	if t == f.others.back && t.r != nil && !t.r.ahead() {
		return load{f.len() - 1, f.cost - t.r.cost()}
	}
	for x := t.prev; x != nil; x = x.prev {
		b = b.plus(load{1, x.r.cost()})
	}
	if !t.r.ahead() {
		for x := f.retries.front; x != nil; x = x.next {
			b = b.plus(load{1, x.r.cost()})
		}
	}
	return b
}

// unitsTo returns, for each unit that t certainly spends, the least that t and the requests ahead of it in
// its flow spend of it.
func (f *flow) unitsTo(t *ticket) map[string]float64 {
	sum := maps.Clone(t.r.Units)
	left := maxRivals
	add := func(x *ticket, next func(*ticket) *ticket) {
		for ; x != nil && left > 0; x, left = next(x), left-1 {
			for unit := range sum {
				sum[unit] += max(0, x.r.Units[unit])
			}
		}
	}
	add(t.prev, func(x *ticket) *ticket { return x.prev })
	if !t.r.ahead() {
		add(f.retries.front, func(x *ticket) *ticket { return x.next })
	}
	return sum
}

// free reports whether no limit applies to the flow's key or bucket alone.
func (f *flow) free() bool { return f.key.own == nil && len(f.kind.slots) == 0 }

// binds reports whether every limit that holds back f also holds back other. If so, and the first request of
// f goes before other, then so do all requests of f.
func (f *flow) binds(other *flow) bool {
	if !f.kind.within(other.kind) {
		return false
	}
	return f.free() || f.key == other.key && f.kind == other.kind && (f.bucket == other.bucket || f.key.own == nil)
}

// within reports whether all shared limits of c are also limits of d.
func (c *class) within(d *class) bool {
	for _, g := range c.limiters {
		if c != d && !slices.Contains(d.limiters, g) {
			return false
		}
	}
	return true
}

// certain reports whether the first request of f, which is ready, goes before other if its turn comes first:
// all its shared limits are limits of other too, and no other waiting request spends those of its key, which
// have admitted it.
func (f *flow) certain(other *flow) bool {
	if !f.kind.within(other.kind) || int(f.key.waiting) > f.len() || f.key.own != nil && limit.Closes(f.key.own) {
		return false
	}
	for _, s := range f.kind.slots {
		if g := f.key.limiters[s.slot]; g == nil || limit.Closes(g.limit) {
			return false
		}
	}
	return true
}

// sure returns how much of f's load certainly goes before other, if its first request does: a limit that
// does not apply to other may hold back the rest.
func (f *flow) sure(other *flow) load {
	b := f.total()
	switch {
	case f.binds(other):
	case f.certain(other):
		b.cost = f.head().r.cost()
	default:
		b.cost = 0
	}
	return b
}

// ahead returns the load that passes limiter g before t does. own is the load ahead of t in its flow.
func (l *Queue) ahead(g *limiter, t *ticket, own load) load {
	f := t.flow
	var higher, equal load // by priority
	switch {
	case g.shared:
		higher, equal = l.rivals(g, t, own)
	case g != &f.bucket.limiter:
		higher, equal = f.siblings(g, t)
	default:
		higher = f.bucket.above(f)
	}
	higher.cost = min(higher.cost, l.mostBefore(f, own.n))
	return own.plus(equal).plus(higher)
}

// mostBefore returns how many requests of higher priorities go, at the least, before the request with n ahead
// of it in flow f, if so many wait. It assumes that f's priority gets its minimum share at each of its
// limiters, and is owed the most already.
func (l *Queue) mostBefore(f *flow, n int) int {
	if l.floor == 0 {
		return 1<<62 - 1
	}
	limiters := len(f.kind.slots) + len(f.kind.limiters)
	if f.key.own != nil {
		limiters++
	}
	most := share{floor: l.floor}
	return max(0, (1000*(n+1)-limiters*int(most.limit()+l.floor))/(limiters*int(l.floor))-n)
}

// above returns the load of higher priorities in the flow's bucket.
func (n *bucket) above(f *flow) (b load) {
	for _, x := range n.flows {
		if x.level > f.level {
			b = b.plus(x.waitsAt(f))
		}
	}
	return b
}

// waitsAt returns the load of f that passes a limiter of the key before other does, if f is ahead of other.
func (f *flow) waitsAt(other *flow) load {
	b := f.total()
	if !f.binds(other) {
		b.cost = 0 // another limit may hold it back meanwhile
	}
	return b
}

// takesBefore returns the load of f that goes before a request in flow other, of the same class and priority,
// with own ahead of it: the requests that start earlier in the virtual time of the class.
func (f *flow) takesBefore(other *flow, own load) load {
	earlier := f.tag < other.tag || f.tag == other.tag && f.arrival() < other.arrival()
	b, head := f.total(), f.one()
	b.n = min(b.n, own.n)
	if earlier {
		b.n = min(f.len(), own.n+1)
	}
	if span := other.tag + int64(own.cost) - f.tag; span > 0 || span == 0 && earlier {
		sure := f.sure(other).cost
		b.cost = min(head.cost, sure)
		if int(f.key.waiting) == f.len() { // otherwise other flows of the key take part of the span
			b.cost = max(b.cost, int(min(int64(sure), span)))
		}
	} else {
		b.cost = 0
	}
	return b
}

// maxRivals bounds how many flows or tickets are considered, because the lock is held meanwhile.
const maxRivals = 64

// siblings returns the load of the key's other flows that passes limiter g, one of the key's, before t does.
func (f *flow) siblings(g *limiter, t *ticket) (higher, equal load) {
	left := maxRivals
	for n := range f.key.eachBucket {
		for _, x := range n.flows {
			switch {
			case left == 0 || x == f || !x.needs(g):
				continue
			case x.level > f.level:
				higher = higher.plus(x.waitsAt(f))
			case x.level == f.level && x.arrival() < t.arrival():
				b := x.one()
				if !x.binds(f) {
					b.cost = 0
				}
				equal = equal.plus(b)
			}
			left--
		}
	}
	return higher, equal
}

// needs reports whether the flow has to pass g, a limiter of its key.
func (f *flow) needs(g *limiter) bool {
	for _, s := range f.kind.slots {
		if f.key.limiters[s.slot] == g {
			return true
		}
	}
	return false
}

// rivals returns the load that passes shared limiter g before t does. own is the load ahead of t in its flow.
// Classes take turns: a new request may change whose turn it is, and a cheap one goes where an expensive one
// had to wait.
func (l *Queue) rivals(g *limiter, t *ticket, own load) (higher, equal load) {
	f, left := t.flow, maxRivals
	for level := f.level; int(level) < levels; level++ {
		ready := f.kind.entries[level].ready.ranks[level]
		for i, n := range ready {
			x := n.flow
			if left == 0 {
				if level > f.level {
					higher.n += len(ready) - i
				}
				break
			}
			left--
			switch {
			case x == f:
			case level > f.level:
				higher = higher.plus(x.sure(f))
			default:
				equal = equal.plus(x.takesBefore(f, own))
			}
		}
	}
	if g.waiting == nil {
		return higher, equal
	}
	for level := f.level; int(level) < levels; level++ {
		for _, n := range g.waiting.ranks[level] {
			if left == 0 {
				return higher, equal
			}
			left--
			s := n.entry
			switch first := s.first(); {
			case s.class == f.kind:
			case level > f.level:
				b := first.sure(f)
				higher = higher.plus(load{int(s.ready.n), b.cost})
			case first.turn < f.turn:
				b := load{n: 1}
				if cost := first.head().r.cost(); cost <= t.r.cost() {
					b.cost = min(first.sure(f).cost, cost)
				}
				equal = equal.plus(b)
			}
		}
	}
	return higher, equal
}
