package client

import (
	"context"
	"hash/fnv"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// A call is one request of a caller: what its context says about it, and how often it
// was sent until now.
type call struct {
	req  *http.Request
	ctx  context.Context //nolint:containedctx // with which it waits; it lives as long as the request
	sent int

	noWait  bool
	noRetry bool
	key     string
	name    string // of the key, to be shown
	scope   uint64
	bucket  string

	priority queue.Priority
	cost     int
	maxWait  time.Duration // in the queue; 0 is the transport's

	units     cost.Units // what it surely spends of limits that count something else than requests
	estimate  cost.Estimate
	estimated bool // estimate was made
}

// mayRetry reports whether the caller lets the request be sent again.
func (c *call) mayRetry() bool { return !c.noRetry && !c.noWait }

type callKey struct{}

func callOf(req *http.Request) call {
	c := toldOf(req.Context())
	c.req, c.ctx = req, req.Context()
	return c
}

// toldOf returns what a context says.
func toldOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// NoWait returns a context whose requests never wait, neither for a limit nor between
// two attempts. A request that cannot be sent at once fails with an [Error] that wraps
// [ErrNoWait] and says when it could be sent. A request that was sent is not retried: the
// caller gets its response, even a refusal.
func NoWait(ctx context.Context) context.Context {
	c := toldOf(ctx)
	c.noWait = true
	return context.WithValue(ctx, callKey{}, c)
}

// NoRetry returns a context whose requests are sent only once: the caller gets the
// response or error of the first attempt.
func NoRetry(ctx context.Context) context.Context {
	c := toldOf(ctx)
	c.noRetry = true
	return context.WithValue(ctx, callKey{}, c)
}

// WithKey returns a context whose requests spend the quota of key, whatever their host. It
// overrides the key function; an empty key does not. The client keeps only a hash of the
// key.
func WithKey(ctx context.Context, key string) context.Context {
	c := toldOf(ctx)
	c.key = key
	return context.WithValue(ctx, callKey{}, c)
}

// WithScope returns a context whose requests have limits of their own within their
// key, shared with the other requests of the same scope. It is for APIs that limit some
// requests separately, such as searches, without showing it. Where responses do show it,
// the client finds the scopes by itself.
func WithScope(ctx context.Context, scope string) context.Context {
	c := toldOf(ctx)
	h := fnv.New64a()
	_, _ = h.Write([]byte(scope)) // never fails
	c.scope, c.bucket = h.Sum64()|1, "scope "+scope
	return context.WithValue(ctx, callKey{}, c)
}

// WithPriority returns a context whose requests go before requests of lower priority
// that wait for the same limits. The default is queue.Normal. Lower priorities keep
// the share that queue.WithMinimumShare sets, so that none of them starves.
func WithPriority(ctx context.Context, p queue.Priority) context.Context {
	c := toldOf(ctx)
	c.priority = p
	return context.WithValue(ctx, callKey{}, c)
}

// WithCost returns a context whose requests spend n units of each limit instead of 1, for
// APIs that count them so. If n exceeds what a limit ever allows at once, the request
// fails with a queue.CostError, unless the API announces limits of other units too: then it
// is one request that costs n of those. [WithUnits] says so directly. A cost below 1 counts
// as 1.
func WithCost(ctx context.Context, n int) context.Context {
	c := toldOf(ctx)
	c.cost = max(n, 1)
	return context.WithValue(ctx, callKey{}, c)
}
