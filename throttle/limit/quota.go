package limit

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// A Quota is a limit as a value: so much in such a time. Make one with [Per], or with the shorter names
// that package queue has for common lengths. [Quota.Validate] rejects the zero value and impossible
// numbers, as does every function that takes a Quota.
//
// A quota is rolling unless it says otherwise: never more than its number in any span of its length,
// as the server counts it. That is right for servers with a rolling window, and safe for those with
// fixed windows of the same length, wherever they begin. Servers that count with a bucket, or weigh
// their last window against this one, refuse bursts that a rolling quota allows: use [Quota.TokenBucket]
// or [Quota.SlidingCounter] for those.
//
// Not all requests are equally long on the way, so each counts from its earliest possible arrival
// until its latest lies a whole length back; see [Quota.Slack].
type Quota struct {
	name  string
	unit  string // what it counts; empty for requests
	n     int
	per   time.Duration
	kind  quotaKind
	burst int
	place *time.Location
	slack time.Duration
	fixed bool // slack is set
	part  bool // see Part
}

type quotaKind uint8

const (
	isRolling quotaKind = iota
	isFixed
	isBucket
	isCounter
)

// Per is n in each span of length d. Both must be positive.
func Per(n int, d time.Duration) Quota { return Quota{n: n, per: d} }

// FixedWindow makes the windows follow the clock in a time zone instead of rolling: each starts at a whole
// multiple of its length after midnight, and a day is a calendar day there, also when it has 23 or 25
// hours. nil is UTC. The length must divide 24 hours.
//
// Requests that may arrive after the end of a window count in the next one too. Whether the server's
// clock agrees with ours is for the caller to know: with a [Quota.Slack] each window also opens that
// much late.
func (q Quota) FixedWindow(zone *time.Location) Quota {
	if zone == nil {
		zone = time.UTC
	}
	q.kind, q.place = isFixed, zone
	return q
}

// TokenBucket makes the quota a token bucket: its number is a rate, and burst is how many may go at once
// after a pause. It uses [golang.org/x/time/rate]. With a burst of 1 requests are evenly spread.
//
// A server with the same bucket sees no more either: tokens are spent when a request has arrived at the
// latest (see [Quota.Slack]), or at once when the next could overtake it. Where a burst of 1 is not
// needed, one that also covers what arrives in the spread of delays uses all of the rate.
func (q Quota) TokenBucket(burst int) Quota {
	q.kind, q.burst = isBucket, burst
	return q
}

// SlidingCounter is for servers that estimate a rolling window from two fixed ones: the count of this one, and
// that of the last in proportion to what the rolling window still covers of it. go-chi/httprate, Upstash
// and Cloudflare count so. They refuse bursts that a rolling quota allows, as a burst may weigh for up to
// two windows. Where their windows begin need not be known. Asking takes time in proportion to what was
// sent in two windows, at most to some 2,000 requests.
func (q Quota) SlidingCounter() Quota {
	q.kind = isCounter
	return q
}

// Slack sets how much longer one request may be on the way to the server than another; one that was
// answered has arrived. Without it, that is learned from how long requests take to be answered. A
// request whose round trip was so much longer than the least was on the way there at most that much
// longer than the fastest. Until 32 were answered, each counts as having arrived when it was answered,
// and one without an answer after 5 s.
//
// An [Quota.FixedWindow] quota compares arrivals with the clock: there it is how long a request may be on
// the way.
func (q Quota) Slack(d time.Duration) Quota {
	q.slack, q.fixed = d, true
	return q
}

// Of makes the quota count something else than requests, such as "tokens": what a [Demand] says of that
// unit in Units or, if it is Metered, what [Limiter.Settle] is told of it afterwards. Until then a request counts as
// much as others did. Before any was settled, it counts as the most that its Estimate allows, and goes alone if that
// says nothing. Requests of which neither is known cost nothing.
//
// A server may take the most that a request may cost until it is answered. Where a refusal proves that,
// requests count as so much.
//
// A request counts when it is answered or, if it is Metered, when it is settled, which is never before the
// server counts it: what [Quota.Slack] says does not matter then.
func (q Quota) Of(unit string) Quota {
	q.unit = unit
	if unit == "requests" {
		q.unit = ""
	}
	return q
}

// Unit returns what the quota counts, "requests" unless [Quota.Of] says otherwise.
func (q Quota) Unit() string { return cmp.Or(q.unit, "requests") }

// Named sets the name that appears in errors. The default is what [Quota.String] returns.
func (q Quota) Named(name string) Quota {
	q.name = name
	return q
}

// String returns the quota's name or, for one without, a text such as "600 per 1m0s".
func (q Quota) String() string {
	if q.name != "" {
		return q.name
	}
	unit := q.per.String()
	switch q.per {
	case time.Second:
		unit = "second"
	case time.Minute:
		unit = "minute"
	case time.Hour:
		unit = "hour"
	case 24 * time.Hour:
		unit = "day"
	}
	if q.unit != "" {
		return fmt.Sprintf("%d %s per %s", q.n, q.unit, unit)
	}
	return fmt.Sprintf("%d per %s", q.n, unit)
}

// Limiter returns a new [Limiter] that keeps the quota.
func (q Quota) Limiter() (Limiter, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	q.name = q.String()
	return q.limiter(), nil
}

// Replace returns a limiter that keeps q from now on in place of old, which may be nil: what old counted
// counts under q too, as far as old remembers it and counts in the same way. q must be valid; the
// limiter keeps the pointer.
func (q *Quota) Replace(old Limiter, now time.Time) Limiter {
	l := q.limiter()
	if old != nil {
		l.inherit(old, now)
	} else if b, ok := l.(*tokenBucket); ok && q.part {
		b.drain(now)
	}
	return l
}

// counter is a limiter that can take over what another of its kind remembers.
type counter interface {
	Limiter
	inherit(old Limiter, now time.Time)
}

// countsRequests is embedded in the limiters that count requests, which need not be told their costs.
type countsRequests struct{}

// Settle does nothing.
func (countsRequests) Settle(time.Time, Demand, map[string]float64) {}

// limiter returns a new limiter of a quota that is valid and has a name.
func (q *Quota) limiter() counter {
	if q.unit != "" {
		return newUnitLimiter(q)
	}
	switch q.kind {
	case isFixed:
		return newFixedWindow(q)
	case isBucket:
		return newTokenBucket(q)
	case isCounter:
		return newSlidingCounter(q)
	}
	return newRolling(q)
}

// Validate returns an error that says what is impossible about the quota, or nil.
func (q Quota) Validate() error {
	const day = 24 * time.Hour
	switch {
	case q.n < 1 || q.n > math.MaxInt32:
		return fmt.Errorf("limit: a quota must allow from 1 to %d requests, got %d", math.MaxInt32, q.n)
	case q.per <= 0 || q.per > 10000*day:
		return fmt.Errorf("limit: the length of a quota must be positive and at most 10000 days, got %v", q.per)
	case q.slack < 0 || q.slack > day:
		return fmt.Errorf("limit: the slack of a quota must be from 0 to a day, got %v", q.slack)
	case q.kind == isFixed && (q.per > day || day%q.per != 0):
		return fmt.Errorf("limit: the length of a fixed window must divide a day, got %v", q.per)
	case q.kind == isFixed && q.slack >= q.per:
		return fmt.Errorf("limit: the slack of a fixed window must be less than its length of %v, got %v", q.per, q.slack)
	case q.kind == isBucket && (q.burst < 1 || q.burst > math.MaxInt32):
		return fmt.Errorf("limit: the burst of a token bucket must be from 1 to %d, got %d", math.MaxInt32, q.burst)
	}
	return nil
}
