package client

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// Counts counts the outcomes of a key's requests since the client first saw the key, or
// saw it again after forgetting it.
type Counts struct {
	// Sent is the number of attempts, retries included; Retried is how many of these were
	// retries.
	Sent, Retried uint64 `json:",omitzero"`
	// Refused is how many attempts the server refused.
	Refused uint64 `json:",omitzero"`
	// GivenUp is how many requests were given up that should have been sent or retried.
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

// WithKeyName returns a context that sets the display name of its requests' key, such as
// the name of a tenant. Events and the results of [Transport.Status] and
// [Transport.Snapshot] show it. It changes nothing else. It must not contain a secret.
func WithKeyName(ctx context.Context, name string) context.Context {
	c := toldOf(ctx)
	c.name = name
	return context.WithValue(ctx, callKey{}, c)
}

// WithKeyNames sets the display names of keys, as [WithKeyName] does for one request: f
// returns the name of a request's key, or an empty string for none. The client calls f for
// each request, by many goroutines at once. The name must not contain a secret.
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

// AttemptOf returns the number of the attempt that is sent with ctx: 1 for the first
// attempt or any other context that is not of a retry, 2 for the first retry, and so on.
// It is for base transports that log, sign or measure.
func AttemptOf(ctx context.Context) int {
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		return n
	}
	return 1
}
