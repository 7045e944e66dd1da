package throttle

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// An Amount is a part of a limit: a share of it, or a number of requests. The
// zero Amount is none of it.
type Amount struct {
	share  float64
	number int64
}

// Share returns a share of each limit, from 0 to 1: Share(0.1) of 600 a minute is 60.
func Share(of float64) Amount { return Amount{share: of} }

// Requests returns a number of requests, whatever the limit.
func Requests(n int) Amount { return Amount{number: int64(n)} }

// of returns the amount for a limit, which is below 0 when it is not known.
func (a Amount) of(limit int64) int64 {
	if limit <= 0 {
		return a.number
	}
	return min(limit, a.number+int64(a.share*float64(limit)))
}

func (a Amount) check(what string) error {
	if math.IsNaN(a.share) || a.share < 0 || a.share > 1 {
		return fmt.Errorf("throttle: %s: a share must be from 0 to 1, got %v", what, a.share)
	}
	if a.number < 0 {
		return fmt.Errorf("throttle: %s: the number of requests must not be negative, got %d", what, a.number)
	}
	return nil
}

// A Policy controls how a client spends the requests that a server allows.
type Policy struct {
	// Threshold is how much of a limit is left when pacing begins: from then on,
	// requests are spread evenly until the window resets. Share(1) paces from the
	// start; the zero Amount never paces, so that requests flow until nothing is left.
	Threshold Amount
	// MaxPacing bounds how long pacing delays requests, all that are sent until a reset
	// together. If it is set, requests are paced only if requests at the recent rate would
	// use up what is left before the reset, and delayed longer only if the rate is more
	// than twice that, and has been for long. 0 means no bound: then every request below
	// the threshold is paced.
	MaxPacing time.Duration
	// Reserve is how much of each limit is left unspent for other clients that share
	// the quota. The default is none.
	Reserve Amount
	// Backoff returns how long to wait after the n-th consecutive refusal (from 1) if
	// it did not say when to retry. The second and the third wait are those after the first and
	// the second, as most windows of which nothing is told are short. If Backoff is nil, the wait doubles from a second
	// up to a minute, plus a random part of up to a tenth. After a few refusals the wait
	// ends early, though no earlier than after the first, where it would miss a full
	// minute of the server's clock, with which most windows open.
	Backoff func(n int) time.Duration
}

// DefaultMaxPacing is how long pacing delays the requests of a window at most by default. A
// job that ends before the reset hardly notices a second, and no caller gives up within it.
const DefaultMaxPacing = time.Second

// DefaultPolicy returns the policy used when none is configured. It paces requests when a
// tenth of a limit is left, for at most [DefaultMaxPacing] unless the program would surely use up
// what is left: it does not notice the limit for most of the window, and does not stall for the
// rest of it.
func DefaultPolicy() Policy {
	return Policy{Threshold: Share(0.1), MaxPacing: DefaultMaxPacing}
}

// Validate returns an error that says what is impossible about the policy, or nil.
func (p Policy) Validate() error {
	if err := errors.Join(p.Threshold.check("threshold"), p.Reserve.check("reserve")); err != nil {
		return err
	}
	if p.MaxPacing < 0 {
		return fmt.Errorf("throttle: MaxPacing must not be negative, got %v", p.MaxPacing)
	}
	if p.Reserve.share == 1 {
		return errors.New("throttle: reserve: a share must be less than 1, or nothing is left to send")
	}
	return nil
}
