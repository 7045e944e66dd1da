package queue

import "time"

// rolling never lets more than its quota go in any span of its length.
type rolling struct{ slidingLog }

func newRolling(q *Quota) *rolling { return &rolling{slidingLog{q: q}} }

func (l *rolling) Ask(now time.Time, r *Request) Decision {
	cost := r.cost()
	at := l.since(now)
	l.leave(at)
	switch {
	case l.cost+cost <= l.q.n:
		return Decision{}
	case cost > l.q.n:
		return Decision{Name: l.q.name, Max: l.q.n}
	}
	ask, soonest := l.after(at, l.cost+cost-l.q.n)
	return Decision{Name: l.q.name, At: l.base.Add(time.Duration(ask)), soonest: l.base.Add(time.Duration(soonest))}
}

func (l *rolling) Take(now time.Time, r *Request) { l.add(l.since(now), r.cost()) }

func (l *rolling) Return(taken time.Time, r *Request) { l.undo(l.since(taken), r.cost()) }

func (l *rolling) Observe(now, taken time.Time) { l.observe(now, taken, 0) }

func (l *rolling) observe(now, taken time.Time, cost int) {
	l.answer(l.since(now), l.since(taken), cost)
}

func (l *rolling) Idle(now time.Time) bool { return l.idle(l.since(now)) }

// Forecast lays what waits end to end: each unit goes when the one a full quota earlier has left.
func (l *rolling) Forecast(now time.Time, ahead int, r *Request) time.Time {
	at := l.since(now)
	l.leave(at)
	last := ahead + r.cost() - 1
	rounds, unit := last/l.q.n, last%l.q.n
	start := now
	if missing := l.cost + unit + 1 - l.q.n; missing > 0 {
		_, soonest := l.after(at, missing)
		start = l.base.Add(time.Duration(soonest))
	}
	return start.Add(times(rounds, l.q.per))
}

// times is n*d, or a very long time.
func times(n int, d time.Duration) time.Duration {
	if n > 0 && d > time.Duration(never/2)/time.Duration(n) {
		return never / 2
	}
	return time.Duration(n) * d
}

func (l *rolling) inherit(old Limit, _ time.Time) {
	if o, ok := old.(*rolling); ok {
		l.takeOver(&o.slidingLog)
	}
}
