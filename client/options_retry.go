package client

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/backoff"
)

// WithMaxElapsed bounds the time from the start of a request's first attempt to the
// start of its last. If a retry would start later, it is not made, and the caller gets
// the last response or error, at once if the program set WithMaxElapsed or [WithMaxWait]. WithMaxElapsed never interrupts an attempt; use
// [WithAttemptTimeout] for that. The default is twice [WithMaxWait] plus five minutes (45
// minutes if that is not set either): room for two full waits and the attempts
// themselves. 0 means no bound.
func WithMaxElapsed(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("client: WithMaxElapsed: the time must not be negative, got %v", d)
		}
		s.elapsed = d
		return nil
	}
}

// mostElapsed returns the bound on the elapsed time, 0 for none.
func (s *settings) mostElapsed() time.Duration {
	switch {
	case s.elapsed >= 0:
		return s.elapsed
	case s.maxWait > 0 && s.maxWait < math.MaxInt64/4:
		return 2*s.maxWait + 5*time.Minute
	}
	return 0
}

// WithRetryBudget bounds the retries of each key: within about one window, the client
// retries at most floor requests plus the given share of all requests. A share of 0.2 and
// a floor of 10, in 10 seconds, is a good choice for one client of many. Once the budget
// is spent, a failure goes to the caller, although another attempt might have succeeded.
// So there is no budget by default; a request is sent five times at most, as with other
// clients. A share and a floor of 0 allow no retry after a failure; a large floor allows
// all. Retries of refused requests do not count, because a refusal costs the server no
// work. [Transport.Budget] reports the state of the budget.
func WithRetryBudget(share float64, floor int, window time.Duration) Option {
	return func(s *settings) error {
		if _, err := backoff.NewBudget(share, floor, window); err != nil {
			return err
		}
		s.newBudget = func() *backoff.Budget {
			b, err := backoff.NewBudget(share, floor, window)
			if err != nil {
				panic(err) // the settings were tried before
			}
			return b
		}
		return nil
	}
}

// WithAttemptTimeout bounds the time from sending an attempt to receiving the header of
// its response. The time in the queue does not count; connecting and sending the body do,
// so d must exceed the longest upload. Reading the body of the response does not count
// either, so streaming responses are not cut off.
//
// An attempt that takes longer counts as a network timeout, which is retried where that
// is safe. After the last one, the caller gets an error that matches [ErrAttemptTimeout]
// and, like the timeouts of net/http, [context.DeadlineExceeded]. The context of the
// request is not canceled.
//
// By default, and if d is 0, there is no such timeout: how long a response may take
// depends on the API, and http.DefaultTransport has timeouts of its own for dialing and
// the TLS handshake. Unlike this timeout, http.Transport.ResponseHeaderTimeout starts only
// after an upload.
func WithAttemptTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("client: WithAttemptTimeout: the timeout must not be negative, got %v", d)
		}
		s.attemptTimeout = d
		return nil
	}
}

// WithBreaker gives each key a circuit breaker. While the breaker is open, no request is
// sent: each fails at once with an [Error] that matches [ErrCircuitOpen] and says until
// when. If a request was answered before, its caller gets that response instead. To use
// the breaker of package breaker:
//
//	perKey, err := breaker.PerKey(breaker.Defaults())
//	...
//	hc, err := client.New(client.WithBreaker(perKey))
//
// The client asks the breaker when a request reaches the front of the queue, so that the
// time in the queue does not count against the server, and again before each retry. If the
// breaker refuses the request, the request returns its permit and spends nothing. The
// client calls newBreaker with the hash of a key at the first request of that key, and
// discards the breaker with the key, at least ten minutes after its last request;
// newBreaker may return nil for a key that needs no breaker. [Transport.Breaker] returns
// the breaker of a key.
//
// There is no breaker by default: the number of retries already bounds what failures cost
// the server, and where one key reaches many services, only the caller knows whether its
// failures predict the outcome of the next request.
func WithBreaker(newBreaker func(key string) backoff.Breaker) Option {
	return func(s *settings) error {
		if newBreaker == nil {
			return errors.New("client: WithBreaker got no function")
		}
		s.newBreaker = newBreaker
		return nil
	}
}

// WithBodyBuffer sets how much of a request body that has no GetBody is recorded while it
// is sent, so that it can be sent again: limit bytes at most. The default is 1 MiB; with 0,
// nothing is recorded, and such a request is sent once.
//
// The client reads nothing ahead: the body is streamed as it comes, and a request that is
// sent again sends what was recorded and then the rest. Of a longer body nothing is kept,
// and it is sent once, as is a body that cannot be read to its end. Requests with [NoRetry]
// or [NoWait] are not recorded. The base transport sees a body of the client's that reads
// as the caller's does; nothing else about the request changes, not even its ContentLength.
//
// A request holds what was recorded until it is answered. The body is closed when nothing
// more of it is needed, or when the context of the request ends, to end a read that hangs.
// Bodies in memory need no recording, because http.NewRequest sets GetBody for them.
func WithBodyBuffer(limit int64) Option {
	return func(s *settings) error {
		if limit < 0 {
			return fmt.Errorf("client: WithBodyBuffer: the limit must not be negative, got %d", limit)
		}
		s.buffer = int(min(limit, math.MaxInt))
		return nil
	}
}
