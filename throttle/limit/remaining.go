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

// Remaining returns how many requests, or how much of its unit, l lets go at now, up to most. It spends
// nothing.
func Remaining(l Limiter, now time.Time, most int) int {
	return sort.Search(most, func(i int) bool {
		d := l.Ask(now, demandOf(l, i+1))
		return !d.Admits(now)
	})
}

// Full returns when l lets most requests go at once if nothing else goes, as far as is
// known; zero if that is now, or not known.
func Full(l Limiter, now time.Time, most int) time.Time {
	if d := l.Ask(now, demandOf(l, most)); !d.Admits(now) && !d.Unknown && d.Max == 0 {
		return d.At
	}
	return time.Time{}
}

// demandOf is what asks so much of a limiter.
func demandOf(l Limiter, n int) Demand {
	if u, ok := l.(*unitLimiter); ok {
		return Demand{Units: map[string]float64{u.q.unit: float64(n)}}
	}
	return Demand{Requests: n}
}
