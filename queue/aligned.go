package queue

import "time"

// aligned lets its quota go in each window of the clock.
type aligned struct {
	q          *Quota
	start, end time.Time // of the window
	used       int
	counted    time.Time // used counts all that was taken since then
	sent       sent      // what may not have arrived yet
}

func newAligned(q *Quota) *aligned { return &aligned{q: q, sent: sent{q: q}} }

// window returns the window in which t lies.
func (l *aligned) window(t time.Time) (start, end time.Time) {
	t = t.In(l.q.place)
	y, m, d := t.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, l.q.place)
	if day.After(t) { // the clock was put back across midnight
		day = time.Date(y, m, d-1, 0, 0, 0, 0, l.q.place)
	}
	next := time.Date(y, m, d+1, 0, 0, 0, 0, l.q.place)
	if l.q.per == 24*time.Hour {
		return day, next
	}
	start = day.Add(t.Sub(day).Truncate(l.q.per))
	end = start.Add(l.q.per)
	if end.After(next) {
		end = next
	}
	return start, end
}

// turn begins a new window if the time has come.
func (l *aligned) turn(now time.Time) {
	// A wall clock that was set back a little must not give the same quota twice: the window goes on.
	if now.Before(l.end) && now.After(l.start.Add(-l.q.per)) {
		return
	}
	first := l.end.IsZero()
	l.start, l.end = l.window(now)
	l.sent.leave(l.sent.since(l.start))
	l.used = l.sent.cost
	l.counted = l.start
	if open := l.sent.open.live(); first {
		l.counted = now
	} else if len(open) > 0 {
		l.counted = l.sent.base.Add(time.Duration(open[0].from))
	}
}

func (l *aligned) Ask(now time.Time, r *Request) Answer {
	l.turn(now)
	cost := r.cost()
	opens := l.start.Add(l.q.slack)
	switch {
	case cost > l.q.n:
		return Answer{Name: l.q.name, Max: l.q.n}
	case l.used+cost > l.q.n:
		return Answer{Name: l.q.name, At: l.end.Add(l.q.slack)}
	case now.Before(opens):
		return Answer{Name: l.q.name, At: opens}
	}
	return Answer{}
}

func (l *aligned) Take(now time.Time, r *Request) {
	l.turn(now)
	l.used += r.cost()
	at := l.sent.since(now)
	l.sent.leave(at)
	l.sent.add(at, r.cost())
}

func (l *aligned) Return(taken time.Time, r *Request) {
	l.sent.undo(l.sent.since(taken), r.cost())
	if !taken.Before(l.counted) {
		l.used -= r.cost()
	}
}

func (l *aligned) Observe(now, taken time.Time) {
	l.observe(now, taken, 0)
}

func (l *aligned) observe(now, taken time.Time, cost int) {
	l.sent.answer(l.sent.since(now), l.sent.since(taken), cost)
}

func (l *aligned) Idle(now time.Time) bool {
	l.turn(now)
	return l.used == 0 && l.sent.idle(l.sent.since(now))
}

// Forecast fills window after window.
func (l *aligned) Forecast(now time.Time, ahead int, r *Request) time.Time {
	l.turn(now)
	last := ahead + r.cost() - 1
	if last < l.q.n-l.used {
		if opens := l.start.Add(l.q.slack); opens.After(now) {
			return opens
		}
		return now
	}
	later := (last - (l.q.n - l.used)) / l.q.n // windows after the next
	if l.q.per == 24*time.Hour && later < 1e6 {
		return l.end.AddDate(0, 0, later).Add(l.q.slack)
	}
	return l.end.Add(times(later, l.q.per)).Add(l.q.slack)
}

// inherit takes over what was used of the window, if the windows are the same, and otherwise as if all
// of it had been used in the new one.
func (l *aligned) inherit(old Limit, now time.Time) {
	o, ok := old.(*aligned)
	if !ok {
		return
	}
	o.turn(now)
	l.start, l.end = l.window(now)
	l.used, l.counted = o.used, o.counted
	l.sent.takeOver(&o.sent)
}
