package queue

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// An Option configures the queue that [New] creates.
type Option func(*Queue) error

// New returns a queue. Without options, it allows every request at once.
//
// New returns an error if an option is invalid.
func New(opts ...Option) (*Queue, error) {
	l := &Queue{
		start:   time.Now(),
		floor:   50,
		maxKeys: 100_000,
		room:    100_000,
		keyRoom: math.MaxInt,
		keys:    make(map[string]*key),
		classes: make(map[classID]*class),
		shared:  make(map[hostID]*limiter),
		prune:   minPrune,
		due:     never,
		gone:    make(chan struct{}),
	}
	l.overflowed.node = node{flow: &l.overflowed, deadline: never}
	for _, o := range opts {
		if err := o(l); err != nil {
			return nil, err
		}
	}
	if err := l.checkFleet(); err != nil {
		return nil, err
	}
	l.lastClass = l.newClass(classID{})
	l.classes[classID{}] = l.lastClass
	return l, nil
}

// WithKeyLimit gives each key a limit of its own. The queue calls newLimit when the key first appears,
// and forgets the limit together with the key. It is for limits that are learned from responses; see
// [Permit.Settle]. newLimit is called under the queue's lock and must not block or call the queue. It
// may return nil for a key without a limit. When keys have to be forgotten, those stay whose limit holds
// back the zero [limit.Demand].
//
// The queue asks the limit for each bucket separately: a refusal in one bucket does not delay others.
func WithKeyLimit(newLimit func(key string) limit.Limiter) Option {
	return func(l *Queue) error {
		if newLimit == nil {
			return errors.New("queue: WithKeyLimit got nil")
		}
		l.newLimit = newLimit
		return nil
	}
}

// WithMaxWait sets the longest time that a request with no MaxWait of its own waits. The default is 0:
// the request waits as long as its context allows.
func WithMaxWait(d time.Duration) Option {
	return func(l *Queue) error {
		if d < 0 {
			return fmt.Errorf("queue: the maximum wait must not be negative, got %v", d)
		}
		l.maxWait = d
		return nil
	}
}

// MaxWait returns the longest wait, as set by [WithMaxWait].
func (l *Queue) MaxWait() time.Duration { return l.maxWait }

// WithMaxWaiting sets how many requests may wait in the queue, and what happens when one more arrives.
// 0 means that no request may wait. The default is 100,000 and [RefuseNewest]: far more than usual, so
// that a mistake causes an error before memory runs out.
func WithMaxWaiting(n int, more Overflow) Option {
	return func(l *Queue) error {
		if n < 0 || more > Block || n == 0 && more == Block {
			return fmt.Errorf("queue: WithMaxWaiting: the number must not be negative (with Block, it must be positive) and "+
				"the Overflow must be valid, got %d and %d", n, more)
		}
		l.room, l.overflow = n, more
		return nil
	}
}

// WithMaxWaitingPerKey sets how many requests of one key may wait. Further requests of the key fail
// with [ErrFull]. By default, only [WithMaxWaiting] bounds them.
func WithMaxWaitingPerKey(n int) Option {
	return func(l *Queue) error {
		if n < 0 {
			return fmt.Errorf("queue: WithMaxWaitingPerKey: the number must not be negative, got %d", n)
		}
		l.keyRoom = n
		return nil
	}
}

// WithMinimumShare sets the share of permits that each priority gets while it waits behind higher ones,
// so that it never starves. The default is 0.05, at least every twentieth permit. With 0, higher
// priorities may take all permits. The maximum is 0.2, because four priorities can wait behind the
// highest.
func WithMinimumShare(share float64) Option {
	return func(l *Queue) error {
		if !(share >= 0 && share <= 0.2) {
			return fmt.Errorf("queue: the minimum share must be from 0 to 0.2, got %v", share)
		}
		l.floor = int32(math.Round(share * 1000))
		return nil
	}
}

// WithMaxKeys sets how many keys the queue remembers when they are not in use. Beyond that, it forgets
// the least recently used ones, even if their limits are not idle. The default is 100,000.
func WithMaxKeys(n int) Option {
	return func(l *Queue) error {
		if n < 1 {
			return fmt.Errorf("queue: WithMaxKeys: the number must be positive, got %d", n)
		}
		l.maxKeys = n
		return nil
	}
}
