package client

import (
	"cmp"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// relax returns an answer less what it asks of an attempt that has no patience for it:
// pacing is voluntary, and a belief may be tried.
func (l *keyState) relax(now time.Time, a limit.Decision, asks *attempt) limit.Decision {
	switch {
	case !a.Until.IsZero() && !asks.awaits(a.Until, l.transport.maxWait):
		if a.Try {
			return limit.Decision{At: now}
		}
		a.At = a.Until
	case a.Try && !asks.awaits(a.At, l.transport.maxWait):
		return limit.Decision{At: now}
	case a.Paced > 0:
		a.At = asks.paced(now, a.At, a.Paced, l.transport.maxWait)
	}
	return a
}

// paced returns until when pacing, which would let the attempt go at the given time, may
// hold it: no longer than its caller has patience, and no longer than most in all. maxWait
// is that of all requests.
func (a *attempt) paced(now, at time.Time, most, maxWait time.Duration) time.Time {
	if !a.awaits(at, maxWait) {
		return now
	}
	if latest := a.arrived.Add(most); latest.Before(at) {
		return latest
	}
	return at
}

// awaits reports whether the attempt can wait until the given time. maxWait is how long all
// requests may.
func (a *attempt) awaits(at time.Time, maxWait time.Duration) bool {
	wait := cmp.Or(a.MaxWait, maxWait)
	if a.NoWait || wait > 0 && at.Sub(a.arrived) >= wait {
		return false
	}
	deadline, ok := a.req.Context().Deadline()
	return !ok || at.Before(deadline)
}
