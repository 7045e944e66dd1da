package apiserver

import (
	"net/http"
	"time"
)

// Dialect is how a limit shows in responses. The zero value shows nothing.
type Dialect struct {
	// Fields are the sets of header fields that every response carries. Zero means
	// none.
	Fields Fields
	// Form is how the X- fields tell the reset; those of the IETF tell a delay.
	Form Form
	// Rounding is what becomes of the parts of a second of the reset, and of a
	// retry_after in the body.
	Rounding Rounding
	// RetryAfter is how a refusal tells when to come back.
	RetryAfter RetryAfter
}

// Fields is a set of header fields. A server may send several sets.
type Fields uint8

// The sets of header fields. Those that hold one window only tell the one with
// the fewest requests remaining, the longest if several have as few.
const (
	// XRateLimit is X-RateLimit-Limit, X-RateLimit-Remaining and
	// X-RateLimit-Reset.
	XRateLimit Fields = 1 << iota
	// Suffixed is the same three for every window with the window's name behind:
	// X-RateLimit-Limit-Minute and so on.
	Suffixed
	// Draft03 is RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset, as in
	// draft-ietf-httpapi-ratelimit-headers-03. With Policy it is as in draft 06.
	Draft03
	// Policy is RateLimit-Policy with all windows in the form 100;w=60, as up to
	// draft 07. Structured has one of its own; do not join the two.
	Policy
	// Draft07 is the dictionary RateLimit: limit=100, remaining=9, reset=60, as in
	// draft 07. It goes with Policy.
	Draft07
	// Structured is RateLimit: "name";r=9;t=60 and RateLimit-Policy:
	// "name";q=100;w=60 with all windows, as from draft 08 on.
	Structured
)

// Form is how a reset is written.
type Form uint8

// The forms of a reset.
const (
	Epoch Form = iota // seconds since 1970 by the server's clock
	Delta             // seconds from now
)

// Rounding is what becomes of the parts of a second.
type Rounding uint8

// The ways to round. Exact keeps three decimals, the last of them rounded up;
// Structured, which allows whole numbers only, is rounded up under it.
const (
	Ceil Rounding = iota
	Floor
	Nearest
	Exact
)

// RetryAfter is how a refusal tells when to come back.
type RetryAfter uint8

// The ways to tell when to come back. The header is always rounded up, as RFC
// 9110, section 10.2.3 has whole seconds only.
const (
	NoRetryAfter RetryAfter = iota
	Seconds                 // Retry-After: 60
	HTTPDate                // Retry-After: Fri, 31 Dec 1999 23:59:59 GMT
	InBody                  // "retry_after" in the JSON body, an RFC 3339 time; no header
)

// retryAfter writes the header of a refusal.
func (d Dialect) retryAfter(h http.Header, f Refusal) {
	switch d.RetryAfter {
	case Seconds:
		h.Set("Retry-After", seconds(int64(f.Wait), Ceil))
	case HTTPDate:
		h.Set("Retry-After", ceilSecond(f.Until).Format(http.TimeFormat))
	}
}

// body is the body of a refusal for rules that have none of their own.
func (d Dialect) body(f Refusal) any {
	b := refusalBody{Error: "Rate limit exceeded", Message: "Too many requests."}
	if d.RetryAfter == InBody {
		b.RetryAfter = d.timestamp(f.Until)
	}
	return b
}

type refusalBody struct {
	Error      string `json:"error"`
	Message    string `json:"message"`
	RetryAfter string `json:"retry_after,omitempty"`
}

// timestamp writes t as RFC 3339 has it, rounded.
func (d Dialect) timestamp(t time.Time) string {
	switch d.Rounding {
	case Floor:
		t = t.Truncate(time.Second)
	case Nearest:
		t = t.Round(time.Second)
	case Exact:
		return t.Add(time.Millisecond - 1).Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")
	default:
		t = ceilSecond(t)
	}
	return t.Format(time.RFC3339)
}

func ceilSecond(t time.Time) time.Time {
	return t.Add(time.Second - 1).Truncate(time.Second)
}
