package limit

import "time"

// Smooth is the old name of [Quota.TokenBucket].
//
// Deprecated: use [Quota.TokenBucket].
func (q Quota) Smooth(burst int) Quota { return q.TokenBucket(burst) }

// Aligned is the old name of [Quota.FixedWindow].
//
// Deprecated: use [Quota.FixedWindow].
func (q Quota) Aligned(zone *time.Location) Quota { return q.FixedWindow(zone) }

// Weighed is the old name of [Quota.SlidingCounter].
//
// Deprecated: use [Quota.SlidingCounter].
func (q Quota) Weighed() Quota { return q.SlidingCounter() }

// A Limit is a [Limiter] in its old form, which is asked with a request.
//
// Deprecated: use [Limiter].
type Limit interface {
	Ask(now time.Time, r Demander) Decision
	Take(now time.Time, r Demander)
}

// A Demander is a request that knows what it asks of its limits.
//
// Deprecated: use [Demand].
type Demander interface{ Demand() Demand }

// Limit returns a limiter that keeps to q, in its old form.
//
// Deprecated: use [Quota.Limiter].
func (q Quota) Limit() (Limit, error) {
	l, err := q.Limiter()
	if err != nil {
		return nil, err
	}
	return oldLimit{l}, nil
}

type oldLimit struct{ l Limiter }

func (o oldLimit) Ask(now time.Time, r Demander) Decision { return o.l.Ask(now, r.Demand()) }
func (o oldLimit) Take(now time.Time, r Demander)         { o.l.Take(now, r.Demand()) }
func (o oldLimit) Observe(now, taken time.Time)           { o.l.Done(now, taken, Demand{}) }
