package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// CountsUnits reports whether a quota of a rule counts something else than requests; see [Quota.Of].
func (l *Queue) CountsUnits() bool { return l.units.Load() }

func (l *Queue) noteUnits(quotas []Quota) {
	for _, q := range quotas {
		if q.Unit() != "requests" {
			l.units.Store(true)
		}
	}
}

// Settle tells the quotas that count something else than requests what a Metered request cost. Call it
// once for each permit that such a request got, unless the permit was canceled: when the response tells,
// which may be after the permit was released. r must be as it was, except for its Tag.
//
// What is missing from used was not spent, as when the request was refused. A nil map says that the cost
// is not known: then what other requests cost is counted.
func (l *Queue) Settle(r *Request, used map[string]float64) {
	if !r.Metered || !l.CountsUnits() {
		return
	}
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	now, d := l.now(), r.demand()
	k, c := l.key(r.Key, now), l.classOf(id)
	for i := range c.slots {
		l.settle(l.limiterOf(k, &c.slots[i]), now, d, used)
	}
	for _, g := range c.limiters {
		l.settle(g, now, d, used)
	}
	l.dispatch(now)
}

func (l *Queue) settle(g *limiter, now time.Time, d limit.Demand, used map[string]float64) {
	g.limit.Settle(now, d, used)
	l.markDirty(g)
}
