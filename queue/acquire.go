package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An arrivalList holds the waiting requests of one level in order of arrival.
type arrivalList struct{ oldest, newest *ticket }

func (c *arrivalList) add(t *ticket) {
	t.older, t.newer = c.newest, nil
	if c.newest == nil {
		c.oldest = t
	} else {
		c.newest.newer = t
	}
	c.newest = t
}

func (c *arrivalList) remove(t *ticket) {
	if t.older == nil {
		c.oldest = t.newer
	} else {
		t.older.newer = t.newer
	}
	if t.newer == nil {
		c.newest = t.older
	} else {
		t.newer.older = t.older
	}
	t.older, t.newer = nil, nil
}

// submit puts a new ticket in the queue. It returns the ticket if the request has to wait, and the outcome
// otherwise.
func (l *Queue) submit(t *ticket, now time.Time) (Permit, *ticket, error) {
	l.seq++
	t.seq, t.level, t.state = l.seq, t.r.level(), waiting
	returned := false
	defer func() {
		if !returned { // a limit panicked
			l.reclaim(t, now)
		}
	}()
	l.join(t)
	if t.demand.Requests > 1 || len(t.demand.Units) > 0 {
		if err := l.impossible(t, now); err != nil {
			l.fail(t, err)
		}
	}
	l.dispatch(now)
	if t.state == waiting {
		l.judge(t, now)
	}
	returned = true
	if t.state != waiting {
		p, err := l.outcome(t)
		return p, nil, err
	}
	if t.wake == nil {
		t.wake = make(chan struct{}, 1)
	}
	t.blocked = true
	return Permit{}, t, nil
}

// await waits for the outcome of a ticket.
func (l *Queue) await(ctx context.Context, t *ticket) (Permit, error) {
	gen := t.gen // the ticket is not reused before it has an outcome
	if f := t.r.OnWait; f != nil {
		defer func() {
			if f != nil { // OnWait panicked
				_, _ = l.abandon(ctx, t)
			}
		}()
		f(Waiting{t, gen})
		f = nil
	}
	select {
	case <-t.wake:
	case <-ctx.Done():
		return l.abandon(ctx, t)
	}
	if t.err == nil {
		t.r = nil
		return Permit{t, gen}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcome(t)
}

// outcome returns the result of a ticket that no longer waits. Call it once for each ticket.
func (l *Queue) outcome(t *ticket) (Permit, error) {
	if t.state == granted {
		t.r = nil
		return Permit{t, t.gen}, nil
	}
	err := t.err
	l.recycle(t)
	return Permit{}, err
}

// abandon removes the ticket of a caller that gives up, or undoes its permit if the queue granted it at
// the same instant.
func (l *Queue) abandon(ctx context.Context, t *ticket) (Permit, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	t.blocked = false
	err := cancelled(ctx, ctx.Err())
	switch t.state {
	case waiting:
		if t.level == inVain && errors.Is(err, context.DeadlineExceeded) {
			err = t.err // it says which limit
		}
		l.drop(t)
		l.recycle(t)
	case granted:
		<-t.wake
		l.undo(t)
	case failed:
		<-t.wake
		return l.outcome(t)
	}
	l.dispatch(now)
	return Permit{}, err
}

// reclaim removes a ticket whose caller has panicked.
func (l *Queue) reclaim(t *ticket, now time.Time) {
	defer l.arm(now) // and do not dispatch: limiters that are asked now might panic again
	if t.state == granted {
		l.undo(t)
		return
	}
	if t.flow != nil {
		l.drop(t)
	}
	l.recycle(t)
}

// undo returns everything that a permit took.
func (l *Queue) undo(t *ticket) {
	if t.key.own != nil {
		t.key.own.Cancel(t.taken, t.demand)
	}
	l.markKeyDirty(t.key, false)
	for _, s := range t.class.slots {
		l.putBack(t.key.limiters[s.slot], t)
	}
	for _, g := range t.class.limiters {
		l.putBack(g, t)
	}
	l.release(t)
}

func (l *Queue) putBack(g *limiter, t *ticket) {
	g.limit.Cancel(t.taken, t.demand)
	l.markDirty(g)
}

// cancelled returns the error for a context that is done, including its cause if that is another error.
func cancelled(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &WaitError{Err: err}
}

// join puts a ticket in its flow.
func (l *Queue) join(t *ticket) {
	for i := range t.class.slots {
		l.limiterOf(t.key, &t.class.slots[i]) // a rule's New may panic, so call it before changing anything
	}
	f := l.flowOf(t.key, t.class, t.r.Bucket, t.level)
	was := f.head()
	f.add(t)
	l.waiting++
	t.key.waiting++
	l.arrivals[t.level].add(t)
	if was == nil {
		l.enlist(f)
		f.kind.queueUp(l, f)
		l.enter(f)
		return
	}
	l.place(f)
	if f.limiter == nil {
		l.reorder(f.entry())
	}
	if f.head() != was {
		l.retry(f)
	}
}

// unqueue removes a waiting ticket from its flow, without putting the flow in order again; see drop.
func (l *Queue) unqueue(t *ticket) {
	f := t.flow
	f.remove(t)
	t.key.waiting--
	if f != &l.overflowed {
		l.waiting--
		l.arrivals[t.level].remove(t)
	}
}

// judge decides whether a ticket that cannot go at once may wait.
func (l *Queue) judge(t *ticket, now time.Time) {
	r := t.r
	late := t.deadline != never
	if !late && !r.NoWait && l.waiting <= l.room && int(t.key.waiting) <= l.keyRoom {
		return
	}
	p := l.positionOf(t, now)
	t.ahead = int32(p.Ahead)
	e := &WaitError{Limit: p.Limit, Ahead: p.Ahead}
	if p.Start.After(now) {
		e.Until = p.Start
	}
	var err error
	switch {
	case r.NoWait:
		err = ErrNoWait
	case late && l.since(p.Start) > t.deadline:
		e.Err = t.lateness()
		l.miss(now, t, e)
	case int(t.key.waiting) > l.keyRoom && !l.giveWayTo(t):
		err = ErrFull
	case l.waiting > l.room:
		err = l.makeRoom(t)
	}
	if err != nil && t.state == waiting {
		e.Err = err
		l.fail(t, e)
	}
	l.dispatch(now)
}

// tooLate returns the error for a ticket whose deadline passes before g is asked again. g may be nil.
func (l *Queue) tooLate(t *ticket, g *limiter) *WaitError {
	e := &WaitError{Err: t.lateness(), Ahead: int(t.ahead)}
	if g != nil {
		e.Limit = g.name
		switch {
		case g.unknown:
		case g.share != nil && g.share.soonest > t.deadline:
			e.Until = l.start.Add(time.Duration(g.share.soonest))
		case g.at > t.deadline && g.at != never:
			e.Until = l.start.Add(time.Duration(g.at))
		}
	}
	return e
}

// Do waits for a permit for a request of key, calls f with ctx, and releases the permit when f returns
// or panics. It returns the error of [Queue.Acquire], without calling f, or the error of f.
//
// Use [Queue.Acquire] to describe a request by more than its key.
func (l *Queue) Do(ctx context.Context, key string, f func(ctx context.Context) error) error {
	p, err := l.Acquire(ctx, &Request{Key: key})
	if err != nil {
		return err
	}
	defer p.Release()
	return f(ctx)
}
