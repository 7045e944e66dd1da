package client

import (
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/backoff"
)

// A circuit holds the breaker of a key, once it is created.
type circuit struct {
	once    sync.Once
	breaker backoff.Breaker
}

// breaker returns the breaker of a key, or nil. It calls the caller's function outside the queue's
// lock.
func (l *keyState) breaker() backoff.Breaker {
	c := &l.circuit
	c.once.Do(func() { c.breaker = l.transport.newBreaker(nameOf(l.key)) })
	return c.breaker
}

// guard sends a request that has a permit if the breaker of its key allows it, and reports the outcome
// to the breaker; otherwise it cancels the permit. After a panic, it reports an unknown outcome.
func (a *attempt) guard(t *Transport, req *http.Request, who *principal, ans *answer) {
	var done func(backoff.Attempt)
	over := false
	defer func() {
		if over {
			return
		}
		a.permit.Cancel() // it does nothing if the request was sent
		closeBody(req)
		discard(ans.resp)
		ans.letGo()
		if done != nil {
			done(backoff.Attempt{})
		}
	}()
	if b := a.key.breaker(); b != nil {
		var err error
		if done, err = b.Allow(); err != nil {
			done = nil // the breaker expects no outcome
			ans.err, ans.turnedAway = &brokenError{err}, true
			return
		}
	}
	a.exchange(t, req, who, ans)
	if tell := done; tell != nil {
		done = nil // call it only once, even if it panics
		tell(backoff.Attempt{Request: req, Response: ans.resp, Err: ans.err, Refused: ans.refused})
	}
	over = true
}

// A brokenError is the error with which a breaker refused a request.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }

// until returns when to ask the breaker again, or zero if the breaker did not say.
func (e *brokenError) until() time.Time {
	if t, ok := e.err.(interface{ RetryAt() time.Time }); ok {
		return t.RetryAt()
	}
	return time.Time{}
}
