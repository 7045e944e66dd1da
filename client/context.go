package client

import (
	"context"
	"hash/fnv"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/queue"
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

// NoWait returns a context whose requests are not kept waiting, neither for a limit
// nor between two attempts. A request that cannot go at once fails with an [Error]
// that wraps [ErrNoWait] and says when it could. One that went is not sent again:
// whatever comes back is the caller's, a refusal too.
func NoWait(ctx context.Context) context.Context {
	c := toldOf(ctx)
	c.noWait = true
	return context.WithValue(ctx, callKey{}, c)
}

// NoRetry returns a context whose requests are sent once: whatever comes back is
// the caller's.
func NoRetry(ctx context.Context) context.Context {
	c := toldOf(ctx)
	c.noRetry = true
	return context.WithValue(ctx, callKey{}, c)
}

// WithKey returns a context whose requests spend the quota of key, whichever hosts they
// go to, in place of the one that the key function tells. The key is hashed like any
// other. An empty one leaves it to the key function, or to the default.
func WithKey(ctx context.Context, key string) context.Context {
	c := toldOf(ctx)
	c.key = key
	return context.WithValue(ctx, callKey{}, c)
}

// WithScope returns a context whose requests have limits of their own within their
// key, which they share with the other requests of the same scope: for APIs that
// limit, say, searches apart from everything else and do not show it. Where
// responses show it, scopes are found without being told.
func WithScope(ctx context.Context, scope string) context.Context {
	c := toldOf(ctx)
	h := fnv.New64a()
	_, _ = h.Write([]byte(scope)) // never fails
	c.scope, c.bucket = h.Sum64()|1, "scope "+scope
	return context.WithValue(ctx, callKey{}, c)
}

// WithPriority returns a context whose requests go before those of a lower priority
// that wait for the same limits. The default is queue.Normal. Lower priorities keep
// the share that queue.WithMinimumShare sets, so that none starves.
func WithPriority(ctx context.Context, p queue.Priority) context.Context {
	c := toldOf(ctx)
	c.priority = p
	return context.WithValue(ctx, callKey{}, c)
}

// WithCost returns a context whose requests spend n of each limit in place of 1, as
// far as the API counts so. A cost that a limit never allows at once is a
// queue.CostError. A cost below 1 counts as 1.
func WithCost(ctx context.Context, n int) context.Context {
	c := toldOf(ctx)
	c.cost = max(n, 1)
	return context.WithValue(ctx, callKey{}, c)
}
