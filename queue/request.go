package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Request describes what is to be sent. The queue reads it until [Queue.Acquire] returns and does not
// change it; afterwards the caller may use it again.
type Request struct {
	// Key is whose limits the request spends: those of an account, a token, a user. Requests of one key wait in the order of their
	// arrival. It never appears in an error's text.
	Key string
	// Bucket separates requests of one key that do not wait behind each other, such as routes with
	// limits of their own. Empty is a bucket like any other.
	Bucket string
	// Host, Method and Path are what rules match; see [Rule]. The path is escaped, as it is sent: that
	// of a URL is its EscapedPath. An empty method counts as GET and an empty path as "/".
	Host, Method, Path string
	// Cost is how much of the limits the request spends. 0 means 1; a negative cost is an error.
	Cost int
	// Priority decides who goes first where requests wait for the same limit. The zero value is Normal.
	Priority Priority
	// Retry puts the request ahead of every request of its key, bucket and priority that is not a retry.
	Retry bool
	// MaxWait is the longest time to wait. A request that cannot go in time is refused at once. 0
	// means the queue's own (see [WithMaxWait]); a negative one is an error.
	MaxWait time.Duration
	// NoWait refuses the request at once when it cannot go now.
	NoWait bool
	// OnWait, if not nil, is called once if the request has to wait, by the goroutine that called
	// Acquire, before it blocks.
	OnWait func(Waiting)
	// Tag is the caller's own. The queue hands it to limiters with the request and never looks at it.
	Tag any
}

// Priority orders requests that wait for the same limit: a higher one goes first, except that a
// waiting lower one keeps the share that [WithMinimumShare] sets.
type Priority int8

// The priorities. Others are refused with an error.
const (
	Lowest  Priority = -2
	Low     Priority = -1
	Normal  Priority = 0
	High    Priority = 1
	Highest Priority = 2
)

const levels = int(Highest-Lowest) + 1

// level is the index of a priority in the arrays that are kept by priority.
func (r *Request) level() int8 { return int8(r.Priority - Lowest) }

// cost is what r spends, at least 1.
func (r *Request) cost() int { return max(r.Cost, 1) }

// demand is what r asks of its limits.
func (r *Request) demand() limit.Demand { return limit.Demand{Requests: r.cost(), Tag: r.Tag} }

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
