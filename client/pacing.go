package client

import (
	"cmp"
	"time"
)

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
