// Package breaker stops sending for a while to a server that fails: a circuit
// breaker for one key.
//
// It is optional and apart from package backoff, so that only its users depend
// on github.com/sony/gobreaker, which does the counting.
package breaker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/forbear-go/forbear/backoff"
)

// Config holds the settings of a [Breaker]. Start from [Defaults]; zero is not a
// valid setting.
type Config struct {
	// Share of failures, above 0 and up to 1, at which the breaker opens.
	// Defaults sets 0.5: a server that still answers every other request is
	// better served by retries.
	Share float64
	// MinRequests is how many requests must have ended within Window before the breaker
	// may open. Defaults sets 20: with fewer, chance decides.
	MinRequests int
	// Window is the time over which requests are counted, in tenths that are
	// dropped one by one. It must be at least 10 ns. Defaults sets 10 seconds.
	Window time.Duration
	// Cooldown is how long the breaker stays open before it lets a probe through.
	// Defaults sets 5 seconds: a restart takes about that, and a probe is
	// cheap.
	Cooldown time.Duration
	// Probes is how many requests pass while the breaker is half-open, and how
	// many in a row must succeed to close it. Defaults sets 1.
	Probes int
}

// Defaults returns the standard settings: open for 5 seconds when half of at
// least 20 requests within 10 seconds have failed.
func Defaults() Config {
	return Config{Share: 0.5, MinRequests: 20, Window: 10 * time.Second, Cooldown: 5 * time.Second, Probes: 1}
}

// ErrInvalid is matched by the errors of [New].
var ErrInvalid = errors.New("invalid parameter")

// Breaker is the circuit breaker of one key. It is closed at first and lets all
// requests pass; it opens when too many fail and then refuses them; after a
// time it is half-open and lets probes through, which close or reopen it.
//
// Failures are network errors and the 5xx statuses except 501. A refusal for
// want of quota (429, or whatever the caller marked as one) counts as neither
// failure nor success: a gateway may refuse without asking the server behind
// it. Nor does a request that the caller cancelled. One whose deadline passed
// without an answer is a failure. Every other response is a success.
//
// A Breaker never blocks, takes the time from [time.Now], and is safe for
// concurrent use. Make it with [New].
//
// It implements [backoff.Breaker].
type Breaker struct {
	two      *gobreaker.TwoStepCircuitBreaker[any]
	until    atomic.Pointer[time.Time] // when the open state ends; nil unless open
	trips    atomic.Uint64
	rejected atomic.Uint64
}

// New returns a closed breaker with these settings. A setting out of range is an
// error that matches [ErrInvalid].
func New(c Config) (*Breaker, error) {
	switch {
	case !(c.Share > 0 && c.Share <= 1):
		return nil, invalid("Share must be above 0 and at most 1, got %v", c.Share)
	case c.MinRequests < 1:
		return nil, invalid("Least must be positive, got %d", c.MinRequests)
	case c.Window < buckets:
		return nil, invalid("Window is too short: %v", c.Window)
	case c.Cooldown <= 0:
		return nil, invalid("Cooldown must be positive, got %v", c.Cooldown)
	case c.Probes < 1 || c.Probes > mostProbes:
		return nil, invalid("Probes must be from 1 to %[2]d, got %[1]d", c.Probes, mostProbes)
	}
	b := new(Breaker)
	b.two = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests:  uint32(c.Probes),
		Interval:     c.Window / buckets * buckets, // whole buckets, else it is rounded up
		BucketPeriod: c.Window / buckets,
		Timeout:      c.Cooldown,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			ended := float64(n.TotalSuccesses) + float64(n.TotalFailures)
			return ended >= float64(c.MinRequests) && float64(n.TotalFailures) >= c.Share*ended
		},
		OnStateChange: func(_ string, _, to gobreaker.State) { b.change(to, c.Cooldown) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errSetAside) },
	})
	return b, nil
}

const (
	buckets    = 10
	mostProbes = 1000
)

// change runs under the lock of the breaker inside, so it must not call back.
func (b *Breaker) change(to gobreaker.State, cooldown time.Duration) {
	if to != gobreaker.StateOpen {
		b.until.Store(nil)
		return
	}
	// The breaker inside is still open at the very end of the cooldown.
	until := time.Now().Add(cooldown + 1)
	b.until.Store(&until)
	b.trips.Add(1)
}

// Allow asks whether a request may be sent. If so, call done exactly once with
// what became of it; until then a probe counts as on its way, and no other may
// pass. Ask when the request is about to be sent, so that time spent waiting
// does not count as the server's. If not, the error is an [*OpenError] and done
// is nil.
func (b *Breaker) Allow() (done func(backoff.Attempt), err error) {
	report, err := b.two.Allow()
	if err != nil {
		b.rejected.Add(1)
		open := &OpenError{}
		if until := b.until.Load(); until != nil {
			open.Until = *until
		}
		return nil, open
	}
	return func(a backoff.Attempt) { report(outcome(a)) }, nil
}

var (
	errSetAside = errors.New("neither failure nor success")
	errFailed   = errors.New("failure")
)

// outcome returns nil for a success, errFailed, or errSetAside.
func outcome(a backoff.Attempt) error {
	if a.Err != nil {
		// The transport may report a cancellation as a broken connection.
		canceled := a.Request != nil && errors.Is(a.Request.Context().Err(), context.Canceled)
		if canceled || errors.Is(a.Err, context.Canceled) {
			return errSetAside
		}
		return errFailed
	}
	if a.Refused || a.Response == nil || a.Response.StatusCode == http.StatusTooManyRequests {
		return errSetAside
	}
	if code := a.Response.StatusCode; code >= 500 && code != http.StatusNotImplemented {
		return errFailed
	}
	return nil
}

// Stats is the state of a [Breaker] at one moment.
type Stats struct {
	// State is "closed", "open" or "half-open".
	State string
	// Successes and Failures count the requests that ended within the window, or
	// since the state last changed if that is later.
	Successes, Failures int
	// Trips is how often the breaker opened, Rejected how many requests it
	// refused, both since it was made.
	Trips, Rejected uint64
}

// Stats returns the state of the breaker.
func (b *Breaker) Stats() Stats {
	state := b.two.State().String() // first, as it brings the counts up to date
	n := b.two.Counts()
	return Stats{
		State:     state,
		Successes: int(n.TotalSuccesses),
		Failures:  int(n.TotalFailures),
		Trips:     b.trips.Load(),
		Rejected:  b.rejected.Load(),
	}
}

// OpenError says that the breaker is open, or half-open with its probes on
// their way. The request was not sent.
type OpenError struct {
	// Until is when the next probe may pass, or zero when that depends on the
	// answer to one already on its way.
	Until time.Time
}

// Error says that the breaker is open, and until when.
func (e *OpenError) Error() string {
	if e.Until.IsZero() {
		return "breaker: half-open, a probe is on its way"
	}
	return "breaker: open until " + e.Until.UTC().Format(time.RFC3339)
}

// RetryAt returns Until: trying again makes no sense before.
func (e *OpenError) RetryAt() time.Time { return e.Until }

func invalid(format string, args ...any) error {
	return fmt.Errorf("breaker: %w: "+format, append([]any{ErrInvalid}, args...)...)
}
