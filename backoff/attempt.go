package backoff

import (
	"context"
	"net/http"
	"time"
)

// Attempt is what is known after one attempt: what a [Check] and a [Strategy]
// decide from. Every field may be left zero, which means that it is not known.
type Attempt struct {
	// Number counts the attempts of the request, this one included: 1 is the
	// first attempt, 2 the first retry. Zero is taken as 1.
	Number int
	// Elapsed is the time since the first attempt began.
	Elapsed time.Duration
	// Previous is the wait before this attempt, 0 if it was the first.
	Previous time.Duration
	// Request is the request as the caller made it, with the caller's context.
	Request *http.Request
	// Response is what the server answered; nil if Err is not nil. Its body is
	// not read.
	Response *http.Response
	// Err is why there was no answer.
	Err error
	// Refused says that the response is a refusal for want of quota, whatever
	// its status. Status 429 is one even without it.
	Refused bool
	// Wait is the time from now for which the server asked. It means something
	// only when WaitKnown is set: a wait of zero and none at all are different.
	Wait      time.Duration
	WaitKnown bool
	// Repeatable is the caller's word, given once for all requests, that
	// executing one twice does no harm, whatever its method. For one request
	// there is [WithIdempotent].
	Repeatable bool
}

// Idempotent reports whether it does no harm if the server executes the request
// twice. The word given by [WithIdempotent] decides, if there is one. Else it
// takes Repeatable, or an Idempotency-Key or X-Idempotency-Key header, or one of
// the methods GET, HEAD, OPTIONS, TRACE, PUT and DELETE (RFC 9110 section
// 9.2.2). An unknown request is not idempotent.
//
// As in net/http, a header entry without any value marks the request without
// being sent. An entry with empty values only is no key.
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

// Replayable reports whether the request can be sent once more: it has no body,
// or GetBody makes a new one. An unknown request counts as replayable.
func (a Attempt) Replayable() bool {
	r := a.Request
	return r == nil || r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
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

// statusOverloaded is what some APIs answer that have too much to do.
const statusOverloaded = 529

// heeded reports whether a wait that the server asks for says when it admits requests
// again. Clients that only retry heed no other, and so a server may not mean what it
// says there.
func (a Attempt) heeded() bool {
	if a.Response == nil || a.refused() {
		return true
	}
	status := a.Response.StatusCode
	return status == http.StatusServiceUnavailable || status == statusOverloaded
}

type idempotentKey struct{}

// WithIdempotent returns a context that carries the caller's word on whether
// requests made with it may be executed twice without harm. It overrules
// method, headers and [Attempt].Repeatable in both directions: true lets a POST
// be retried after a server error, false keeps even a GET from it. Refused
// requests were not executed, so the word does not concern them.
func WithIdempotent(ctx context.Context, idempotent bool) context.Context {
	return context.WithValue(ctx, idempotentKey{}, idempotent)
}
