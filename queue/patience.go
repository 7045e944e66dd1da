package queue

import (
	"cmp"
	"context"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// deadlineOf returns until when a request of a key that arrives at a time can wait, both in queue time, and whether
// that is because of the deadline of its context.
func (l *Queue) deadlineOf(ctx context.Context, k *key, r *Request, at int64) (deadline int64, byContext bool) {
	deadline = never
	wait := r.MaxWait
	if wait == 0 {
		wait = l.maxWait
	}
	if wait > 0 && int64(wait) < never-at {
		deadline = at + int64(wait)
	}
	if d, ok := ctx.Deadline(); ok {
		if d := k.trip.before(l.since(d), at); d <= deadline {
			return d, true
		}
	}
	return deadline, false
}

// A roundTrip is about the time in which seven of eight recent requests of a key were answered, in nanoseconds. A
// request whose deadline is nearer would likely spend of a limit in vain.
type roundTrip int64

// observe takes in that a request was answered in a time, or lost after it.
func (t *roundTrip) observe(took time.Duration) {
	switch d := roundTrip(max(took, 0)); {
	case *t == 0:
		*t = d
	case d >= *t:
		*t += *t / 128 * 7
	default:
		*t -= *t / 128
	}
}

// before returns by when a request has to go for its response to come by the deadline of its context. It leaves
// at least half of the time.
func (t roundTrip) before(deadline, arrived int64) int64 {
	return deadline - min(int64(t), max(deadline-arrived, 0)/2)
}

// patience returns how much longer a request can wait, in the form of [limit.Demand.Left].
func (r *Request) patience(deadline, at int64) time.Duration {
	switch left := deadline - at; {
	case r.NoWait, left <= 0:
		return -1
	case deadline == never:
		return 0
	default:
		return time.Duration(left)
	}
}

// asks returns the demand of a waiting ticket at now.
func (t *ticket) asks(now time.Time) limit.Demand {
	d, at := t.demand, t.queue.since(now)
	d.Waited, d.Left = time.Duration(at-t.arrived), t.r.patience(t.deadline, at)
	return d
}

// A key has a budget of requests that fail before their deadlines, because they could not be sent in time. To
// fail early is a service to a caller that has something better to do; to a program that works off a list, or
// tries again at once, it means to lose in a moment what would still have been there when the limit opens. See
// docs/decisions.md.
const (
	hasteBurst = 10
	hasteEvery = 30 * time.Second
)

// A haste is the state of that budget: the queue time at which all of it is back.
type haste int64

// take reports whether one more request may fail early at a time, and counts it if so.
func (h *haste) take(at int64) bool {
	full := max(int64(*h), at) + int64(hasteEvery)
	if full-at > hasteBurst*int64(hasteEvery) {
		return false
	}
	*h = haste(full)
	return true
}

// spend takes what is there: when a request has waited in vain, or goes to see whether it does, callers are about to come
// with their next.
func (h *haste) spend(at int64) { *h = haste(at + hasteBurst*int64(hasteEvery)) }

// MayFailEarly reports whether a request of key that cannot be sent in time may fail now, rather than when its
// patience is over, and counts it if so. Acquire keeps to this budget by itself: 10 requests of each key, and
// one more every 30 seconds, from the time on at which the last one waited in vain, but none that has waited for half of its time. Use MayFailEarly if a
// request fails for a reason that the queue does not know.
func (l *Queue) MayFailEarly(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	return l.phase != open || l.key(key, now).haste.take(l.since(now))
}

// miss decides about a waiting ticket that will miss its deadline, as far as is known: it fails now with e, or
// it waits on, behind all that do not wait in vain, in case its limits open earlier.
func (l *Queue) miss(now time.Time, t *ticket, e *WaitError) {
	full := l.waiting > l.room
	switch {
	case l.phase != open, t.impatient(e), full && l.overflow != Block, int(t.key.waiting) > l.keyRoom,
		t.early(l.since(now)) && !l.trialSoon(now, t) && t.key.haste.take(l.since(now)):
		l.fail(t, e)
	case full:
		l.waitForRoom(t)
	default:
		l.drop(t)
		t.level, t.err = inVain, e
		l.join(t)
	}
}

// early reports whether to fail now would save a ticket as much time as it has waited.
func (t *ticket) early(at int64) bool { return at-t.arrived <= t.deadline-at }

// soon is how long a request waits in any case that may be sent then to see whether it waits in vain.
const soon = 5 * time.Second

// trialSoon reports whether the limiter that a ticket waits for soon lets a request go that waits in vain.
func (l *Queue) trialSoon(now time.Time, t *ticket) bool {
	if t.flow == nil {
		return false
	}
	g := t.flow.limiterAhead()
	return g != nil && g.share.trial > 0 && g.share.trial < min(l.since(now.Add(soon)), t.deadline)
}

// impatient reports whether a ticket that would miss its deadline always fails at once: the program set a
// MaxWait, and that is too short.
func (t *ticket) impatient(e *WaitError) bool {
	most := int64(cmp.Or(t.r.MaxWait, t.queue.maxWait))
	if t.r.Patient || most == 0 {
		return false
	}
	return !t.byContext || !e.Until.IsZero() && t.queue.since(e.Until)-t.arrived > most
}

// notice is how long before the deadline of its context a request fails that waits in vain: long enough for
// its error to reach the caller before that of the context, which does not say why.
const notice = 10 * time.Millisecond

// end returns when a ticket fails that waits in vain.
func (t *ticket) end() int64 {
	if !t.byContext {
		return t.deadline
	}
	return t.deadline - min(int64(notice), (t.deadline-t.arrived)/10)
}

// firstEnd returns when the first ticket fails that waits in vain.
func (l *Queue) firstEnd() int64 {
	if len(l.inVain) == 0 {
		return never
	}
	return l.inVain[0].end()
}

type byEnd struct{}

func (byEnd) less(a, b *ticket) bool { return a.end() < b.end() }
func (byEnd) place(t *ticket) *int32 { return &t.datePlace }

// giveUp turns away a ticket that has waited in vain, and whose patience is over. The error says until when it
// would have to wait, as far as is known now, or else as was known when it began to wait in vain.
func (l *Queue) giveUp(t *ticket, at int64) {
	t.key.haste.spend(at)
	err := t.err
	if e := l.tooLate(t, t.flow.limiterAhead()); !e.Until.IsZero() {
		err = e
	}
	l.fail(t, err)
}

// lateness returns the reason why the queue turns away a ticket that would miss its deadline.
func (t *ticket) lateness() error {
	switch {
	case t.r.NoWait: // whatever its MaxWait and context say
		return ErrNoWait
	case t.byContext:
		return context.DeadlineExceeded
	}
	return ErrMaxWait
}
