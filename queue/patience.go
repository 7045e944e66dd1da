package queue

import (
	"context"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// deadlineOf returns until when a request can wait that came at now, in queue time or never, and whether
// that is the deadline of its context.
func (l *Queue) deadlineOf(ctx context.Context, r *Request, now time.Time) (deadline int64, byContext bool) {
	deadline = never
	wait := r.MaxWait
	if wait == 0 {
		wait = l.maxWait
	}
	at := l.since(now)
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

// patienceOf returns for how much longer a request can wait, as [limit.Demand] has it.
func (l *Queue) patienceOf(r *Request, deadline int64, now time.Time) time.Duration {
	switch left := deadline - l.since(now); {
	case r.NoWait, left <= 0:
		return -1
	case deadline == never:
		return 0
	default:
		return time.Duration(left)
	}
}

// asks returns what a waiting ticket asks of its limits at now.
func (t *ticket) asks(now time.Time) limit.Demand {
	d := t.demand
	d.Waited = time.Duration(t.line.since(now) - t.arrived)
	d.Left = t.line.patienceOf(t.r, t.deadline, now)
	return d
}

// lateness is the reason for which a ticket with a deadline is turned away.
func (t *ticket) lateness() error {
	switch {
	case t.r.NoWait: // whatever else it said
		return ErrNoWait
	case t.byContext:
		return context.DeadlineExceeded
	}
	return ErrMaxWait
}
