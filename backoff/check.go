package backoff

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// A Verdict is the result of a [Check]. The zero value is NoOpinion.
type Verdict uint8

// The results of a check.
const (
	NoOpinion Verdict = iota // leaves the decision to the next check; without one, no retry
	Yes                      // retry
	No                       // do not retry
)

// String returns "no opinion", "yes" or "no".
func (v Verdict) String() string {
	switch v {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "no opinion"
}

// A Check decides whether a failed attempt is worth a retry. It must not read or
// close the response body or modify the attempt, and must be safe for concurrent
// use. It need not count attempts: the [Strategy] does.
type Check func(Attempt) Verdict

// FirstOf returns a check that calls each of checks in turn and returns the first
// verdict other than NoOpinion. It skips nil checks. Put your own check before
// [DefaultCheck] to override it, or after it to decide what it leaves open:
//
//	backoff.FirstOf(mine, backoff.DefaultCheck)
func FirstOf(checks ...Check) Check {
	chain := make([]Check, 0, len(checks))
	for _, c := range checks {
		if c != nil {
			chain = append(chain, c)
		}
	}
	return func(a Attempt) Verdict {
		for _, c := range chain {
			if v := c(a); v != NoOpinion {
				return v
			}
		}
		return NoOpinion
	}
}

// DefaultCheck retries what is safe to retry and likely to succeed. In this order:
//
//   - No, if the context of the request has ended or its body cannot be
//     replayed.
//   - No, if the response has an X-Should-Retry or Stripe-Should-Retry header
//     that says false; Yes, if it says true on an error (status 400 and above)
//     and the request is idempotent. True means that a retry may succeed, not
//     that executing the request twice is harmless.
//   - Yes, if the server refused the request because of a limit: it did not
//     execute it.
//   - Yes, if the request was certainly not executed for another, temporary
//     reason: no connection, no DNS response or none with an address, HTTP/2
//     REFUSED_STREAM (RFC 9113 section 8.7).
//   - If it may have been executed, Yes if it is idempotent and No if not:
//     connection reset, unexpected EOF, timeout, TLS alert, HTTP/2 GOAWAY, status
//     408 and every status from 500 on except 501. An unknown one is treated as
//     500 (RFC 9110 section 15).
//   - No, if the same error would occur again: an invalid certificate, a malformed
//     address, URL or header, an unsupported scheme, a refused redirect.
//   - Yes, if the error is of an unknown kind and the request is idempotent.
//   - NoOpinion on everything else, such as any other status.
//
// So whenever go-retryablehttp would retry an idempotent request that might
// succeed, DefaultCheck does too.
func DefaultCheck(a Attempt) Verdict {
	if contextErr(a.context(), time.Time{}) != nil || !a.Replayable() {
		return No
	}
	if a.Err != nil {
		return checkError(a)
	}
	if v := checkHint(a); v != NoOpinion {
		return v
	}
	if a.refused() {
		return Yes
	}
	return checkStatus(a)
}

// contextErr returns why ctx has ended, or nil. The deadline is compared too: a socket
// whose deadline comes from ctx may fail just before ctx notices. A zero now is read
// from the clock, if there is a deadline at all.
func contextErr(ctx context.Context, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	if now.IsZero() {
		now = time.Now()
	}
	if !now.Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

func checkError(a Attempt) Verdict {
	switch classify(a.Err) {
	case unsent:
		return Yes
	case unclear:
		return ifIdempotent(a)
	case permanent:
		return No
	}
	if a.Idempotent() {
		return Yes
	}
	return NoOpinion
}

func checkHint(a Attempt) Verdict {
	if a.Response == nil {
		return NoOpinion
	}
	worth := false
	for _, name := range [...]string{"X-Should-Retry", "Stripe-Should-Retry"} {
		values := a.Response.Header[name]
		if len(values) == 0 {
			continue
		}
		hint := strings.TrimSpace(values[0])
		if strings.EqualFold(hint, "false") {
			return No
		}
		worth = worth || strings.EqualFold(hint, "true")
	}
	if worth && a.Response.StatusCode >= http.StatusBadRequest && a.Idempotent() {
		return Yes
	}
	return NoOpinion
}

func checkStatus(a Attempt) Verdict {
	if a.Response == nil {
		return NoOpinion
	}
	switch code := a.Response.StatusCode; {
	case code == http.StatusNotImplemented:
		return No
	case code == http.StatusRequestTimeout, code >= 500:
		return ifIdempotent(a)
	}
	return NoOpinion
}

func ifIdempotent(a Attempt) Verdict {
	if a.Idempotent() {
		return Yes
	}
	return No
}
