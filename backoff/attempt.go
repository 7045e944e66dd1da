package backoff

import (
	"context"
	"net/http"
	"time"
)

// An Attempt describes one attempt to send a request and its outcome. A [Check] and
// a [Strategy] decide from it. Any field may be zero, which means that it is not known.
type Attempt struct {
	// Number is the number of the attempt: 1 is the first attempt, 2 the first
	// retry. 0 means 1.
	Number int
	// Elapsed is the time since the first attempt began.
	Elapsed time.Duration
	// Previous is the wait before this attempt, 0 if it was the first.
	Previous time.Duration
	// Request is the request as the caller made it, with the caller's context.
	Request *http.Request
	// Response is the server's response; nil if Err is not nil. Its body is not
	// read.
	Response *http.Response
	// Err is why there was no response.
	Err error
	// Refused reports whether the response is a refusal because of a limit,
	// whatever its status. Status 429 always is.
	Refused bool
	// Wait is how long the server asked to wait, from now. It is valid only if
	// WaitKnown is set: a wait of zero differs from none.
	Wait      time.Duration
	WaitKnown bool
	// Lasting reports that requests like this one have been refused for so long, whatever the
	// wait, that it is not known whether waiting helps. Elapsed then includes the time in which the
	// request waited for others to be refused, and the retries end when they would
	// have taken that long by themselves.
	Lasting bool
	// Repeatable declares that executing a request twice does no harm, whatever
	// its method. It is meant for all requests of a caller; use
	// [WithIdempotent] for a single one.
	Repeatable bool
	// Recorded declares that the body of the request can be sent again although it has no
	// GetBody, because what was read of it is kept.
	Recorded bool
}

// Idempotent reports whether the server may execute the request twice without
// harm. [WithIdempotent] decides, if it was used. Otherwise the request is
// idempotent if Repeatable is set, if it has an Idempotency-Key or
// X-Idempotency-Key header, or if its method is GET, HEAD, OPTIONS, TRACE, PUT or
// DELETE (RFC 9110 section 9.2.2). An unknown request is idempotent only if
// Repeatable is set.
//
// As in net/http, a header entry without any value marks the request without
// being sent. An entry that has only empty values does not count as a key.
func (a Attempt) Idempotent() bool {
	if a.Request == nil {
		return a.Repeatable
	}
	if word, ok := a.Request.Context().Value(idempotentKey{}).(bool); ok {
		return word
	}
	if a.Repeatable || hasKey(a.Request.Header["Idempotency-Key"]) ||
		hasKey(a.Request.Header["X-Idempotency-Key"]) {
		return true
	}
	switch a.Request.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace,
		http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func hasKey(values []string) bool {
	for _, v := range values {
		if v != "" {
			return true
		}
	}
	return values != nil && len(values) == 0
}

// Replayable reports whether the request can be sent again: it has no body, GetBody
// returns a new one, or Recorded is set. An unknown request counts as replayable.
func (a Attempt) Replayable() bool {
	r := a.Request
	return a.Recorded || r == nil || r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

func (a Attempt) context() context.Context {
	if a.Request == nil {
		return context.Background()
	}
	return a.Request.Context()
}

// refused reports whether the server rejected the request before executing it,
// because of a limit.
func (a Attempt) refused() bool {
	return a.Err == nil && (a.Refused ||
		a.Response != nil && a.Response.StatusCode == http.StatusTooManyRequests)
}

// statusOverloaded is the status with which some APIs report that they are overloaded.
const statusOverloaded = 529

// heeded reports whether a wait that the server asks for says when it admits requests
// again. Clients that only retry heed no other, and so a server may not mean what it
// says there.
func (a Attempt) heeded() bool {
	return a.Response == nil || a.refused() || a.overloaded()
}

// overloaded reports whether the server says that it is, and not that it refuses because of a limit.
func (a Attempt) overloaded() bool {
	if a.Response == nil || a.refused() {
		return false
	}
	status := a.Response.StatusCode
	return status == http.StatusServiceUnavailable || status == statusOverloaded
}

type idempotentKey struct{}

// WithIdempotent returns a context that declares whether requests made with it
// may be executed twice without harm. It overrides method, headers and
// [Attempt].Repeatable in both directions: with true, a POST is retried after a
// server error; with false, even a GET is not. It does not affect refused
// requests, because the server did not execute them.
func WithIdempotent(ctx context.Context, idempotent bool) context.Context {
	return context.WithValue(ctx, idempotentKey{}, idempotent)
}
