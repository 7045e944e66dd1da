// Package breaker provides a circuit breaker for one key, which stops requests for a
// while when the server keeps failing.
//
// It is separate from package backoff so that only programs that use it depend on
// github.com/sony/gobreaker, which does the counting.
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
	// Share is the share of failures, above 0 and at most 1, at which the breaker
	// opens. Defaults sets 0.5: while a server still answers half of the requests,
	// retries are the better choice.
	Share float64
	// MinRequests is how many requests must have ended within Window before the breaker
	// may open. Defaults sets 20: fewer prove little.
	MinRequests int
	// Window is the time over which the breaker counts requests, in ten slices that
	// expire one by one. It must be at least 10 ns. Defaults sets 10 seconds.
	Window time.Duration
	// Cooldown is how long the breaker stays open before it allows a probe.
	// Defaults sets 5 seconds: about the time of a restart, and a probe is cheap.
	Cooldown time.Duration
	// Probes is how many requests pass while the breaker is half-open, and how
	// many in a row must succeed to close it. Defaults sets 1.
	Probes int
}

// Defaults returns the default settings: the breaker opens for 5 seconds when half of
// at least 20 requests within 10 seconds have failed.
func Defaults() Config {
	return Config{Share: 0.5, MinRequests: 20, Window: 10 * time.Second, Cooldown: 5 * time.Second, Probes: 1}
}

// ErrInvalid matches the errors of [New] and [PerKey].
var ErrInvalid = errors.New("invalid parameter")

// A Breaker is the circuit breaker of one key. At first it is closed and allows all
// requests. When too many requests fail, it opens and rejects them. After the
// cooldown it is half-open and allows probes, which close or reopen it.
//
// Network errors and the 5xx statuses except 501 are failures, and so is a request
// whose deadline passed without a response. A refusal because of a limit (429, or
// any response that the caller marked as refused) is neither failure nor success,
// because a gateway may refuse without asking the server behind it. Neither is a
// request that the caller canceled. Every other response is a success.
//
// A Breaker never blocks, takes the time from [time.Now], and is safe for
// concurrent use. Create it with [New].
//
// It implements [backoff.Breaker].
type Breaker struct {
	two      *gobreaker.TwoStepCircuitBreaker[any]
	until    atomic.Pointer[time.Time] // when the open state ends; nil unless open
	trips    atomic.Uint64
	rejected atomic.Uint64
}

// New returns a closed breaker with the given settings. If a setting is out of range,
// it returns an error that matches [ErrInvalid].
func New(c Config) (*Breaker, error) {
	switch {
	case !(c.Share > 0 && c.Share <= 1):
		return nil, invalid("Share must be above 0 and at most 1, got %v", c.Share)
	case c.MinRequests < 1:
		return nil, invalid("MinRequests must be positive, got %d", c.MinRequests)
	case c.Window < buckets:
		return nil, invalid("Window must be at least %[2]v, got %[1]v", c.Window, time.Duration(buckets))
	case c.Cooldown <= 0:
		return nil, invalid("Cooldown must be positive, got %v", c.Cooldown)
	case c.Probes < 1 || c.Probes > mostProbes:
		return nil, invalid("Probes must be from 1 to %[2]d, got %[1]d", c.Probes, mostProbes)
	}
	b := new(Breaker)
	b.two = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests:  uint32(c.Probes),
		Interval:     c.Window / buckets * buckets, // a multiple of the buckets, or else gobreaker rounds it up
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

// change runs while gobreaker holds its lock, so it must not call gobreaker.
func (b *Breaker) change(to gobreaker.State, cooldown time.Duration) {
	if to != gobreaker.StateOpen {
		b.until.Store(nil)
		return
	}
	// gobreaker is still open at the very end of the cooldown.
	until := time.Now().Add(cooldown + 1)
	b.until.Store(&until)
	b.trips.Add(1)
}

// Allow reports whether a request may be sent. If so, err is nil, and the caller must
// call done exactly once with the outcome; a probe counts as in flight until
// then, and keeps others from being sent. Call Allow when the request is about to be
// sent, so that time spent waiting does not count against the server. If the request
// may not be sent, err is an [*OpenError] and done is nil.
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
	// Trips is how often the breaker opened, and Rejected how many requests it
	// rejected, both since it was created.
	Trips, Rejected uint64
}

// Stats returns the state of the breaker.
func (b *Breaker) Stats() Stats {
	state := b.two.State().String() // first, because it updates the counts
	n := b.two.Counts()
	return Stats{
		State:     state,
		Successes: int(n.TotalSuccesses),
		Failures:  int(n.TotalFailures),
		Trips:     b.trips.Load(),
		Rejected:  b.rejected.Load(),
	}
}

// An OpenError reports that the breaker is open, or half-open with its probes in
// flight. The request was not sent.
type OpenError struct {
	// Until is when the next probe may be sent, or zero if that depends on the
	// outcome of a probe in flight.
	Until time.Time
}

// Error describes the state of the breaker, and until when it is open.
func (e *OpenError) Error() string {
	if e.Until.IsZero() {
		return "breaker: half-open, a probe is in flight"
	}
	return "breaker: open until " + e.Until.UTC().Format(time.RFC3339)
}

// RetryAt returns Until: trying again earlier is pointless.
func (e *OpenError) RetryAt() time.Time { return e.Until }

func invalid(format string, args ...any) error {
	return fmt.Errorf("breaker: %w: "+format, append([]any{ErrInvalid}, args...)...)
}
