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

// Everything is the whole of each limit.
var Everything = Share(1)

// DefaultThreshold is what is left of a limit when pacing begins. A tenth is
// enough for a program to notice nothing of the limit for most of the window,
// and for nobody to stall for the rest of it.
var DefaultThreshold = Share(0.1)

// A Policy says how the requests that a server allows are used.
type Policy struct {
	// Threshold is how much of a limit is left when requests begin to be paced: what
	// is left is then spread evenly until the window resets. Everything paces from
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

// DefaultPolicy is what a client uses that was told nothing.
func DefaultPolicy() Policy {
	return Policy{Threshold: DefaultThreshold, MaxPacing: DefaultMaxPacing}
}

// check returns what is wrong with a policy.
func (p Policy) check() error {
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
