package queue

import "time"

// All returns a [Limit] that lets a request go when all of limits do, and takes from all of them. Its
// answer is the latest of theirs. Without limits it always agrees.
func All(limits ...Limit) Limit {
	if len(limits) == 1 {
		return limits[0]
	}
	return all(limits)
}

type all []Limit

func (a all) Ask(now time.Time, r *Request) (worst Decision) {
	var soonest time.Time
	for _, l := range a {
		answer := l.Ask(now, r)
		if answer.goes(now) {
			continue
		}
		if early := answer.early(); early.After(soonest) {
			soonest = early
		}
		if answer.after(&worst) {
			worst = answer
		}
	}
	worst.soonest = soonest
	return worst
}

func (a all) Take(now time.Time, r *Request) {
	for _, l := range a {
		l.Take(now, r)
	}
}

func (a all) Return(taken time.Time, r *Request) {
	for _, l := range a {
		if b, ok := l.(Canceler); ok {
			b.Return(taken, r)
		}
	}
}

func (a all) Observe(now, taken time.Time) { a.observe(now, taken, 0) }

func (a all) observe(now, taken time.Time, cost int) {
	for _, l := range a {
		observe(l, now, taken, cost)
	}
}

func (a all) Idle(now time.Time) bool {
	for _, l := range a {
		if !isIdle(l, now) {
			return false
		}
	}
	return true
}

func (a all) Forecast(now time.Time, ahead int, r *Request) time.Time {
	latest := now
	for _, l := range a {
		if f, ok := l.(Forecaster); ok {
			if at := f.Forecast(now, ahead, r); at.After(latest) {
				latest = at
			}
		} else if answer := l.Ask(now, r); answer.early().After(latest) {
			latest = answer.early()
		}
	}
	return latest
}
