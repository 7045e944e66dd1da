package limit

import (
	"slices"
	"time"
)

// All returns a [Limiter] that lets a request go when all of limits do, and takes from all of them. Its
// decision is the latest of theirs. Without limits it always agrees.
func All(limits ...Limiter) Limiter {
	if len(limits) == 1 {
		return limits[0]
	}
	return all(limits)
}

// Parts returns the limiters of which l consists: those that [All] combined, or l alone. The caller must
// not change them.
func Parts(l Limiter) []Limiter {
	if a, ok := l.(all); ok {
		return a
	}
	return []Limiter{l}
}

type all []Limiter

func (a all) Ask(now time.Time, d Demand) (latest Decision) {
	var soonest time.Time
	for _, l := range a {
		answer := l.Ask(now, d)
		answer.Relax(now, &d)
		if answer.Admits(now) {
			continue
		}
		if early := answer.Earliest(); early.After(soonest) {
			soonest = early
		}
		if answer.After(&latest) {
			latest = answer
		}
	}
	latest.Soonest = soonest
	return latest
}

func (a all) Take(now time.Time, d Demand) {
	for _, l := range a {
		l.Take(now, d)
	}
}

func (a all) Cancel(taken time.Time, d Demand) {
	for _, l := range a {
		l.Cancel(taken, d)
	}
}

func (a all) Done(now, taken time.Time, d Demand) {
	for _, l := range a {
		l.Done(now, taken, d)
	}
}

func (a all) Settle(now time.Time, d Demand, used map[string]float64) {
	for _, l := range a {
		l.Settle(now, d, used)
	}
}

func (a all) Idle(now time.Time) bool {
	return !slices.ContainsFunc(a, func(l Limiter) bool { return !l.Idle(now) })
}

func (a all) Forecast(now time.Time, ahead int, d Demand) (latest Decision) {
	latest.At = now
	for _, l := range a {
		f := l.Forecast(now, ahead, d)
		if f.At.IsZero() {
			f = l.Ask(now, d)
			f.At, f.Soonest = f.Earliest(), time.Time{}
		}
		if f.At.After(latest.At) || latest.Limit == "" && !latest.At.After(f.At) {
			latest = Decision{At: f.At, Limit: f.Limit}
		}
	}
	return latest
}

// Closes reports whether l may refuse a request later that it lets go now, although nothing was taken: a
// fixed window with slack does, at the beginning of each window.
func Closes(l Limiter) bool {
	switch l := l.(type) {
	case *fixedWindow:
		return l.q.slack > 0
	case all:
		return slices.ContainsFunc(l, Closes)
	}
	return false
}
