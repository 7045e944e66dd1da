package limit

import (
	"math/bits"
	"time"
)

// A slidingCounter is for servers that count in fixed windows and add to the count of the current window that of
// the last, weighted by how much of it a window that ends now would still cover:
//
//	last × (1 − elapsed part of the current window) + current
//
// Where the windows begin is not known, so the limit must hold wherever they do. The later a request arrives,
// the more it weighs, so each is assumed to arrive as late as possible. docs/queue.md shows that it is enough
// to consider the requests that were sent before the next one.
type slidingCounter struct {
	countsRequests
	slidingLog
	arrivals []arrival // for reuse
}

// An arrival is when some requests arrive, and the cost of all before them.
type arrival struct {
	at     int64
	before int
}

func newSlidingCounter(q *Quota) *slidingCounter {
	return &slidingCounter{slidingLog: slidingLog{q: q}}
}

func (l *slidingCounter) Ask(now time.Time, d Demand) Decision {
	cost := d.Count()
	at := l.since(now)
	l.leave(at)
	switch {
	case l.cost+cost <= l.q.n: // of two windows
		return Decision{}
	case cost > l.q.n:
		return Decision{Limit: l.q.name, Max: l.q.n}
	}
	allow, ahead := l.allow()
	l.line(allow, ahead)
	sure := l.fits(at, l.q.n-cost)
	if sure <= at {
		return Decision{}
	}
	// Responses will show that most requests arrived earlier than assumed. If they are late, ask again less
	// and less often.
	l.line(0, max(ahead, l.way.seen()))
	soonest := l.fits(at, l.q.n-cost)
	l.line(0, ahead)
	next := l.fits(at, l.q.n-cost)
	if open := l.open.live(); next <= at && len(open) > 0 {
		next = at + max((at-open[0].to)/2, int64(time.Millisecond))
	}
	next = min(next, sure)
	return Decision{Limit: l.q.name, At: l.base.Add(time.Duration(next)), Soonest: l.base.Add(time.Duration(min(soonest, next)))}
}

// line returns all requests that count in order of arrival, and an end after them. A request in flight arrives
// later than it was sent, and an answered one earlier than its response.
func (l *slidingCounter) line(allow, ahead int64) {
	line, cost := l.arrivals[:0], 0
	open, done := l.open.live(), l.done.live()
	for len(open)+len(done) > 0 {
		var at int64
		var x *slot
		if len(done) == 0 || len(open) > 0 && open[0].to+allow <= done[0].to-ahead {
			at, x, open = open[0].to+allow, &open[0], open[1:]
		} else {
			at, x, done = done[0].to-ahead, &done[0], done[1:]
		}
		if x.cost > 0 {
			line = append(line, arrival{at, cost})
			cost += int(x.cost)
		}
	}
	line = append(line, arrival{noTime, cost})
	l.arrivals = line
}

// fits returns since when no more than so much is counted, wherever windows begin; that is not after
// now if it is now. It is never too late.
func (l *slidingCounter) fits(now int64, room int) int64 {
	at, per, all := now, int64(l.q.per), l.arrivals
	this, last := 0, 0 // the first that arrive in this window, and in the last
	check := func(begins int64) {
		for all[this].at < begins {
			this++
		}
		for all[last].at < begins-per {
			last++
		}
		at = max(at, l.fades(begins, room-(all[len(all)-1].before-all[this].before), all[this].before-all[last].before))
	}
	// What is counted is most where a window begins as a request arrives, or just a window later.
	for i, j := 0, 0; ; {
		begins := min(all[i].at, later(all[j].at, per))
		if begins > now {
			break
		}
		if begins > now-per {
			check(begins)
		}
		if all[i].at == begins {
			i++
		} else {
			j++
		}
	}
	check(now)
	return at
}

// fades returns when no more than room is left of the count of the last window, if this one begins at
// the given time.
func (l *slidingCounter) fades(begins int64, room, last int) int64 {
	switch {
	case room >= last:
		return begins
	case room < 0:
		return begins + int64(l.q.per)
	}
	high, low := bits.Mul64(uint64(l.q.per), uint64(last-room))
	over, rest := bits.Div64(high, low, uint64(last))
	if rest > 0 {
		over++
	}
	return begins + int64(over)
}

// later is a time that may be noTime, and then stays so.
func later(at, by int64) int64 {
	if at == noTime {
		return noTime
	}
	return at + by
}

func (l *slidingCounter) Take(now time.Time, d Demand) { l.add(l.since(now), d.Count()) }

func (l *slidingCounter) Cancel(taken time.Time, d Demand) { l.undo(l.since(taken), d.Count()) }

func (l *slidingCounter) Done(now, taken time.Time, d Demand) {
	l.answer(l.since(now), l.since(taken), d.Count())
}

func (l *slidingCounter) Idle(now time.Time) bool {
	l.arrivals = nil
	return l.idle(l.since(now))
}

func (l *slidingCounter) Forecast(now time.Time, ahead int, d Demand) Decision {
	return Decision{At: l.forecast(now, ahead, d.Count()), Limit: l.q.name}
}

// forecast is the latest of what the request would wait for by itself, and of how long at least all
// take that go before it.
func (l *slidingCounter) forecast(now time.Time, ahead, cost int) time.Time {
	start := now.Add(times((ahead+cost-1)/l.q.n, l.q.per))
	if a := l.Ask(now, Demand{Requests: cost}); a.Earliest().After(start) {
		return a.Earliest()
	}
	return start
}

func (l *slidingCounter) inherit(old Limiter, _ time.Time) {
	switch o := old.(type) {
	case *slidingCounter:
		l.takeOver(&o.slidingLog)
	case *rolling:
		l.takeOver(&o.slidingLog)
	}
}
