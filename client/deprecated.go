package client

import (
	"errors"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// WithQueue passes options on to the queue in which requests wait. queue.WithMaxWait and
// queue.WithKeyLimit are an error.
//
// Deprecated: use [WithRule], [WithMaxWaiting], [WithMaxWaitingPerKey], [WithMinimumShare] and
// [WithMaxKeys].
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

// WithLine is an older name of [WithQueue].
//
// Deprecated: use the same as for [WithQueue].
func WithLine(opts ...queue.Option) Option { return WithQueue(opts...) }

// Line is the old name of [Transport.Queue].
//
// Deprecated: use [Transport.Queue].
func (t *Transport) Line() *queue.Queue { return t.Queue() }
