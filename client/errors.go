package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/queue"
)

// Reasons why a request is not sent. Each is wrapped in an [Error].
var (
	// ErrNoWait means that a request with [NoWait] would have had to wait.
	ErrNoWait = queue.ErrNoWait
	// ErrMaxWait means that a request would have had to wait longer than
	// [WithMaxWait] or [WithMaxElapsed] allows.
	ErrMaxWait = queue.ErrMaxWait
	// ErrFull means that the queue is full.
	ErrFull = queue.ErrFull
	// ErrDropped means that the queue dropped a waiting request in favour of a newer one;
	// see queue.DropOldest.
	ErrDropped = queue.ErrDropped
	// ErrCircuitOpen means that the key's breaker allows no requests; see
	// [WithBreaker].
	ErrCircuitOpen = errors.New("client: circuit open")
	// ErrClosed means that the transport was closed.
	ErrClosed = queue.ErrClosed
)

// An Error reports that a request was not sent: it would have had to wait too long for a
// limit, its context ended while it waited, its circuit is open, or the transport was
// closed. Reason says which. A request that was answered returns an Error only if its
// context ended before the next attempt, if GetBody failed, or if the response was
// too long to keep until it turned out that no other attempt could be made.
// An Error is safe for concurrent use as long as it is not modified.
type Error struct {
	// Reason is one of this package's errors, or the error of the request's context. It is
	// [context.DeadlineExceeded] also if the deadline has not passed, but the request
	// could not be sent before it. If GetBody failed, Reason wraps its error.
	Reason error
	// Limit is the name of the limit that makes the request wait longest. It is empty if
	// that is not known.
	Limit string
	// Until is when that limit, or the breaker, would allow the request. It is zero if
	// that is not known.
	Until time.Time
	// Ahead is how many requests were waiting in front of this one.
	Ahead int
	// Attempts is how many times the request was sent: 0 if never.
	Attempts int
	// Status is the status of the last response to the request. If the request was never
	// sent, Status is that of the last refusal, of any request, by the limit that kept
	// this one from being sent. It is 0 if there was none.
	Status int
	// Header, Body and RefusedAt are the header, body and time of that response, if it
	// was a refusal. Body is the first 4 KiB of the body as received, or empty if the body
	// was compressed or did not arrive at once. Header omits fields that may hold a
	// credential, such as cookies. It must not be modified.
	Header    http.Header
	Body      string
	RefusedAt time.Time
	// Cause is the error of the last attempt, of the queue, or of the breaker; nil if
	// there was none.
	Cause error
}

// tell adds what the server said in a refusal, if that is known.
func (e *Error) tell(said *refusal) {
	if said != nil {
		e.Status, e.Header, e.Body, e.RefusedAt = said.status, said.header, said.body, said.at
	}
}

// Error describes the error. The text contains no URL, no header and no body.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("client: ")
	switch {
	case errors.Is(e.Reason, context.DeadlineExceeded):
		b.WriteString("cannot go before the deadline")
	case e.Reason != nil:
		text := strings.TrimPrefix(e.Reason.Error(), "queue: ")
		b.WriteString(strings.TrimPrefix(text, "client: "))
	default:
		b.WriteString("not sent")
	}
	if e.Limit != "" {
		fmt.Fprintf(&b, ": limit %q", e.Limit)
	}
	if !e.Until.IsZero() {
		fmt.Fprintf(&b, ", not before %s", e.Until.Format(time.RFC3339))
	}
	if e.Ahead > 0 {
		fmt.Fprintf(&b, ", %d ahead", e.Ahead)
	}
	switch {
	case e.Attempts == 1:
		b.WriteString(", after 1 attempt")
	case e.Attempts > 1:
		fmt.Fprintf(&b, ", after %d attempts", e.Attempts)
	}
	if e.Status > 0 {
		fmt.Fprintf(&b, ", last status %d", e.Status)
	}
	return b.String()
}

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Reason, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// RetryAt returns Until: sending the request earlier is pointless.
func (e *Error) RetryAt() time.Time { return e.Until }

// Timeout reports whether the deadline of the request's context is the reason. It
// implements net.Error.
func (e *Error) Timeout() bool { return errors.Is(e.Reason, context.DeadlineExceeded) }

// Temporary returns false: unlike a network error, this error cannot be resolved by sending
// the request again before Until. SDKs that call Temporary then do not retry the request.
func (e *Error) Temporary() bool { return false }

// RetryableError returns false. The AWS SDK calls it.
func (e *Error) RetryableError() bool { return false }

// NonRetriable marks the error for the retry policy of the Azure SDK. It does nothing.
func (e *Error) NonRetriable() {}

// ErrorType returns the reason as one word, for the label of a metric or the OpenTelemetry
// attribute error.type: max_wait, no_wait, deadline, canceled, queue_full, dropped,
// closed, circuit_open, cost, body, or other.
func (e *Error) ErrorType() string {
	for _, known := range [...]struct {
		reason error
		word   string
	}{
		{ErrMaxWait, "max_wait"}, {ErrNoWait, "no_wait"}, {context.DeadlineExceeded, "deadline"}, {context.Canceled, "canceled"},
		{ErrFull, "queue_full"}, {ErrDropped, "dropped"}, {ErrClosed, "closed"}, {ErrCircuitOpen, "circuit_open"}, {errBody, "body"},
	} {
		if errors.Is(e.Reason, known.reason) {
			return known.word
		}
	}
	if _, ok := errors.AsType[*queue.CostError](e.Reason); ok {
		return "cost"
	}
	return "other"
}

// errBody says that GetBody failed.
var errBody = errors.New("the body cannot be sent again")

// notAdmitted returns the error of a request that the queue or the breaker turned away.
func notAdmitted(err error, attempts, status int) *Error {
	e := &Error{Reason: err, Attempts: attempts, Status: status}
	if open, ok := errors.AsType[*brokenError](err); ok {
		e.Reason, e.Until, e.Cause = ErrCircuitOpen, open.until(), open.err
		return e
	}
	if wait, ok := errors.AsType[*queue.WaitError](err); ok {
		e.Reason, e.Limit, e.Until, e.Ahead = wait.Err, wait.Limit, wait.Until, wait.Ahead
	}
	return e
}

// interrupted returns the error of a request that ended between two attempts.
func (l *loop) interrupted(err error) error {
	e := &Error{Reason: err, Attempts: l.attempts, Status: l.status, Cause: l.last.err}
	e.tell(l.last.said)
	if ended := l.call.ctx.Err(); ended != nil {
		e.Reason, e.Cause = ended, context.Cause(l.call.ctx)
	} else if l.t.closed.Err() != nil {
		e.Reason = ErrClosed
	}
	return e
}
