package queue

import (
	"context"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// deadlineOf returns until when a request that arrives at a time can wait, both in queue time, and whether
// that is the deadline of its context.
func (l *Queue) deadlineOf(ctx context.Context, r *Request, at int64) (deadline int64, byContext bool) {
	deadline = never
	wait := r.MaxWait
	if wait == 0 {
		wait = l.maxWait
	}
	if wait > 0 && int64(wait) < never-at {
		deadline = at + int64(wait)
	}
	if d, ok := ctx.Deadline(); ok {
		if d := l.since(d); d <= deadline {
			return d, true
		}
	}
	return deadline, false
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
