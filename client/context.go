package client

import "context"

// A call is what the context of a request says about it.
type call struct {
	noWait  bool
	noRetry bool
	key     string
	keyed   bool
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

// NoWait returns a context whose requests are not kept waiting: a request that
// cannot go at once fails with an [Error] that wraps [ErrNoWait] and says when it
// could.
func NoWait(ctx context.Context) context.Context {
	c := callOf(ctx)
	c.noWait = true
	return context.WithValue(ctx, callKey{}, c)
}

// NoRetry returns a context whose requests are sent once: whatever comes back is
// the caller's.
func NoRetry(ctx context.Context) context.Context {
	c := callOf(ctx)
	c.noRetry = true
	return context.WithValue(ctx, callKey{}, c)
}

// WithKey returns a context whose requests spend the quota of key, in place of the
// one that the key function tells. The key is hashed like any other.
func WithKey(ctx context.Context, key string) context.Context {
	c := callOf(ctx)
	c.key, c.keyed = key, true
	return context.WithValue(ctx, callKey{}, c)
}
