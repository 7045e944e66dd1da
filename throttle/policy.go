package throttle

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// An Amount is a part of a limit: a share of it, or a number of requests. The
// zero value is nothing.
type Amount struct {
	share  float64
	number int64
}

// Share is a part of each limit, from 0 to 1: Share(0.1) of 600 a minute is 60.
func Share(of float64) Amount { return Amount{share: of} }

// Requests is a number of requests, whatever the limit.
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
		return fmt.Errorf("throttle: %s: a share of %v is not between 0 and 1", what, a.share)
	}
	if a.number < 0 {
		return fmt.Errorf("throttle: %s: %d requests are fewer than none", what, a.number)
	}
	return nil
}

// A Policy says how the requests that a server allows are used.
type Policy struct {
	// Threshold is how much of a limit is left when requests begin to be paced: what
	// is left is then spread evenly until the window resets. Share(1) paces from
	// the start; the zero value never paces, but lets requests run until
	// nothing is left.
	Threshold Amount
	// MaxPacing bounds for how long pacing holds a request. Where it is set, requests
	// are paced only if as many as were sent lately would use up what is left before
	// the reset, and for longer only where more than twice as many were. 0 is without
	// bound: then all are paced below the threshold.
	MaxPacing time.Duration
	// Reserve is how much of each limit is never spent, so that others who share
	// the quota can. The default is nothing.
	Reserve Amount
	// Backoff returns how long to stay away after the n-th refusal in a row (from
	// 1) that did not say when to come back. Nil doubles from a second up to a
	// minute, plus up to a tenth at random.
	Backoff func(n int) time.Duration
}

// DefaultMaxPacing is for how long the default policy holds a request to pace it. In a
// second hardly any caller loses patience, and a program with a few callers still
// slows down to a few requests a second.
const DefaultMaxPacing = time.Second

// DefaultPolicy returns the policy that a client uses unless told otherwise: it paces requests, for
// at most [DefaultMaxPacing] each, when a tenth of a limit is left. That is enough for a program to
// notice nothing of the limit for most of the window, and for no caller to stall for the rest of it.
func DefaultPolicy() Policy {
	return Policy{Threshold: Share(0.1), MaxPacing: DefaultMaxPacing}
}

// Validate returns an error that says what is impossible about the policy, or nil.
func (p Policy) Validate() error {
	if err := errors.Join(p.Threshold.check("threshold"), p.Reserve.check("reserve")); err != nil {
		return err
	}
	if p.MaxPacing < 0 {
		return fmt.Errorf("throttle: pacing for at most %v: the bound must not be negative", p.MaxPacing)
	}
	if p.Reserve.share == 1 {
		return errors.New("throttle: reserve: the whole of a limit leaves nothing to send")
	}
	return nil
}
