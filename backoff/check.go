package backoff

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Verdict is the answer of a [Check]. The zero value is NoOpinion.
type Verdict uint8

// The answers of a check.
const (
	NoOpinion Verdict = iota // leaves the answer to the next check; at the end of the chain, no
	Yes                      // worth a retry
	No                       // not to be retried
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

// Check says whether a failed attempt is worth a retry. It must not read or
// close the response body, must not change what it is shown, and must be safe
// for concurrent use. It does not count attempts: that is the [Strategy]'s part.
type Check func(Attempt) Verdict

// FirstOf returns the check that asks each of checks in turn and takes the first
// answer other than NoOpinion. Nil checks are passed over. Put an own check
// before [DefaultCheck] to overrule it, after it to judge what it leaves open:
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

// DefaultCheck retries what is safe to retry and likely to pass. In this order:
//
//   - No, when the context of the request has ended or its body cannot be
//     replayed.
//   - No, when the response has an X-Should-Retry or Stripe-Should-Retry header
//     that says false; Yes, when it says true on an error (status 400 and above)
//     and the request is idempotent. True says that a retry is worth it, not
//     that a second execution is harmless.
//   - Yes, when the request was refused for want of quota: it was not executed.
//   - Yes, when it was certainly not executed for another reason that may pass:
//     no connection, no answer from the DNS or none that names an address,
//     HTTP/2 REFUSED_STREAM (RFC 9113 section 8.7).
//   - When it may have been executed, Yes if it is idempotent and No if not:
//     connection reset, unexpected EOF, timeout, TLS alert, HTTP/2 GOAWAY, status
//     408 and every status from 500 on except 501. An unknown one is treated as
//     500 (RFC 9110 section 15).
//   - No, when the error would come again: an invalid certificate, a malformed
//     address, URL or header, an unsupported scheme, a refused redirect.
//   - Yes on an error that nobody thought of, if the request is idempotent.
//   - NoOpinion on everything else, such as any other status.
//
// So no idempotent request is given up that go-retryablehttp would have sent
// again, and might have had answered.
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
