package limit

import "time"

// A rolling limiter never admits more than its quota in any span of its length.
type rolling struct {
	countsRequests
	slidingLog
}

func newRolling(q *Quota) *rolling { return &rolling{slidingLog: slidingLog{q: q}} }

func (l *rolling) Ask(now time.Time, d Demand) Decision {
	cost := d.Count()
	at := l.since(now)
	l.leave(at)
	switch {
	case l.cost+cost <= l.q.n:
		return Decision{}
	case cost > l.q.n:
		return Decision{Limit: l.q.name, Max: l.q.n}
	}
	ask, soonest := l.after(at, l.cost+cost-l.q.n)
	return Decision{Limit: l.q.name, At: l.base.Add(time.Duration(ask)), Soonest: l.base.Add(time.Duration(soonest))}
}

func (l *rolling) Take(now time.Time, d Demand) { l.add(l.since(now), d.Count()) }

func (l *rolling) Cancel(taken time.Time, d Demand) { l.undo(l.since(taken), d.Count()) }

func (l *rolling) Done(now, taken time.Time, d Demand) {
	l.answer(l.since(now), l.since(taken), d.Count())
}

func (l *rolling) Idle(now time.Time) bool { return l.idle(l.since(now)) }

func (l *rolling) Forecast(now time.Time, ahead int, d Demand) Decision {
	return Decision{At: l.forecast(now, ahead, d.Count()), Limit: l.q.name}
}

// forecast lays what waits end to end: each unit goes when the one a full quota earlier has left.
func (l *rolling) forecast(now time.Time, ahead, cost int) time.Time {
	at := l.since(now)
	l.leave(at)
	last := ahead + cost - 1
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
	const long = time.Duration(noTime / 2)
	if n > 0 && d > long/time.Duration(n) {
		return long
	}
	return time.Duration(n) * d
}

func (l *rolling) inherit(old Limiter, _ time.Time) {
	if o, ok := old.(*rolling); ok {
		l.takeOver(&o.slidingLog)
	}
}
