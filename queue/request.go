package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Request describes a request that is to be sent. The queue reads it until [Queue.Acquire] returns
// and does not modify it; afterwards the caller may reuse it.
type Request struct {
	// Key identifies whose quota the request spends: an account, a token, a user. Requests of one key
	// wait in the order of their arrival. The key never appears in an error's text.
	Key string
	// Bucket separates requests of one key that do not wait behind each other, such as routes with
	// limits of their own. The empty bucket is a bucket like any other.
	Bucket string
	// Host, Method and Path are what rules match; see [Rule]. The path is escaped, as it is sent; use
	// EscapedPath of a URL. An empty method counts as GET and an empty path as "/".
	Host, Method, Path string
	// Cost is how many requests the request counts for. 0 means 1; a negative cost is an error.
	Cost int
	// Units is how much the request certainly spends of units other than requests, such as
	// {"tokens": 850}; see [Quota.Of].
	Units map[string]float64
	// Estimate describes the cost of units that are not in Units, for the same limiters.
	Estimate limit.Estimate
	// Metered announces a call of [Queue.Settle] with what the request spent of units that are not in
	// Units.
	Metered bool
	// Priority decides which request goes first if several wait for the same limit. The zero value is
	// Normal.
	Priority Priority
	// Retry puts the request ahead of every request of its key, bucket and priority that is not a retry.
	Retry bool
	// InTurn lets a retry wait in the order of its arrival all the same.
	InTurn bool
	// MaxWait is the longest time to wait. A request that cannot be sent in time fails at once. 0
	// means the queue's maximum (see [WithMaxWait]); a negative MaxWait is an error.
	MaxWait time.Duration
	// Patient makes MaxWait, or the queue's maximum, count like a deadline of the context: of the requests
	// that cannot be sent in time, only some fail at once. See [Queue.Acquire].
	Patient bool
	// Margin is how long before the deadline of its context a request that has to wait is of no use any
	// more, because its response takes that long. It counts for no more than half of the time that is left
	// when the request arrives.
	Margin time.Duration
	// NoWait makes the request fail at once if it cannot be sent immediately.
	NoWait bool
	// OnWait, if not nil, is called once if the request has to wait, in the goroutine that called
	// Acquire, before it blocks.
	OnWait func(Waiting)
	// Tag is for the caller's use. The queue only passes it to limiters, with the request's demand.
	Tag any
}

// cost returns how many requests r counts for, at least 1.
func (r *Request) cost() int { return max(r.Cost, 1) }

// ahead reports whether r goes before requests that are not retries.
func (r *Request) ahead() bool { return r.Retry && !r.InTurn }

// demand returns what r asks of its limits, apart from how long it has waited and still can.
func (r *Request) demand() limit.Demand {
	return limit.Demand{Requests: r.cost(), Units: r.Units, Estimate: r.Estimate, Metered: r.Metered, Priority: int(r.Priority), Tag: r.Tag}
}

func (r *Request) validate() error {
	switch {
	case r == nil:
		return errors.New("queue: request is nil")
	case r.Cost < 0:
		return fmt.Errorf("queue: the cost of a request must not be negative, got %d", r.Cost)
	case r.Priority < Lowest || r.Priority > Highest:
		return fmt.Errorf("queue: the priority of a request must be from %d to %d, got %d", Lowest, Highest, r.Priority)
	case r.MaxWait < 0:
		return fmt.Errorf("queue: the MaxWait of a request must not be negative, got %v", r.MaxWait)
	}
	return nil
}
