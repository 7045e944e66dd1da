package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A concurrencyTrial tries a limit on the requests in flight before it is believed. Beside
// a limit on a rate that refuses for its own reason it would be of no use: so it has to let
// more be served than before.
type concurrencyTrial struct {
	on       bool
	before   float64 // requests served a second, before the trial
	share    float64 // of the requests that were refused before it
	now      throughput
	refusals int64
	rate     inferredRate // what was believed before
}

// A throughput measures how many requests are served in a time.
type throughput struct {
	began   clock.Instant
	n       int64
	refused int64 // meanwhile
}

const (
	// A throughput is known from so many requests, in such a time. A trial takes a few more
	// for each in flight.
	throughputRequests = 128
	throughputTime     = 20 * clock.Second
	concurrencyMore    = 8
	// A trial succeeds if so many times as much is served as before, or about as much, and of the
	// refusals, which were many, few are left.
	concurrencyBetter = 1.06
	concurrencySame   = .95
	concurrencyMany   = .1
	concurrencyFewer  = 5
	// A limit is tried only if so much of it was used before.
	concurrencyUsed = 0.25
	// A trial fails by so many refusals, and one more for so many requests served. One with
	// far fewer in flight than the limit counts concurrencyFar times.
	concurrencyRefusals = 12
	concurrencyPer      = 16
	concurrencyFar      = 4
)

// served counts a request that was served.
func (u *concurrencyTrial) served(now clock.Instant) {
	if u.now.n == 0 {
		u.now.began = now
	}
	u.now.n++
	if !u.on && u.now.n > throughputRequests && now-u.now.began > throughputTime {
		u.before, u.share, u.now = u.now.rate(now), u.now.share(), throughput{}
	}
}

// share returns the share of the requests that were refused.
func (m *throughput) share() float64 { return float64(m.refused) / float64(max(m.n+m.refused, 1)) }

// rate returns how many requests were served a second.
func (m *throughput) rate(now clock.Instant) float64 {
	return float64(m.n) * float64(clock.Second) / float64(max(now-m.began, clock.Second))
}

// begin starts to try a limit. It reports whether that may be the reason of the refusals: a
// limit that was hardly used is not. took is how long a request counts.
func (u *concurrencyTrial) begin(v *View, now clock.Instant, limit int64, took clock.Instant) bool {
	before, share := u.before, u.share
	if now-u.now.began > throughputTime/4 {
		before, share = max(before, u.now.rate(now)), max(share, u.now.share())
	}
	if before*float64(took)/float64(clock.Second) < concurrencyUsed*float64(limit) {
		return false
	}
	*u = concurrencyTrial{on: true, before: before, share: share}
	if v.all.limits != nil {
		u.rate = v.all.limits.pace
	}
	return true
}

// over reports whether enough was served to tell.
func (u *concurrencyTrial) over(now clock.Instant, limit int64) bool {
	return u.now.n >= throughputRequests+concurrencyMore*limit && now-u.now.began >= throughputTime
}

// succeed reports whether the limit let more be served than before, and ends the trial then.
func (u *concurrencyTrial) succeed(now clock.Instant) bool {
	rate, share := u.now.rate(now), u.now.share()
	fewer := u.share >= concurrencyMany && concurrencyFewer*share <= u.share && rate >= concurrencySame*u.before
	if rate < concurrencyBetter*u.before && !fewer {
		return false
	}
	*u = concurrencyTrial{}
	return true
}

// refused counts a refusal. near says that about as many were in flight as the limit. It
// reports whether those are too many for a limit.
func (u *concurrencyTrial) refused(near bool) bool {
	if u.refusals++; !near {
		u.refusals += concurrencyFar - 1
	}
	return u.refusals > concurrencyRefusals+u.now.n/concurrencyPer
}

// fail takes up again what was believed before.
func (u *concurrencyTrial) fail(v *View, now clock.Instant) {
	if !u.on || v.all.limits == nil {
		return
	}
	v.all.limits.pace = u.rate
	v.all.limits.pace.next = max(u.rate.next, now)
}
