package client

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// Counts is what became of the requests of a key since it is remembered.
type Counts struct {
	// Sent is how many times requests were sent, retries included; Retried is how many of
	// these were retries.
	Sent, Retried uint64 `json:",omitzero"`
	// Refused is how many times the server refused them.
	Refused uint64 `json:",omitzero"`
	// GivenUp is how many requests were not sent, or not once more, although it would have
	// been worth it.
	GivenUp uint64 `json:",omitzero"`
}

// A usage is what is known of the requests of a key, for those who look. All but givenUp
// is guarded by the queue's lock.
type usage struct {
	host, name string // of the last request
	counts     Counts
	givenUp    atomic.Uint64
}

// count takes in an attempt that is over.
func (u *usage) count(a *attempt, refused bool) {
	u.host, u.name = a.req.URL.Host, a.name
	u.counts.Sent++
	if a.Retry {
		u.counts.Retried++
	}
	if refused {
		u.counts.Refused++
	}
}

// total returns the counts.
func (u *usage) total() Counts {
	c := u.counts
	c.GivenUp = u.givenUp.Load()
	return c
}

// WithKeyName returns a context whose requests show name in events and in what
// [Transport.Status] and [Transport.Snapshot] tell of their key: the name of a tenant, say.
// It changes nothing else, and must not hold a secret.
func WithKeyName(ctx context.Context, name string) context.Context {
	c := toldOf(ctx)
	c.name = name
	return context.WithValue(ctx, callKey{}, c)
}

// WithKeyNames sets how keys are shown, as [WithKeyName] does for one request: f returns the
// name of the key that a request spends the quota of, or an empty string for none. It is
// called for each request, by many goroutines at once, and must return no secret.
func WithKeyNames(f func(*http.Request) string) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithKeyNames got no function")
		}
		s.names = f
		return nil
	}
}

// nameFor returns the name that the caller gave to the key of a request. The caller's
// function may panic.
func (t *Transport) nameFor(c *call) (name string) {
	if c.name != "" || t.names == nil {
		return c.name
	}
	told := false
	defer func() {
		if !told {
			closeBody(c.req)
		}
	}()
	name = t.names(c.req)
	told = true
	return name
}

type attemptKey struct{}

// AttemptOf returns which attempt of a request is sent with ctx, from 1: for a base
// transport that logs, signs or measures. It is 1 for a context that is of no retry.
func AttemptOf(ctx context.Context) int {
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		return n
	}
	return 1
}
