package limit

import (
	"math"
	"time"
)

// A unitLimiter keeps a quota that counts something other than requests. The cost of a request is known in
// advance, from its Units, or afterwards, if it is Metered; a request with neither costs nothing.
//
// The server counts a request some time before it answers. So the limiter holds the cost of a request, or an
// estimate, until the response, and counts it then as if the request had just arrived.
type unitLimiter struct {
	inner  counter
	q      *Quota  // that of inner, which counts what has surely arrived
	known  int     // total cost of the requests in flight whose cost is known
	flying int     // number of the others in flight
	most   reserve // of those
	heard  bool    // one of those is over, and its cost is no more than the quota allows
	told   int     // how many of those told their cost, up to 16
	mean   float64 // mean cost of those
	spread float64 // mean deviation from it
}

func newUnitLimiter(q *Quota) *unitLimiter {
	own := *q
	own.unit, own.slack, own.fixed = "", 0, true
	l := &unitLimiter{q: q}
	l.inner = own.limiter()
	return l
}

// known returns the certain cost of a request.
func (q *Quota) known(d Demand) (n int, ok bool) {
	units, ok := d.Units[q.unit]
	if !ok || !(units >= 0) { // not a number
		return 0, false
	}
	return int(min(math.Ceil(units), math.MaxInt32)), true
}

// estimate returns what a request of unknown cost is expected to cost.
func (l *unitLimiter) estimate() int {
	return min(max(1, int(math.Ceil(l.mean+l.spread))), l.q.Most())
}

// hold returns how much to hold for a request of unknown cost.
func (l *unitLimiter) hold(d Demand) int {
	if n, ok := l.q.bound(d); ok && l.reserves() {
		return n
	}
	return l.estimate()
}

// held returns how much to hold for all that are in flight.
func (l *unitLimiter) held() int {
	if l.reserves() {
		return l.known + l.most.sum + (l.flying-l.most.n)*l.estimate()
	}
	return l.known + l.flying*l.estimate()
}

// reserves reports whether to hold the most that requests may cost, where they say it.
func (l *unitLimiter) reserves() bool { return l.most.proven || !l.heard }

func (l *unitLimiter) Ask(now time.Time, d Demand) Decision {
	n, known := l.q.known(d)
	most := l.q.Most()
	switch {
	case known && n > most:
		return Decision{Limit: l.q.name, Max: most, Cost: n}
	case known && n == 0 || !known && !d.Metered:
		return Decision{}
	case !known:
		if _, ok := l.q.bound(d); !l.heard && l.flying > 0 && !ok { // the first goes alone
			return Decision{Limit: l.q.name, Unknown: true}
		}
		n = l.hold(d)
	}
	if a := l.inner.Ask(now, Demand{Requests: n}); !a.Admits(now) {
		return a
	}
	held := l.held()
	if held == 0 {
		return Decision{}
	}
	if n+held > most {
		return Decision{Limit: l.q.name, Unknown: true} // until one is over
	}
	a := l.inner.Ask(now, Demand{Requests: n + held})
	if !a.Admits(now) {
		a.Soonest = now.Add(1) // they may cost nothing
	}
	return a
}

func (l *unitLimiter) Take(_ time.Time, d Demand) {
	switch n, known := l.q.known(d); {
	case known:
		l.known += n
	case d.Metered:
		l.flying++
		l.most.add(l.q, d)
	}
}

func (l *unitLimiter) Cancel(_ time.Time, d Demand) {
	switch n, known := l.q.known(d); {
	case known:
		l.known = max(0, l.known-n)
	case d.Metered && l.flying > 0:
		l.flying--
		l.most.drop(l.q, d)
	}
}

func (l *unitLimiter) Done(now, _ time.Time, d Demand) {
	if n, known := l.q.known(d); known && n > 0 {
		l.known = max(0, l.known-n)
		l.inner.Take(now, Demand{Requests: n})
	}
}

// Settle counts what a request cost that was not known before, or what others cost if it still is not. A
// cost above the quota may be a debt, and fills it once; one that is absurd is the same as none. Neither is
// a measure for other requests.
func (l *unitLimiter) Settle(now time.Time, d Demand, used map[string]float64) {
	if _, known := l.q.known(d); known || !d.Metered || l.flying == 0 {
		return
	}
	most := l.q.Most()
	cost, told := l.q.known(Demand{Units: used})
	if used != nil && !told {
		l.refused(now)
	}
	l.flying--
	l.most.drop(l.q, d)
	n := l.estimate()
	switch {
	case used == nil || cost/4 > most:
		l.heard = l.heard || used == nil
	case cost > most:
		n = most
	default:
		n, l.heard = cost, true
		if told {
			l.learn(float64(n))
			l.most.serve()
		}
	}
	if n > 0 {
		l.inner.Take(now, Demand{Requests: n})
	}
}

// learn updates the estimate with the cost of a request. The first sixteen costs weigh alike, so that an
// expensive one at the beginning is soon outweighed; each later one weighs a sixteenth.
func (l *unitLimiter) learn(cost float64) {
	if l.told == 0 {
		l.told, l.mean, l.spread = 1, cost, cost/2
		return
	}
	l.told = min(l.told+1, 16)
	weight := 1 / float64(l.told)
	l.spread += weight * (math.Abs(cost-l.mean) - l.spread)
	l.mean += weight * (cost - l.mean)
}

func (l *unitLimiter) Forecast(now time.Time, _ int, d Demand) Decision {
	n, known := l.q.known(d)
	if !known || n == 0 { // it may cost nothing, and so may all that go first
		return Decision{Limit: l.q.name, At: now}
	}
	return l.inner.Forecast(now, l.known, Demand{Requests: n})
}

func (l *unitLimiter) Idle(now time.Time) bool {
	return l.known == 0 && l.flying == 0 && l.inner.Idle(now)
}

func (l *unitLimiter) inherit(old Limiter, now time.Time) {
	o, ok := old.(*unitLimiter)
	if !ok || o.q.unit != l.q.unit {
		return
	}
	l.inner.inherit(o.inner, now)
	l.known, l.flying, l.most, l.heard, l.told, l.mean, l.spread = o.known, o.flying, o.most, o.heard, o.told, o.mean, o.spread
}
