package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// CountsUnits reports whether any quota of a rule counts something other than requests; see [Quota.Of].
func (l *Queue) CountsUnits() bool { return l.units.Load() }

func (l *Queue) noteUnits(quotas []Quota) {
	for _, q := range quotas {
		if q.Unit() != "requests" {
			l.units.Store(true)
		}
	}
}

// Settle tells the quotas that count something other than requests what a Metered request cost. Call it once
// for each permit of such a request that was not canceled, as soon as the response says so, even after the
// permit was released. r must be unchanged, except for its Tag.
//
// The request spent nothing of units that are not in used, as when it was refused. A nil map means that the
// cost is not known; quotas then count what other requests cost.
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
