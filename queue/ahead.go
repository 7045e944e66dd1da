package queue

import (
	"maps"
	"slices"

	"github.com/forbear-go/forbear/throttle/limit"
)

// load is what goes before a request through a limiter: how many requests, as far as is known, and what those
// cost that go first for certain, unless something unforeseen happens. A caller is turned away for the
// cost alone, so that must never be too much.
type load struct{ n, cost int }

func (a load) plus(b load) load { return load{a.n + b.n, a.cost + b.cost} }

// total is all that waits in the flow, and one is its first.
func (f *flow) total() load { return load{f.len(), f.cost} }
func (f *flow) one() load   { return load{1, f.head().r.cost()} }

// before is what goes first in t's own flow. It passes the same limiters as t.
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

// unitsTo is what t spends, of each unit that it surely spends something of, with all that go first in
// its own flow, at least.
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
	if !t.r.Retry {
		add(f.retries.front, func(x *ticket) *ticket { return x.next })
	}
	return sum
}

// free reports whether no limit counts the requests of the flow's key, or of its bucket, by themselves.
func (f *flow) free() bool { return f.key.own == nil && len(f.kind.slots) == 0 }

// binds reports whether whatever holds back f also holds back other: then all of f goes first if its
// first does.
func (f *flow) binds(other *flow) bool {
	if !f.kind.within(other.kind) {
		return false
	}
	return f.free() || f.key == other.key && f.kind == other.kind && (f.bucket == other.bucket || f.key.own == nil)
}

// within reports whether all shared limits of c are limits of d too.
func (c *class) within(d *class) bool {
	for _, g := range c.limiters {
		if c != d && !slices.Contains(d.limiters, g) {
			return false
		}
	}
	return true
}

// certain reports whether f's first, which is ready, goes before another flow if it has its turn before.
// Its shared limits are all limits of the other too, and those of its key were asked and are spent by
// nothing else that waits.
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

// sure is how much of f's total goes before another flow for certain, if its first does: more than that
// one may be held back by a limit that is no matter to the other flow.
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

// ahead is what goes before t, which has own ahead in its flow, through one of the limiters that it needs.
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

// mostBefore is how many of higher priorities go before the one that has n ahead in flow f, at least, as
// long as there are so many: f's priority may have its minimum share at each of its limiters, and may be
// owed as much as it can be already.
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

// above is what waits in the flow's bucket and has a higher priority.
func (n *bucket) above(f *flow) (b load) {
	for _, x := range n.flows {
		if x.level > f.level {
			b = b.plus(x.waitsAt(f))
		}
	}
	return b
}

// waitsAt is what goes before another flow of the key through a limiter of the key, if f has a place ahead.
func (f *flow) waitsAt(other *flow) load {
	b := f.total()
	if !f.binds(other) {
		b.cost = 0 // it may have to wait for something else meanwhile
	}
	return b
}

// takesBefore is what goes before a request that has own ahead in its flow other, of another flow of the
// same class and priority: what starts earlier in the virtual time of the class.
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
		if int(f.key.waiting) == f.len() { // else others of its key take part of the span
			b.cost = max(b.cost, int(min(int64(sure), span)))
		}
	} else {
		b.cost = 0
	}
	return b
}

// maxRivals bounds how many flows are looked at, since the lock is held.
const maxRivals = 64

// siblings is what goes through a limiter of the key before t, of other flows.
func (f *flow) siblings(g *limiter, t *ticket) (higher, equal load) {
	left := maxRivals
	f.key.eachBucket(func(n *bucket) {
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
	})
	return higher, equal
}

// needs reports whether a limiter of the flow's key is one of those that it has to pass.
func (f *flow) needs(g *limiter) bool {
	for _, s := range f.kind.slots {
		if f.key.limiters[s.slot] == g {
			return true
		}
	}
	return false
}

// rivals is what goes through a shared limiter before a request that has own ahead in its flow. Classes take
// turns: a newcomer may change which is next, and then a cheap request goes where a dear one had to wait.
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
