package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// dispatch grants all permits that are due after a change, and sets the timer for the next. The lock must be
// held.
func (l *Queue) dispatch(now time.Time) {
	defer l.arm(now) // also if a limit panics
	l.drain(now)
	if l.phase == draining && l.drained() {
		l.finish()
	}
}

// drain grants all permits that are due. A limiter that panics when asked is asked again later.
func (l *Queue) drain(now time.Time) {
	var g *limiter
	var s *entry
	defer func() {
		if g != nil {
			l.markDirty(g)
		}
		if s != nil {
			l.markEntryDirty(s)
		}
	}()
	for {
		if n := len(l.dirtyEntries); n > 0 {
			s = l.dirtyEntries[n-1]
			l.dirtyEntries = l.dirtyEntries[:n-1]
			s.dirty = false
			l.run(now, s)
			s = nil
			continue
		}
		if n := len(l.dirtyLimiters); n > 0 {
			g = l.dirtyLimiters[n-1]
			l.dirtyLimiters = l.dirtyLimiters[:n-1]
			g.dirty = 0
			if g.shared {
				l.callEntries(now, g)
			} else {
				g = l.firstBucket(g)
				l.callFlows(now, g)
			}
			g = nil
			continue
		}
		if !l.fillUp() {
			return
		}
	}
}

// run grants permits to the ready flows of an entry until it has to wait at a limiter.
func (l *Queue) run(now time.Time, s *entry) {
	for s.parked == nil && s.ready.n > 0 {
		l.step(now, s, nil)
	}
}

// callFlows calls the flows that wait at a limiter of their key, best first, as long as it admits them and no other
// bucket may go.
func (l *Queue) callFlows(now time.Time, g *limiter) {
	for g.waiting != nil {
		f := g.next().leader()
		d := f.head().asks(now)
		a := g.ask(now, &d)
		switch {
		case a.Max > 0:
			l.fail(f.head(), newCostError(f.head().r, &a))
			continue
		case !a.Admits(now) && g.pass(&f.node):
			continue
		case !a.Admits(now):
			// Another limit may show that some requests miss their deadlines.
			if worst, later, _ := l.obstacle(now, f, nil); worst != nil && worst != g && l.expireFlow(now, f, &later) {
				continue
			}
			l.close(now, g, &a)
			return
		}
		l.leaveLimiter(g, &f.node)
		f.called = g
		l.enter(f)
		k := f.key
		l.run(now, f.entry())
		if g.rule == nil && k.several() {
			l.markDirty(g) // it may be the turn of another bucket
			return
		}
	}
}

// callEntries calls the entries that wait at a shared limiter, best first, for one request each.
func (l *Queue) callEntries(now time.Time, g *limiter) {
	for g.waiting != nil {
		if l.step(now, g.next().entry, g) == g {
			return
		}
	}
}

// step tries to grant a permit to the first request of an entry. caller is the limiter that called the entry;
// nil for none. step returns the shared limiter that refused, if one did.
func (l *Queue) step(now time.Time, s *entry, caller *limiter) *limiter {
	f := s.first()
	g, a, behind := l.obstacle(now, f, caller)
	switch {
	case g == nil:
		l.grant(now, f)
		return nil
	case a.Max > 0:
		l.fail(f.head(), newCostError(f.head().r, &a))
		return nil
	case !g.shared:
		l.withdraw(f)
		f.limiter, f.called = g, nil
		l.place(f)
		l.admitTo(g, &f.node)
		f.in = g.waiting
		l.refused(now, g, &f.node, &a, behind)
		return nil
	}
	l.park(s, g)
	l.refused(now, g, &s.node, &a, behind)
	return g
}

// refused records why x, which waits at g now, cannot go. If others go first, g is due for them already, unless
// they wait in vain.
func (l *Queue) refused(now time.Time, g *limiter, x *node, a *limit.Decision, behind bool) {
	next := g.next()
	switch {
	case next != x && next.level == inVain, !behind && g.pass(x):
		l.markDirty(g)
	case !behind && next == x:
		l.close(now, g, a)
	case next == x: // another bucket is due
		l.markDirty(g)
	case g.dirty == 0 && l.expire(now, g.waiting, g):
		l.markDirty(g)
	}
}

// obstacle asks all limits that apply to the first request of a ready flow. It returns the limiter whose
// answer is the latest, or behind whose wait queue the flow has to wait, or nil if all admit the request.
// caller is the shared limiter that called the flow's entry; nil for none.
func (l *Queue) obstacle(now time.Time, f *flow, caller *limiter) (worst *limiter, a limit.Decision, behind bool) {
	var queue *limiter
	d := f.head().asks(now)
	owed := f.called != nil && f.called.share.owed(f.level)
	check := func(g *limiter) {
		if answer := g.ask(now, &d); !answer.Admits(now) {
			if worst == nil || answer.After(&a) {
				worst, a = g, answer
			}
		}
	}
	if f.key.own != nil {
		g := &f.bucket.limiter
		check(g)
		if g != f.called && (g.stops(f.level, 0, f.arrival(), owed) || f.yields()) {
			queue = g
		}
	}
	for i := range f.kind.slots {
		g := l.limiterOf(f.key, &f.kind.slots[i])
		check(g)
		if g != f.called && g.stops(f.level, 0, f.arrival(), owed) {
			queue = g
		}
	}
	owed = caller != nil && caller.share.owed(f.level)
	for _, g := range f.kind.limiters {
		check(g)
		if g.stops(f.level, 0, f.turn, owed) {
			queue = g
		}
	}
	if worst == nil && queue != nil {
		return queue, a, true
	}
	return worst, a, false
}

// grant gives the first request of a ready flow its permit, after all limits have admitted it.
func (l *Queue) grant(now time.Time, f *flow) {
	t, c := f.head(), f.kind
	if t.level == inVain {
		t.key.haste.spend(l.since(now))
	}
	d := t.asks(now)
	l.take(now, t.key, c, &d)
	c.goOn(f)
	l.served(f)
	l.unqueue(t)
	f.called = nil
	if f.len() > 0 {
		c.queueUp(l, f)
		l.place(f)
		l.reorder(f.entry())
	} else {
		l.end(f)
	}
	l.issue(t, now)
	l.signal(t)
}

// issue turns t into a permit for what its request took at now.
func (l *Queue) issue(t *ticket, now time.Time) {
	t.state, t.taken, t.err = granted, now, nil
	t.key.flying++
	l.flying++
}

// fail turns a waiting ticket away.
func (l *Queue) fail(t *ticket, err error) {
	l.drop(t)
	t.state, t.err = failed, err
	l.signal(t)
}

// signal wakes the caller that waits for t. The channel has room for the one signal a ticket ever gets.
func (l *Queue) signal(t *ticket) {
	if t.blocked {
		t.wake <- struct{}{}
	}
}

// drop removes a waiting ticket from the queue.
func (l *Queue) drop(t *ticket) {
	f := t.flow
	first := f.head() == t
	l.unqueue(t)
	switch {
	case f == &l.overflowed:
	case f.len() == 0:
		l.end(f)
	default:
		l.place(f)
		if f.limiter == nil {
			l.reorder(f.entry())
		}
		if first {
			l.retry(f)
		}
	}
}

// retry arranges for limits to be asked again about a flow: its first request is another, which may cost less.
func (l *Queue) retry(f *flow) {
	switch {
	case f.limiter != nil:
		l.markDirty(f.limiter)
	case f.entry().parked != nil:
		l.markDirty(f.entry().parked)
	default:
		l.markEntryDirty(f.entry())
	}
}
