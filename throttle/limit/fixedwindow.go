package limit

import "time"

// A fixedWindow admits its quota in each window of the clock.
type fixedWindow struct {
	countsRequests

	q          *Quota
	start, end time.Time // of the window
	used       int
	counted    time.Time  // used counts the requests taken since then
	sent       slidingLog // requests that may not have arrived yet
}

func newFixedWindow(q *Quota) *fixedWindow { return &fixedWindow{q: q, sent: slidingLog{q: q}} }

// window returns the window that contains t.
func (l *fixedWindow) window(t time.Time) (start, end time.Time) {
	y, m, d := t.In(l.q.place).Date()
	day, next := dayStart(y, m, d, l.q.place), dayStart(y, m, d+1, l.q.place)
	for day.After(t) { // the clock was put back across midnight
		d--
		day, next = dayStart(y, m, d, l.q.place), day
	}
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

// dayStart returns when a day begins, which is not always midnight: clocks that are put forward then leave
// it out, and clocks that are put back come to it twice. It is the last time at which the date becomes that
// of the day, or a later one where the day itself is left out.
func dayStart(y int, m time.Month, d int, zone *time.Location) (start time.Time) {
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	const reach = 48 * time.Hour // more than any zone is away from UTC
	begun := false
	for t := midnight.Add(-reach).In(zone); t.Before(midnight.Add(reach)); {
		_, offset := t.Zone()
		change := zoneEnd(t)
		crossing := midnight.Add(-time.Duration(offset) * time.Second)
		switch {
		case t.Before(crossing):
			if begun = change.IsZero() || crossing.Before(change); begun {
				start = crossing
			}
		case !begun:
			start, begun = t, true
		}
		if change.IsZero() {
			break
		}
		t = change
	}
	return start.In(zone)
}

// zoneEnd returns when the clock of t's zone is set next, or an earlier time after t, or zero for never.
// [time.Time.ZoneBounds] errs by a day at the end of leap years, and returns t or less then.
func zoneEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return t.Add(time.Hour)
	}
	return end
}

// turn begins a new window if the current one is over.
func (l *fixedWindow) turn(now time.Time) {
	// If the wall clock was set back a little, the window continues, so that its quota is not given twice.
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

func (l *fixedWindow) Ask(now time.Time, d Demand) Decision {
	l.turn(now)
	cost := d.Count()
	opens := l.start.Add(l.q.slack)
	switch {
	case cost > l.q.n:
		return Decision{Limit: l.q.name, Max: l.q.n}
	case l.used+cost > l.q.n:
		return Decision{Limit: l.q.name, At: l.end.Add(l.q.slack)}
	case now.Before(opens):
		return Decision{Limit: l.q.name, At: opens}
	}
	return Decision{}
}

func (l *fixedWindow) Take(now time.Time, d Demand) {
	l.turn(now)
	l.used += d.Count()
	at := l.sent.since(now)
	l.sent.leave(at)
	l.sent.add(at, d.Count())
}

func (l *fixedWindow) Cancel(taken time.Time, d Demand) {
	l.sent.undo(l.sent.since(taken), d.Count())
	if !taken.Before(l.counted) {
		l.used -= d.Count()
	}
}

func (l *fixedWindow) Done(now, taken time.Time, d Demand) {
	l.sent.answer(l.sent.since(now), l.sent.since(taken), d.Count())
}

func (l *fixedWindow) Idle(now time.Time) bool {
	l.turn(now)
	return l.used == 0 && l.sent.idle(l.sent.since(now))
}

func (l *fixedWindow) Forecast(now time.Time, ahead int, d Demand) Decision {
	return Decision{At: l.forecast(now, ahead, d.Count()), Limit: l.q.name}
}

// forecast fills window after window.
func (l *fixedWindow) forecast(now time.Time, ahead, cost int) time.Time {
	l.turn(now)
	last := ahead + cost - 1
	if last < l.q.n-l.used {
		if opens := l.start.Add(l.q.slack); opens.After(now) {
			return opens
		}
		return now
	}
	later := (last - (l.q.n - l.used)) / l.q.n // windows after the next
	if y, m, d := l.end.Date(); l.q.per == 24*time.Hour && later < 1e6 {
		return dayStart(y, m, d+later, l.q.place).Add(l.q.slack)
	}
	at := l.end.Add(times(later, l.q.per)).Add(l.q.slack)
	// The last window of a day on which the clock is set may be a short one.
	for t := l.end; ; {
		_, before := t.Zone()
		t = zoneEnd(t)
		if t.IsZero() || t.After(at) {
			return at
		}
		if _, offset := t.Zone(); offset != before {
			at = at.Add(-l.q.per)
		}
	}
}

// inherit adopts what was used of the old window, as if all of it had been used in the new one.
func (l *fixedWindow) inherit(old Limiter, now time.Time) {
	o, ok := old.(*fixedWindow)
	if !ok {
		return
	}
	o.turn(now)
	l.start, l.end = l.window(now)
	l.used, l.counted = o.used, o.counted
	l.sent.takeOver(&o.sent)
}
