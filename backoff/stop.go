package backoff

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// A Reason is why a failed attempt is not retried.
type Reason uint8

// The reasons, in the order in which a [Strategy] looks for them.
const (
	// StopContext: the caller's context has ended.
	StopContext Reason = iota + 1
	// StopVerdict: the check did not return Yes.
	StopVerdict
	// StopBody: the check returned Yes, but the body cannot be sent again.
	StopBody
	// StopRetries: all retries have been made.
	StopRetries
	// StopExhausted: the server asked for a wait of more than Config.MaxServerWait.
	StopExhausted
	// StopElapsed: the retry would start later than Config.MaxElapsed allows, or, if the refusals
	// are [Attempt].Lasting, later than all retries would by themselves.
	StopElapsed
	// StopDeadline: the wait would not end before the deadline of the context.
	StopDeadline
	// StopBudget: the key has spent its retry budget.
	StopBudget

	reasons = int(StopBudget) + 1
)

var reasonNames = [reasons]string{
	"unknown", "context", "verdict", "body", "retries", "exhausted", "elapsed", "deadline", "budget",
}

// String returns the reason as one word, such as "budget", suitable as the label of
// a metric.
func (r Reason) String() string {
	if int(r) >= len(reasonNames) {
		r = 0
	}
	return reasonNames[r]
}

// A StopError reports why a failed attempt is not retried, and its outcome. It unwraps
// to the attempt's error, if there was one. If Reason is StopContext or StopDeadline,
// it also matches the context's error.
//
// A response is not an error: code that returns the last response to its caller
// should drop the StopError, or report it as an event.
type StopError struct {
	// Reason is what ended the retries.
	Reason Reason
	// Attempts is how many attempts were made, the last one included.
	Attempts int
	// Status is the status of the last response, 0 if there was none.
	Status int
	// Wait is the wait that the server asked for or, with StopElapsed and
	// StopDeadline, the wait that would have been too long. Zero if there is none.
	Wait time.Duration
	// Until is when Wait ends. It is zero if Wait is.
	Until time.Time
	// Err is the error of the last attempt, nil if there was a response.
	Err error

	ended error // the context's error, where that is the reason
}

// Error returns the reason and the cause. It contains no URL, header or body.
func (e *StopError) Error() string {
	text := fmt.Sprintf("backoff: no retry after attempt %d: %s", e.Attempts, e.reason())
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err == nil {
		return text
	}
	cause := e.Err
	// The URL may hold a credential.
	for u, ok := errors.AsType[*url.Error](cause); ok; u, ok = errors.AsType[*url.Error](cause) {
		cause = u.Err
	}
	return fmt.Sprintf("%s: %v", text, cause)
}

func (e *StopError) reason() string {
	switch e.Reason {
	case StopContext:
		return "the request's context has ended"
	case StopVerdict:
		return "the failure is not retryable"
	case StopBody:
		return "the request body cannot be replayed"
	case StopRetries:
		return "all retries are used"
	case StopExhausted:
		return "the quota is exhausted until " + e.Until.UTC().Format(time.RFC3339)
	case StopElapsed:
		return fmt.Sprintf("waiting %v would exceed the elapsed time allowed", e.Wait)
	case StopDeadline:
		return fmt.Sprintf("waiting %v would exceed the context's deadline", e.Wait)
	case StopBudget:
		return "the retry budget is spent"
	}
	return "reason unknown"
}

// Unwrap returns the attempt's error and the context's, where there are any.
func (e *StopError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Err, e.ended} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
