// Package apiserver is an HTTP API with rate limits, to test and to show clients
// against: exact limiters behind the headers, rounding, clocks and faults of real
// servers. It runs on a socket as well as in virtual time.
package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Config describes a Server. The zero value is an API without limits.
type Config struct {
	// Rules are the limits. A request obeys all that match it: it is admitted if
	// all admit it, and counted in all of them or in none.
	Rules []Rule
	// Handler answers the requests that were admitted. Nil answers 200 with a
	// small JSON object.
	Handler http.Handler
	// Key says who spends. Nil means Credential.
	Key func(*http.Request) string
	// Now is the clock that the limiters run by. Nil means time.Now, which inside
	// a testing/synctest bubble is virtual.
	Now func() time.Time
	// ClockOffset is how far the clock that clients get to see, in Date and in every
	// absolute time, is ahead of Now.
	ClockOffset time.Duration
	// NoDate leaves the Date header out.
	NoDate bool
	// Faults are the answers that go wrong. The zero value means none.
	Faults Faults
	// Dialect shows the limits of all the rules that match a request together, beside
	// what the rules show by themselves. Its RetryAfter means nothing.
	Dialect Dialect
	// Announce shows them as Dialect cannot, if not nil. Now and the resets are by the
	// clock that clients see.
	Announce func(h http.Header, windows []ratemodel.Window, now time.Time)
	// Refuse writes the answer to a request that is refused, in place of a 429 with
	// the rule's Body. The header holds what the rules announce, and Retry-After.
	Refuse func(w http.ResponseWriter, r *http.Request, f Refusal)
	// Observe is told of every decision in their order, if not nil. It runs under
	// the server's lock: it must be quick and must not call the server.
	Observe func(Decision)
}

// Rule is a limit: which requests it counts, for whom, and how it shows.
type Rule struct {
	// Match says which requests the rule is for. Nil means all.
	Match func(*http.Request) bool
	// Key says for whom it counts. Nil means Config.Key; a function that returns a
	// constant makes the limit global.
	Key func(*http.Request) string
	// Model returns the limiter of a key that was not seen before. It is
	// required.
	Model func(key string) ratemodel.Model
	// Cost returns how many units of the limit a request spends. Nil means 1.
	Cost func(*http.Request) int
	// Dialect is how the limit shows in responses. The zero value shows nothing.
	Dialect Dialect
	// Body returns what is sent as JSON when this rule refuses. Nil means an object
	// with error and message, and retry_after if Dialect.RetryAfter is InBody.
	Body func(Refusal) any
}

// Refusal is what a rule knows when it refuses a request.
type Refusal struct {
	// Key is whose limit it is.
	Key string
	// Rule is the index of the rule in Config.Rules.
	Rule int
	// Window is the exhausted window: the one that opens last, if several are.
	Window ratemodel.Window
	// Wait is the time until the rule would admit the request.
	Wait time.Duration
	// Until is that moment by the clock that clients see.
	Until time.Time
	// Reset is the moment that Window announces, by that clock. It is zero if it
	// announces none.
	Reset time.Time
}

// Faults are answers that go wrong for no fault of the client's.
type Faults struct {
	// Share is the part of the requests that fail, from 0 to 1.
	Share float64
	// Status is what they are answered; 0 means 503.
	Status int
	// Counted says that the limits count them, as where the fault lies behind the
	// limiter. Otherwise it lies before, and the answer has no rate-limit headers.
	Counted bool
	// Seed makes the choice of the requests that fail repeatable.
	Seed uint64
}

// Outcome is what became of a request.
type Outcome uint8

// The outcomes of a request.
const (
	Admitted Outcome = iota // counted by all the limits, and answered
	Refused                 // answered 429
	Faulty                  // answered with the status of a fault
)

// Decision is one request and what became of it.
type Decision struct {
	Time    time.Time // of arrival, by Config.Now
	Key     string    // who spends
	Request *http.Request
	Outcome Outcome
	Refusal Refusal // why, if it was refused
}

// Credential returns the credential that a request carries: its
// X-Connector-Token, else X-Api-Key, else Authorization, else "".
func Credential(r *http.Request) string {
	for _, name := range [...]string{"X-Connector-Token", "X-Api-Key", "Authorization"} {
		if v := r.Header.Get(name); v != "" {
			return v
		}
	}
	return ""
}

func (c *Config) check() error {
	for i, r := range c.Rules {
		if r.Model == nil {
			return fmt.Errorf("apiserver: rule %d has no model", i)
		}
	}
	if s := c.Faults.Share; !(s >= 0 && s <= 1) { // so that NaN is wrong too
		return fmt.Errorf("apiserver: the share of faults is %v, not from 0 to 1", s)
	}
	if s := c.Faults.Status; s != 0 && (s < 400 || s > 599) {
		return fmt.Errorf("apiserver: the status of faults is %d, not from 400 to 599", s)
	}
	return nil
}

// build makes one of the ready-made servers: the facts of the API first, then
// what the caller changes.
func build(c Config, change []func(*Config)) (*Server, error) {
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

var errSpeed = errors.New("apiserver: the speed must be positive and leave windows of a millisecond or more")

// scaled returns a period at a speed.
func scaled(d time.Duration, speed float64) (time.Duration, error) {
	f := float64(d) / speed
	if !(f >= float64(time.Millisecond) && f < float64(1<<62)) {
		return 0, errSpeed
	}
	return time.Duration(f), nil
}

// rounding returns how the ready-made servers round: as documented, but where
// time runs fast whole seconds would be longer than the windows.
func rounding(speed float64) Rounding {
	if speed > 1 {
		return Exact
	}
	return Ceil
}
