package client

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/forbear-go/forbear/backoff"
)

// WithMaxElapsed bounds the time from the start of a request's first attempt to the
// start of its last. A retry that would begin later is not made: the caller gets the
// last answer as it is. No attempt is interrupted; [WithAttemptTimeout] is for that. The default is twice [WithMaxWait]
// and five minutes, 45 minutes in all: room for two full waits, and for the attempts
// themselves. 0 is without bound.
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

// WithRetryBudget bounds the retries of each key: within about one window no more are
// made than floor and that share of the requests; a fifth and 10, in 10 seconds, is a
// good choice for a client that is one of many. A failure beyond that is the caller's,
// though another attempt might have been answered. So there is no such bound by default;
// a request is sent five times at the most, as by other clients. A share and a floor of 0
// allow no retry after a failure; a large floor allows all. Retries of refused requests
// do not count: they cost the server no work. [Transport.Budget] shows it.
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

// WithAttemptTimeout bounds the time from the moment at which an attempt is sent until
// the header of its response is there. The time in the queue does not count; connecting
// and sending the body do, so d must exceed the longest upload. The body of the response
// may take as long as it likes, so that streams live.
//
// An attempt that takes longer is a timeout of the network, which is retried where that
// is safe. After the last one the caller gets an error that matches [ErrAttemptTimeout],
// and as those of net/http do [context.DeadlineExceeded]; the context of the request
// goes on.
//
// There is no such bound by default: how long an answer may take, only its API knows,
// the dialer and the TLS handshake of http.DefaultTransport have timeouts of their own,
// and http.Transport.ResponseHeaderTimeout begins only after an upload. 0 is none.
func WithAttemptTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("client: WithAttemptTimeout: the timeout must not be negative, got %v", d)
		}
		s.attemptTimeout = d
		return nil
	}
}

// WithBreaker gives each key a circuit breaker: while requests keep failing, no other
// is sent, and each fails at once with an [Error] that matches [ErrCircuitOpen] and says
// until when; one that was answered before gets that answer. The one of package breaker takes
//
//	perKey, err := breaker.PerKey(breaker.Defaults())
//	...
//	hc, err := client.New(client.WithBreaker(perKey))
//
// The breaker is asked when a request has its turn in the queue, so that waiting does not
// count as the server's, and again before each retry. A request that it refuses gives
// its permit back and spends nothing. The breaker is made at the first request of a
// key, by the hash of the key, and forgotten with it, ten minutes after the last
// request at the earliest; newBreaker may return nil for a key without one.
// [Transport.Breaker] returns it.
//
// There is none by default: the number of retries bounds what failures cost the server, and
// that a key's failures say something of its next request only the caller knows, where
// one key reaches many services.
func WithBreaker(newBreaker func(key string) backoff.Breaker) Option {
	return func(s *settings) error {
		if newBreaker == nil {
			return errors.New("client: WithBreaker got no function")
		}
		s.newBreaker = newBreaker
		return nil
	}
}

// WithBodyBuffer has a request body without GetBody read into memory before it is sent,
// if it is at most limit bytes long, so that it can be sent again. A longer one is
// streamed once, and so is one that cannot be read to its end, after what was read of
// it. Requests with [NoRetry] or [NoWait] are streamed too. Nothing else of the
// request changes, also not its ContentLength.
//
// A request takes up to limit bytes while it waits and until it is answered, and an
// Expect: 100-continue no longer saves reading. A body whose reading hangs is closed
// when the context of the request ends. The default is 0: no body is buffered; GetBody,
// which http.NewRequest sets for readers of memory, costs nothing.
func WithBodyBuffer(limit int64) Option {
	return func(s *settings) error {
		if limit < 0 {
			return fmt.Errorf("client: WithBodyBuffer: the limit must not be negative, got %d", limit)
		}
		s.buffer = min(limit, math.MaxInt64-1) // one byte more tells that a body is longer
		return nil
	}
}
