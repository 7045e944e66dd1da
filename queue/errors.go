package queue

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Reasons why a request does not get its permit. Each is wrapped in a [WaitError].
var (
	// ErrNoWait means that a request with NoWait would have had to wait.
	ErrNoWait = errors.New("queue: request would have to wait")
	// ErrMaxWait means that a request cannot be sent within its MaxWait.
	ErrMaxWait = errors.New("queue: wait would exceed the maximum")
	// ErrFull means that too many requests are waiting already; see [WithMaxWaiting].
	ErrFull = errors.New("queue: too many requests are waiting")
	// ErrDropped means that the queue dropped a waiting request in favour of a newer one; see [DropOldest].
	ErrDropped = errors.New("queue: request was dropped in favour of a newer one")
	// ErrClosed means that the queue is closed or shutting down.
	ErrClosed = errors.New("queue: queue is closed")
)

// A WaitError reports that a request did not get a permit, but might get one later.
type WaitError struct {
	// Err is the reason: one of this package's errors, or the error of the context. It is
	// [context.DeadlineExceeded] also if the deadline of the context has not passed, but the request
	// cannot be sent before it.
	Err error
	// Limit is the name of the limit that makes the request wait longest. Empty if none is known.
	Limit string
	// Until is the earliest time at which the request could have been sent. Zero if it is not known.
	Until time.Time
	// Ahead is how many requests would have gone first, as far as is known.
	Ahead int
}

// Error describes the reason, the limit, the time, and how many requests are ahead.
func (e *WaitError) Error() string {
	var b strings.Builder
	b.WriteString("queue: ")
	if e.Err != nil {
		b.WriteString(strings.TrimPrefix(e.Err.Error(), "queue: "))
	} else {
		b.WriteString("no permit")
	}
	if e.Limit != "" {
		fmt.Fprintf(&b, ", limit %q", e.Limit)
	}
	if !e.Until.IsZero() {
		fmt.Fprintf(&b, ", not before %s", e.Until.Format(time.RFC3339Nano))
	}
	if e.Ahead > 0 {
		fmt.Fprintf(&b, ", %d ahead", e.Ahead)
	}
	return b.String()
}

// Unwrap returns the reason.
func (e *WaitError) Unwrap() error { return e.Err }

// RetryAt returns Until: trying again earlier is pointless.
func (e *WaitError) RetryAt() time.Time { return e.Until }

// A CostError reports that a request costs more than a limit ever allows at once. Waiting does not
// help.
type CostError struct {
	Limit string // the limit's name
	Cost  int    // what the request costs
	Max   int    // the most that a request may cost
}

// Error describes the cost and the limit that it exceeds.
func (e *CostError) Error() string {
	return fmt.Sprintf("queue: cost %d exceeds the %d that limit %q allows at once", e.Cost, e.Max, e.Limit)
}

func newCostError(r *Request, a *limit.Decision) error {
	return &CostError{Limit: a.Limit, Cost: cmp.Or(a.Cost, r.cost()), Max: a.Max}
}
