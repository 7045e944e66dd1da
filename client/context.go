package client

import (
	"context"
	"hash/fnv"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client/internal/upload"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// A call is one request of a caller: what its context says about it, and how often it
// was sent until now.
type call struct {
	*callOptions

	req       *http.Request
	sends     *http.Request     // at first: req, or a copy of it with a recorded body
	recording *upload.Recording // nil for none
	ctx       context.Context   //nolint:containedctx // with which it waits; it lives as long as the request
	own       *principal        // of its credentials, which may spend the quota of another
	sent      int

	refusals int // attempts that the server refused

	maxWait time.Duration // in the queue; 0 is the transport's

	estimate  cost.Estimate
	estimated bool // estimate was made
}

// callOptions are what a context says of its requests. They do not change once the context is made.
type callOptions struct {
	noWait  bool
	noRetry bool
	key     string
	name    string // of the key, to be shown
	scope   uint64
	bucket  string

	priority queue.Priority
	cost     int
	units    cost.Units // what it surely spends of limits that count something else than requests
}

// mayRetry reports whether the caller lets the request be sent again.
func (o *callOptions) mayRetry() bool { return !o.noRetry && !o.noWait }

func callOf(req *http.Request) call {
	ctx := req.Context()
	return call{callOptions: callOptionsOf(ctx), req: req, sends: req, ctx: ctx}
}

type callOptionsKey struct{}

// noCallOptions are those of most contexts.
var noCallOptions callOptions

// callOptionsOf returns the options that a context holds.
func callOptionsOf(ctx context.Context) *callOptions {
	if o, ok := ctx.Value(callOptionsKey{}).(*callOptions); ok {
		return o
	}
	return &noCallOptions
}

// withCallOption returns a context with the options of ctx and another one.
func withCallOption(ctx context.Context, set func(*callOptions)) context.Context {
	o := *callOptionsOf(ctx)
	set(&o)
	return context.WithValue(ctx, callOptionsKey{}, &o)
}

// NoWait returns a context whose requests never wait, neither for a limit nor between
// two attempts. A request that cannot be sent at once fails with an [Error] that wraps
// [ErrNoWait] and says when it could be sent. A request that was sent is not retried: the
// caller gets its response, even a refusal.
func NoWait(ctx context.Context) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.noWait = true })
}

// NoRetry returns a context whose requests are sent only once: the caller gets the
// response or error of the first attempt.
func NoRetry(ctx context.Context) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.noRetry = true })
}

// WithKey returns a context whose requests spend the quota of key, whatever their host. It
// overrides the key function; an empty key does not. The client keeps only a hash of the
// key.
func WithKey(ctx context.Context, key string) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.key = key })
}

// WithScope returns a context whose requests have limits of their own within their
// key, shared with the other requests of the same scope. It is for APIs that limit some
// requests separately, such as searches, without showing it. Where responses do show it,
// the client finds the scopes by itself.
func WithScope(ctx context.Context, scope string) context.Context {
	h := fnv.New64a()
	_, _ = h.Write([]byte(scope)) // never fails
	return withCallOption(ctx, func(o *callOptions) { o.scope, o.bucket = h.Sum64()|1, "scope "+scope })
}

// WithPriority returns a context whose requests go before requests of lower priority
// that wait for the same limits. The default is queue.Normal. Lower priorities keep
// the share that queue.WithMinimumShare sets, so that none of them starves.
func WithPriority(ctx context.Context, p queue.Priority) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.priority = p })
}

// WithCost returns a context whose requests spend n units of each limit instead of 1, for
// APIs that count them so. If n exceeds what a limit ever allows at once, the request
// fails with a queue.CostError, unless the API announces limits of other units too: then it
// is one request that costs n of those. [WithUnits] says so directly. A cost below 1 counts
// as 1.
func WithCost(ctx context.Context, n int) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.cost = max(n, 1) })
}

// WithKeyName returns a context that sets the display name of its requests' key, such as
// the name of a tenant. Events and the results of [Transport.Status] and
// [Transport.Snapshot] show it. It changes nothing else. It must not contain a secret.
func WithKeyName(ctx context.Context, name string) context.Context {
	return withCallOption(ctx, func(o *callOptions) { o.name = name })
}

type attemptKey struct{}

// AttemptOf returns the number of the attempt that is sent with ctx: 1 for the first
// attempt or any other context that is not of a retry, 2 for the first retry, and so on.
// It is for base transports that log, sign or measure.
func AttemptOf(ctx context.Context) int {
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		return n
	}
	return 1
}
