// Package client makes HTTP clients that use all of an API's rate limit and never
// exceed it.
//
//	hc, err := client.New()
//	...
//	resp, err := hc.Get("https://api.example.com/items") // waits when it must
//
// There is nothing to configure: the client reads the API's limits from its responses,
// in any header dialect. Every request passes through one queue, in which it waits until
// each limit that applies to it allows it; as soon as a response changes a limit, the
// queue is planned again. A request that the API refuses nevertheless is retried when
// the API asked for it, and failures are retried where that is safe.
//
// [New] and [Wrap] return an ordinary [http.Client] for any program or SDK that
// takes one. [NewTransport] returns the [http.RoundTripper] itself, whose methods
// [Transport.Status] and [Transport.Snapshot] report what is known of the limits.
//
// Options set the thresholds, and what is retried; [WithRule] adds bounds, and limits
// that the API does not announce; [WithObserver] shows a program every decision, and
// package observe has observers that log, record and warn. For a single request,
// [NoWait], [NoRetry], [WithKey], [WithScope], [WithPriority] and [WithCost] set
// options through its context. A request that cannot be sent in time fails with an [*Error].
//
// The package puts the others together and decides nothing about limits itself: package
// queue lets requests wait, package throttle says what a server allows, package backoff
// what follows a failure. Start reading at [Transport.RoundTrip]; docs/concepts.md has a
// request's way through the files.
package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// New returns an http.Client that stays within the limits of the APIs it calls. Its
// transport is a [Transport] over http.DefaultTransport. New returns an error if an
// option is invalid.
func New(opts ...Option) (*http.Client, error) {
	t, err := NewTransport(nil, opts...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t}, nil
}

// Wrap returns a client with the jar, timeout and redirect policy of hc that stays within
// the limits of the APIs it calls. It sends requests through the transport of hc, which
// is not modified. The timeout of hc, if it has one, includes the time in the queue: a
// request that cannot be sent within it fails; see [WithMaxWait].
func Wrap(hc *http.Client, opts ...Option) (*http.Client, error) {
	if hc == nil {
		return nil, errors.New("client: Wrap got no client; New makes one")
	}
	t, err := NewTransport(hc.Transport, opts...)
	if err != nil {
		return nil, err
	}
	wrapped := *hc
	wrapped.Transport = t
	return &wrapped, nil
}

// A Transport is an [http.RoundTripper] that stays within the limits of the APIs it
// calls. Create it with [NewTransport]. It is safe for concurrent use and should be
// shared: what it learns from one request helps all others with the same key.
type Transport struct {
	base     http.RoundTripper
	queue    *queue.Queue
	strategy *backoff.Strategy
	maxWait  time.Duration
	elapsed  time.Duration // the most from the first attempt to a retry; 0 for no bound

	ownWait, ownElapsed bool // the program set them

	keyOf     KeyFunc
	names     func(*http.Request) string // nil for none
	checks    bool                       // the program has a check of its own, to be asked about every response
	buffer    int                        // see WithBodyBuffer
	observers []func(Event)

	newBreaker func(key string) backoff.Breaker // nil for none

	usageEndpoint *url.URL // nil for none

	apis     []*cost.API // see WithCosts
	hosts    hosts
	joins    bool // keys of a host that turn out to spend the same limits
	accounts accounts
	refusals refusals
	served   atomic.Uint64 // requests of all keys

	closed context.Context //nolint:containedctx // ends when the transport is closed
	close  context.CancelFunc
}

// NewTransport returns a transport that sends requests through base, or through
// http.DefaultTransport if base is nil. It returns an error if an option is invalid.
func NewTransport(base http.RoundTripper, opts ...Option) (*Transport, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	s := defaults()
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&s); err != nil {
			return nil, err
		}
	}
	if err := s.policy.Validate(); err != nil {
		return nil, err
	}
	if _, err := header.NewReader("", s.dialects...); err != nil {
		return nil, err
	}
	if s.retry.Retries == 0 {
		s.buffer = 0
	}
	s.retry.MaxServerWait, s.retry.MaxElapsed = s.maxWait, s.mostElapsed()
	strategy, err := backoff.NewStrategy(s.retry)
	if err != nil {
		return nil, err
	}
	t := &Transport{
		base: s.timed(base), strategy: strategy, maxWait: s.maxWait, elapsed: s.retry.MaxElapsed,
		ownWait: s.ownWait, ownElapsed: s.elapsed >= 0,
		keyOf: s.key, names: s.names, checks: s.checks, buffer: s.buffer, newBreaker: s.newBreaker,
		hosts: hosts{dialects: s.dialects}, joins: s.fleet == nil && s.usageEndpoint == nil && s.newBreaker == nil && !s.perKey,
		observers: s.observers, apis: s.apis, usageEndpoint: s.usageEndpoint,
	}
	if t.queue, err = t.newQueue(&s); err != nil {
		return nil, err
	}
	t.closed, t.close = context.WithCancel(context.Background())
	return t, nil
}

func (t *Transport) newQueue(s *settings) (*queue.Queue, error) {
	start := time.Now() // not later: the first request of a key arrives before its limit is created
	if s.fleet != nil {
		s.queue = append(s.queue, queue.WithFleet(t.divide(s.fleet)))
	}
	return queue.New(append(s.queue,
		queue.WithMaxWait(s.maxWait),
		queue.WithKeyLimit(func(key string) limit.Limiter { return newKeyState(t, key, s, start) }),
	)...)
}

// RoundTrip sends a request as soon as every limit that applies to it allows, and
// retries it where that is safe. It blocks while the request waits in the queue, but no
// longer than the context of the request allows. A response is never an error: if the
// request was answered, RoundTrip returns the last response, whatever its status, even
// if the request would have to wait too long for another attempt. An [Error] reports
// that the request was not sent.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		closeBody(req)
		return nil, errors.New("client: the request has no URL")
	}
	if t.records(req) {
		return t.roundTripRecorded(req)
	}
	c := callOf(req)
	return t.roundTrip(&c)
}

func (t *Transport) roundTrip(c *call) (*http.Response, error) {
	ctx, over := waitContext(c.req)
	if c.ctx = ctx; over != nil {
		defer over()
	}
	c.own = t.credential(c.sends, c.callOptions)
	who := c.own.spends()
	if t.usageEndpoint != nil {
		t.readUsage(ctx, c.req, who, c.noWait)
	}
	var first answer
	t.send(c.sends, who, c, &first)
	if first.turnedAway {
		return nil, t.turnedAway(c, who, first.err)
	}
	if !c.mayRetry() || !first.questionable() && !t.checks {
		return first.resp, first.err
	}
	return t.retry(who, c, first)
}

// turnedAway returns the error of a request that was never sent.
func (t *Transport) turnedAway(c *call, who *principal, err error) error {
	limited := notAdmitted(err, 0, 0)
	if said := t.giveUp(c, who); said != nil {
		limited.tell(said)
	}
	if t.observers != nil {
		(&loop{task: task{t: t, req: c.req, who: who, call: *c}}).tellGivenUp(limited)
	}
	return limited
}

// questionable reports whether an answer may be worth a retry.
func (a *answer) questionable() bool {
	return a.err != nil || a.refused || a.resp.StatusCode >= 400
}

// Queue returns the queue in which the requests of t wait. Use it to change limits while
// requests wait, to inspect it, or to drain it with Shutdown before a program exits.
func (t *Transport) Queue() *queue.Queue { return t.queue }

// Close makes all waiting and later requests fail with [ErrClosed]. Requests in flight
// are not interrupted. Close does not close the base transport.
func (t *Transport) Close() {
	t.queue.Close() // first, so that a request that waits between attempts finds the queue closed
	t.close()
}

// untilClosed returns a context that ends with another one, and when the transport is
// closed, until stop is called.
func (t *Transport) untilClosed(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(t.closed, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// CloseIdleConnections closes the idle connections of the base transport, if it has a
// method of that name.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
