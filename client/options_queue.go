package client

import (
	"errors"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// WithRule adds limits that no header tells: per key, per host or for all requests, of all
// routes or of those that match a pattern, and a bound on how many requests are under way.
// It may be given up to 64 times; a request obeys all the rules that match it. The quotas of
// a rule with a name can be changed later; see [Transport.Queue].
func WithRule(r queue.Rule) Option { return withQueue(queue.WithRule(r)) }

// WithMaxWaiting sets how many requests may wait in the queue, of all keys together, and
// what happens to one more. 0 means that none may wait. The default is 100,000 and
// [queue.RefuseNewest].
func WithMaxWaiting(n int, more queue.Overflow) Option {
	return withQueue(queue.WithMaxWaiting(n, more))
}

// WithMaxWaitingPerKey sets how many requests of one key may wait. One more fails with
// [ErrFull]. By default only [WithMaxWaiting] bounds them.
func WithMaxWaitingPerKey(n int) Option { return withQueue(queue.WithMaxWaitingPerKey(n)) }

// WithMinimumShare sets the share of requests that each lower priority gets while it waits
// behind higher ones, from 0 to 0.2. The default is 0.05: every twentieth request. 0 lets
// the higher priorities take all.
func WithMinimumShare(share float64) Option { return withQueue(queue.WithMinimumShare(share)) }

// WithMaxKeys sets how many keys are remembered when they are not in use. Beyond that the
// least recently used is forgotten, with what was learned of its limits. The default is
// 100,000.
func WithMaxKeys(n int) Option { return withQueue(queue.WithMaxKeys(n)) }

// WithQueue passes other options to the queue in which requests wait, such as that of
// package adaptive, or one that a program composes. queue.WithMaxWait is an error here (use
// [WithMaxWait] instead), and so is queue.WithKeyLimit.
func WithQueue(opts ...queue.Option) Option {
	return func(s *settings) error {
		const unset = 1 // a wait for which no program asks
		ours := false
		trial, err := queue.New(append([]queue.Option{
			queue.WithMaxWait(unset),
			queue.WithKeyLimit(func(string) limit.Limiter { ours = true; return nil }),
		}, opts...)...)
		if err != nil {
			return err
		}
		defer trial.Close()
		if trial.MaxWait() != unset {
			return errors.New("client: WithQueue got queue.WithMaxWait, which bounds the wait in the queue alone; use client.WithMaxWait")
		}
		if trial.Update("", nil); !ours {
			return errors.New("client: WithQueue got queue.WithKeyLimit, but the limit of a key is what is learned; use a rule")
		}
		return withQueue(opts...)(s)
	}
}

// withQueue passes an option on to the queue, which says what is wrong with it.
func withQueue(opts ...queue.Option) Option {
	return func(s *settings) error { s.queue = append(s.queue, opts...); return nil }
}
