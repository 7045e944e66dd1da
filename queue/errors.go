package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Reasons for which a request does not get its permit. Each comes wrapped in a [WaitError].
var (
	// ErrNoWait says that a request with NoWait would have had to wait.
	ErrNoWait = errors.New("queue: would have to wait")
	// ErrMaxWait says that a request cannot go within its MaxWait.
	ErrMaxWait = errors.New("queue: would wait longer than allowed")
	// ErrFull says that too many are waiting already; see [WithMaxWaiting].
	ErrFull = errors.New("queue: too many are waiting")
	// ErrDropped says that a waiting request had to make room for a newer one; see [DropOldest].
	ErrDropped = errors.New("queue: dropped for a newer request")
	// ErrClosed says that the queue is closed or about to be.
	ErrClosed = errors.New("queue: the queue is closed")
)

// WaitError is returned for a request that did not get its permit, but might get one later.
type WaitError struct {
	// Err is the reason: one of this package's errors, or that of the context. When a request is
	// refused because it cannot go before the deadline of its context, Err is
	// [context.DeadlineExceeded], long before the deadline.
	Err error
	// Limit names the limit for which it would have had to wait longest. Empty if none is known.
	Limit string
	// Until is the earliest time at which it could have gone. Zero if that is not known.
	Until time.Time
	// Ahead is how many would have gone first, as far as is known.
	Ahead int
}

// Error says why, which limit, until when and behind how many.
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

// RetryAt returns Until: trying again makes no sense before.
func (e *WaitError) RetryAt() time.Time { return e.Until }

// CostError is returned for a request that costs more than a limit can ever give at once. Waiting does
// not help.
type CostError struct {
	Limit string // the limit's name
	Cost  int    // of the request
	Max   int    // the most that a request may cost
}

// Error says what the request costs, and the limit.
func (e *CostError) Error() string {
	return fmt.Sprintf("queue: cost %d is more than limit %q ever allows at once, which is %d", e.Cost, e.Limit, e.Max)
}

func newCostError(r *Request, a *limit.Decision) error {
	return &CostError{Limit: a.Limit, Cost: r.cost(), Max: a.Max}
}
