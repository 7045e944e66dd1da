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

// Reasons for which a request is not sent. Each comes wrapped in an [Error].
var (
	// ErrNoWait says that a request with [NoWait] would have had to wait.
	ErrNoWait = queue.ErrNoWait
	// ErrMaxWait says that a request would have had to wait longer than
	// [WithMaxWait] or [WithMaxElapsed] allows.
	ErrMaxWait = queue.ErrMaxWait
	// ErrFull says that too many requests are waiting already.
	ErrFull = queue.ErrFull
	// ErrDropped says that a waiting request had to make room for a newer one, as
	// queue.DropOldest has it.
	ErrDropped = queue.ErrDropped
	// ErrCircuitOpen says that the key's breaker lets no request pass; see
	// [WithBreaker].
	ErrCircuitOpen = errors.New("client: circuit open")
	// ErrClosed says that the transport was closed.
	ErrClosed = queue.ErrClosed
)

// An Error says that a request was not sent: a limit would have kept it waiting for too
// long, its context ended while it waited, its circuit is open, or the transport was
// closed. Reason tells which. A request that was answered gets an Error only when its
// context ended before the next attempt, when GetBody could not make its body again, and
// when the answer was too long to be kept until it turned out that there is no other.
// An Error is safe for concurrent use as long as it is not changed.
type Error struct {
	// Reason is one of this package's errors, or the error of the request's context:
	// [context.DeadlineExceeded] also when the deadline is still to come, but the
	// request could not go before it. If GetBody failed, it wraps what that said.
	Reason error
	// Limit names the limit that let the request wait longest; it is empty when
	// none is known.
	Limit string
	// Until is when that limit, or the breaker, would have let it go. It is zero when
	// that is not known.
	Until time.Time
	// Ahead is how many requests were waiting before this one.
	Ahead int
	// Attempts is how many times the request was sent: 0 when it never was.
	Attempts int
	// Status is the status of the last response to the request. If it was never sent, it
	// is that of the last refusal, of whichever request, by the limit that kept it from
	// going. It is 0 if there was none.
	Status int
	// Header, Body and RefusedAt are those of that response, if it was a refusal: what
	// the server said, and when. Body has the first 4 KiB of the body, as they were
	// received, or is empty if they were compressed or did not come at once. Header lacks
	// what may be a credential, such as cookies. It must not be changed.
	Header    http.Header
	Body      string
	RefusedAt time.Time
	// Cause is the error of the last attempt, of the queue, or of the breaker; nil if
	// there was none.
	Cause error
}

// tell adds what the server said, if it is known.
func (e *Error) tell(said *refusal) {
	if said != nil {
		e.Status, e.Header, e.Body, e.RefusedAt = said.status, said.header, said.body, said.at
	}
}

// Error says what happened. It holds no URL, no header and no body.
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

// RetryAt returns Until: trying again makes no sense before.
func (e *Error) RetryAt() time.Time { return e.Until }

// Timeout reports whether the deadline of the request's context is the reason, as
// net.Error has it.
func (e *Error) Timeout() bool { return errors.Is(e.Reason, context.DeadlineExceeded) }

// Temporary returns false: the error is no fault of the network that a repetition could
// mend, before Until. SDKs that ask for it do not repeat the request.
func (e *Error) Temporary() bool { return false }

// RetryableError returns false. The AWS SDK asks for it.
func (e *Error) RetryableError() bool { return false }

// NonRetriable marks the error for the retry policy of the Azure SDK. It does nothing.
func (e *Error) NonRetriable() {}

// ErrorType returns the reason as one word, fit for a metric's label and for the attribute
// error.type of OpenTelemetry: max_wait, no_wait, deadline, canceled, queue_full, dropped,
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

// notAdmitted makes the error of a request that the queue turned away, or the breaker.
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
