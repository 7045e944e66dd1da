// Package queue provides a queue in which requests wait until every limit that applies to them allows
// them to be sent.
//
// A [Queue] holds waiting requests by key, bucket and priority. The first request in line spends from
// all the limits that apply to it at once, or from none. The queue does not reserve times in the
// future: it grants a permit only when the request may be sent, so that every response, cancellation
// and changed limit takes effect for all requests that still wait.
//
// Limits come from two sources. A [Rule] holds documented limits ("600 per minute per key", "1 every
// 2 s on this route, over all keys", "at most 10 in flight"). [WithKeyLimit] gives each key a [limit.Limiter]
// that the caller implements, for limits that are learned from responses; see [Queue.Update] and
// [Permit.Settle]. The queue imports package limit, and nothing else of this module.
//
// The package does no I/O, and of HTTP it knows only the method, host and path that rules match.
//
// Start reading at [Queue.Acquire], which ends in acquire.go if the request has to wait; dispatch.go grants the
// permits. flow.go, class.go and waitqueue.go hold the waiting requests, ahead.go tells how many go
// first.
package queue

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Queue holds requests until every limit that applies to them allows them to be sent. Create one
// with [New]. All methods are safe for concurrent use.
type Queue struct {
	start    time.Time // queue time 0
	floor    int32
	maxKeys  int
	maxWait  time.Duration
	room     int // how many may wait
	keyRoom  int // how many of one key may wait
	overflow Overflow
	newLimit func(key string) limit.Limiter
	fleet    Fleet       // nil for none
	rules    []*rule     // fixed, but SetLimits changes their numbers under the lock
	slots    int         // how many limiters of rules a key can have
	units    atomic.Bool // whether a quota counts something other than requests

	mu sync.Mutex // guards everything below

	read time.Time // when both clocks were last read; see now

	keys           map[string]*key
	oldest, newest *key
	lastKey        *key // a cache of one

	classes map[classID]*class
	shared  map[hostID]*limiter
	prune   int // size of both at which to look for unused ones

	lastClass *class // a cache of one

	alarms    heap[*limiter, bySoonest]
	deadlines heap[*waitQueue, byAlarm]
	timer     *time.Timer
	due       int64 // when the timer fires; never when it does not

	dirtyLimiters []*limiter
	dirtyEntries  []*entry

	waiting, flying int
	held            int                  // requests between two attempts
	arrivals        [levels]arrivalList  // waiting requests by arrival
	inVain          heap[*ticket, byEnd] // those that wait in vain, as far as is known
	overflowed      flow                 // requests that wait for room in the queue
	seq, turn       int64

	phase phase
	gone  chan struct{} // closed together with the queue

	spare      *ticket
	spares     int
	flows      pool[flow]
	buckets    pool[bucket]
	waitQueues pool[waitQueue]

	sharePool pool[share]
}

// now reads the clock. The lock must be held. Reading only the monotonic clock takes half the time; now
// reads the wall clock too once a second, so that limits aligned to it notice when it is set.
func (l *Queue) now() time.Time {
	passed := time.Since(l.read)
	if passed < time.Second {
		return l.read.Add(passed)
	}
	l.read = time.Now()
	return l.read
}

// since converts to queue time. Sub saturates, so times that are centuries away do no harm.
func (l *Queue) since(t time.Time) int64 { return int64(t.Sub(l.start)) }

// Acquire returns a permit as soon as all limits that apply to r allow it. It blocks until then, unless
// r has NoWait set, and returns early with an error when ctx is done.
//
// If r cannot be sent before the deadline of ctx, or within its MaxWait, Acquire fails at once, or as soon
// as that becomes clear. For a deadline, it does so for a few requests of each key (see [Queue.MayFailEarly]);
// others wait for the deadline, in case a limit opens earlier. The error is a [WaitError]; it matches
// [context.DeadlineExceeded] if the request would miss the deadline of ctx.
// If r costs more than a limit ever allows at once, the error is a [CostError].
//
// When Acquire fails, r leaves the queue at once and has spent nothing.
func (l *Queue) Acquire(ctx context.Context, r *Request) (Permit, error) {
	if err := r.validate(); err != nil {
		return Permit{}, err
	}
	if err := ctx.Err(); err != nil {
		return Permit{}, cancelled(ctx, err)
	}
	p, t, err := l.enqueue(ctx, r)
	if t == nil {
		return p, err
	}
	return l.await(ctx, t)
}

// enqueue grants or refuses r a permit at once, or puts r in the queue and returns its ticket.
func (l *Queue) enqueue(ctx context.Context, r *Request) (Permit, *ticket, error) {
	id, d := l.match(r), r.demand()
	l.mu.Lock()
	defer l.mu.Unlock() // a limit may panic
	if l.phase == closed || l.phase == draining && !r.Retry {
		return Permit{}, nil, &WaitError{Err: ErrClosed}
	}
	now := l.now()
	k, c := l.key(r.Key, now), l.classOf(id)
	at := l.since(now)
	deadline, byContext := l.deadlineOf(ctx, k, r, at)
	d.Left = r.patience(deadline, at)
	if l.phase == open && !c.contended() && k.yields() && l.ask(now, k, c, &d) {
		l.take(now, k, c, &d)
		t := l.ticket(k, c, nil)
		t.demand = d
		l.issue(t, now)
		if l.due == never {
			l.arm(now) // to sweep idle keys even if no request ever waits
		}
		return Permit{t, t.gen}, nil, nil
	}
	t := l.ticket(k, c, r)
	t.demand, t.arrived, t.deadline, t.byContext = r.demand(), at, deadline, byContext
	return l.submit(t, now)
}

// ask reports whether all limits admit a request now.
func (l *Queue) ask(now time.Time, k *key, c *class, d *limit.Demand) bool {
	if k.own != nil {
		a := k.own.Ask(now, *d)
		if a.Relax(now, d); !a.Admits(now) {
			return false
		}
	}
	for i := range c.slots {
		if a := l.limiterOf(k, &c.slots[i]).ask(now, d); !a.Admits(now) {
			return false
		}
	}
	for _, g := range c.limiters {
		if a := g.ask(now, d); !a.Admits(now) {
			return false
		}
	}
	return true
}

// take charges all limits for a request. If one of them panics, take cancels the charges to the others.
func (l *Queue) take(now time.Time, k *key, c *class, d *limit.Demand) {
	took := 0 // how many limits were charged
	defer func() {
		if took >= 0 {
			l.untake(now, k, c, *d, took)
		}
	}()
	if k.own != nil {
		k.own.Take(now, *d)
		took++
	}
	for i := range c.slots {
		k.limiters[c.slots[i].slot].limit.Take(now, *d)
		took++
	}
	for _, g := range c.limiters {
		g.limit.Take(now, *d)
		took++
	}
	took = -1
}

// untake undoes a take that reached only the first took limits.
func (l *Queue) untake(now time.Time, k *key, c *class, d limit.Demand, took int) {
	undo := func(from limit.Limiter) {
		if took--; took < 0 {
			return
		}
		if b, ok := from.(*inFlight); ok {
			b.now--
		} else {
			from.Cancel(now, d)
		}
	}
	if k.own != nil {
		undo(k.own)
	}
	for i := range c.slots {
		undo(k.limiters[c.slots[i].slot].limit)
	}
	for _, g := range c.limiters {
		undo(g.limit)
	}
}

// unsettled reports whether dispatch has something to do.
func (l *Queue) unsettled() bool {
	return len(l.dirtyLimiters) > 0 || len(l.dirtyEntries) > 0 || l.phase == draining
}

// retryPanic is the time after which the queue asks a limiter again that panicked.
const retryPanic = time.Second

// arm sets the timer to the next time at which something is due, unless it is set already.
func (l *Queue) arm(now time.Time) {
	next := l.sweepAt()
	if len(l.dirtyLimiters)+len(l.dirtyEntries) > 0 { // a limit panicked
		next = min(next, l.since(now)+int64(retryPanic))
	}
	if len(l.alarms) > 0 {
		next = min(next, l.alarms[0].at)
	}
	if len(l.deadlines) > 0 {
		next = min(next, l.deadlines[0].deadline)
	}
	next = min(next, l.overflowed.earliest(), l.firstEnd())
	if next == l.due || l.phase == closed {
		return
	}
	l.due = next
	switch {
	case next == never:
		l.timer.Stop()
	case l.timer == nil:
		l.timer = time.AfterFunc(time.Duration(next-l.since(now)), newTimerFunc(l))
	default:
		l.timer.Reset(time.Duration(next - l.since(now)))
	}
}

// newTimerFunc returns the function that the timer calls. It holds only a weak pointer, so that a queue that
// the program no longer uses, in which no request can wait, is freed before its timer fires.
func newTimerFunc(l *Queue) func() {
	queue := weak.Make(l)
	return func() {
		if l := queue.Value(); l != nil {
			l.onTimer()
		}
	}
}

// onTimer is called by the timer.
func (l *Queue) onTimer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = never
	now := l.now()
	at := l.since(now)
	l.markDue(0, at)
	l.drain(now)
	// Only after drain: a request that may be sent exactly at its deadline is sent.
	for len(l.deadlines) > 0 && l.deadlines[0].deadline <= at {
		t := l.deadlines[0].dates[0].flow.dates[0]
		l.fail(t, l.tooLate(t, t.flow.limiterAhead()))
	}
	for l.firstEnd() <= at {
		l.giveUp(l.inVain[0], at)
	}
	for l.overflowed.earliest() <= at {
		t := l.overflowed.dates[0]
		l.fail(t, l.tooLate(t, t.flow.limiterAhead()))
	}
	l.sweep(now)
	l.dispatch(now)
}

// markDue marks the limiters that are due, which are at the top of the heap, below i.
func (l *Queue) markDue(i int, at int64) {
	if i < len(l.alarms) && l.alarms[i].at <= at {
		l.markDirty(l.alarms[i])
		for child := range children {
			l.markDue(children*i+1+child, at)
		}
	}
}
