package limit

import (
	"sort"
	"time"
)

// Most returns how many requests, or how much of its unit, a quota lets go at once after a long rest.
func (q Quota) Most() int {
	if q.kind == isBucket {
		return q.burst
	}
	return q.n
}

// Remaining returns how many requests, or how much of its unit, l, a limiter of q, lets go at now. It
// spends nothing.
func (q Quota) Remaining(l Limiter, now time.Time) int {
	return sort.Search(q.Most(), func(i int) bool {
		d := l.Ask(now, q.demand(i+1))
		return !d.Admits(now)
	})
}

// Full returns when l, a limiter of q, lets all of it go at once if nothing else goes, as far as is known;
// zero if that is now, or not known.
func (q Quota) Full(l Limiter, now time.Time) time.Time {
	if d := l.Ask(now, q.demand(q.Most())); !d.Admits(now) && !d.Unknown && d.Max == 0 {
		return d.At
	}
	return time.Time{}
}

// demand is what asks so much of a limiter of q.
func (q Quota) demand(n int) Demand {
	if q.unit != "" {
		return Demand{Units: map[string]float64{q.unit: float64(n)}}
	}
	return Demand{Requests: n}
}
