package queue

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Option changes what [New] makes.
type Option func(*Queue) error

// New returns a queue. Without options it lets everybody through at once.
//
// An option that makes no sense is an error.
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
	l.lastClass = l.newClass(classID{})
	l.classes[classID{}] = l.lastClass
	return l, nil
}

// WithKeyLimit gives each key a limit of its own, made by newLimit when the key first appears and
// forgotten with it. It is for what is learned about the key from responses; see [Permit.Settle].
// newLimit is called under the queue's lock and must not block or call the queue. It may return nil.
// When keys have to be forgotten, those stay whose limit holds back the zero [limit.Demand].
//
// The limit is asked for each bucket by itself: a refusal in one bucket does not hold others back.
func WithKeyLimit(newLimit func(key string) limit.Limiter) Option {
	return func(l *Queue) error {
		if newLimit == nil {
			return errors.New("queue: WithKeyLimit got nil")
		}
		l.newLimit = newLimit
		return nil
	}
}

// WithMaxWait sets the longest time that a request waits if it says nothing itself. The default is 0:
// as long as its context lets it.
func WithMaxWait(d time.Duration) Option {
	return func(l *Queue) error {
		if d < 0 {
			return fmt.Errorf("queue: the maximum wait must not be negative, got %v", d)
		}
		l.maxWait = d
		return nil
	}
}

// MaxWait returns what [WithMaxWait] set.
func (l *Queue) MaxWait() time.Duration { return l.maxWait }

// WithMaxWaiting sets how many requests may wait in the queue, and what happens to one more. 0 means
// that none may wait. The default is 100,000 and [RefuseNewest]: a bound far from what is usual, so
// that a mistake shows as an error before it does as a lack of memory.
func WithMaxWaiting(n int, more Overflow) Option {
	return func(l *Queue) error {
		if n < 0 || more > Block || n == 0 && more == Block {
			return fmt.Errorf("queue: the number of waiting requests must not be negative and the overflow must be valid, got %d and %d", n, more)
		}
		l.room, l.overflow = n, more
		return nil
	}
}

// WithMaxWaitingPerKey sets how many requests of one key may wait. One more is refused with [ErrFull].
// The default is no bound beside that of [WithMaxWaiting].
func WithMaxWaitingPerKey(n int) Option {
	return func(l *Queue) error {
		if n < 0 {
			return fmt.Errorf("queue: the number of waiting requests per key must not be negative, got %d", n)
		}
		l.keyRoom = n
		return nil
	}
}

// WithMinimumShare sets the share of permits that each lower priority gets while it waits behind higher ones,
// so that it never starves: 0.05, the default, is at least every twentieth permit. 0 lets the higher
// priorities take all. Four priorities can wait behind the highest, so the most is 0.2.
func WithMinimumShare(share float64) Option {
	return func(l *Queue) error {
		if !(share >= 0 && share <= 0.2) {
			return fmt.Errorf("queue: the minimum share must be from 0 to 0.2, got %v", share)
		}
		l.floor = int32(math.Round(share * 1000))
		return nil
	}
}

// WithMaxKeys sets how many keys the queue remembers when they are not in use. Beyond that it forgets
// the least recently used, also if their limits are not idle. The default is 100,000.
func WithMaxKeys(n int) Option {
	return func(l *Queue) error {
		if n < 1 {
			return fmt.Errorf("queue: the number of keys must be positive, got %d", n)
		}
		l.maxKeys = n
		return nil
	}
}
