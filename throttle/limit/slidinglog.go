package limit

import "time"

// maxSlots is how many requests are logged one by one. Beyond that, neighbours share slots, which loses at
// most a thousandth of the window.
const maxSlots = 1024

// noTime is a time that never comes.
const noTime = int64(1<<63 - 1)

// A slidingLog logs the requests that were sent, and until when each counts: for the length of the window,
// from its latest possible arrival at the server. The response shows when that was; until it comes, the log
// assumes the worst. Times are nanoseconds since base.
type slidingLog struct {
	q    *Quota
	base time.Time
	way  rtt
	open eventLog // in flight, by the time of sending
	done eventLog // answered, by the time of the response
	cost int      // of all requests that count
}

func (s *slidingLog) since(t time.Time) int64 {
	if s.base.IsZero() {
		s.base = t
	}
	return int64(t.Sub(s.base))
}

// per returns how long a request counts after its arrival. A fixed window needs only the requests that may
// not have arrived; a sliding counter counts the last window too.
func (s *slidingLog) per() int64 {
	switch s.q.kind {
	case isFixed:
		return 0
	case isCounter:
		return 2 * int64(s.q.per)
	}
	return int64(s.q.per)
}

// grain returns how far apart requests that share a slot may be.
func (s *slidingLog) grain() int64 {
	if s.q.n > maxSlots && s.q.kind != isFixed {
		return int64(s.q.per) / maxSlots
	}
	return 0
}

// allow returns how much later than the fastest request one in flight may arrive, and ahead how much earlier
// than its response, at the least, an answered one arrived. A fixed window compares arrivals not with each
// other but with the clock, so that the time that even the fastest request needs counts too.
func (s *slidingLog) allow() (allow, ahead int64) {
	if s.q.kind == isFixed {
		return s.way.allow(s.q, noTime), 0
	}
	return s.way.allow(s.q, s.per()), int64(s.way.least())
}

// leave removes the requests that no longer count at now.
func (s *slidingLog) leave(now int64) {
	if s.cost == 0 {
		return
	}
	allow, ahead := s.allow()
	now -= s.per()
	for open := s.open.live(); len(open) > 0 && open[0].to+allow <= now; open = s.open.live() {
		s.cost -= int(s.open.pop())
	}
	for done := s.done.live(); len(done) > 0 && done[0].to-ahead <= now; done = s.done.live() {
		s.cost -= int(s.done.pop())
	}
}

// add logs a request.
func (s *slidingLog) add(now int64, cost int) {
	s.cost += cost
	s.open.add(now, s.grain(), int32(cost))
}

// answer logs that the request sent at taken was answered at now.
func (s *slidingLog) answer(now, taken int64, cost int) {
	possible := s.q.fixed || s.way.sample(time.Duration(now-taken))
	x := s.open.find(taken)
	if x == nil || !possible {
		return
	}
	if allow, ahead := s.allow(); now-ahead < x.to+allow && s.open.pull(x, int32(cost)) {
		s.done.add(now, s.grain(), int32(cost))
	}
}

// undo undoes an add.
func (s *slidingLog) undo(taken int64, cost int) {
	x := s.open.find(taken)
	if x == nil {
		return
	}
	if s.open.pull(x, int32(cost)) {
		s.cost -= cost
	}
}

// after returns when to ask again whether requests of that cost no longer count, and when that can be the case
// at the earliest, which is if all requests in flight are answered at once.
func (s *slidingLog) after(now int64, cost int) (ask, soonest int64) {
	allow, ahead := s.allow()
	ask = s.leaves(cost, ahead, func(x *slot) int64 { return s.way.look(now, x.to, allow, s.per()) })
	soonest = s.leaves(cost, max(ahead, s.way.seen()), func(x *slot) int64 { return x.to + s.per() })
	return ask, min(soonest, ask)
}

// leaves returns when requests of that cost no longer count. Responses come ahead after the arrival; opens
// returns when a request in flight no longer counts.
func (s *slidingLog) leaves(cost int, ahead int64, opens func(*slot) int64) (at int64) {
	open, done := s.open.live(), s.done.live()
	for cost > 0 && len(open)+len(done) > 0 {
		first, second := noTime, noTime
		if len(open) > 0 {
			first = opens(&open[0])
		}
		if len(done) > 0 {
			second = done[0].to - ahead + s.per()
		}
		if first < second {
			at, cost, open = max(at, first), cost-int(open[0].cost), open[1:]
		} else {
			at, cost, done = max(at, second), cost-int(done[0].cost), done[1:]
		}
	}
	return at
}

// idle reports whether no request counts. If so, it frees the memory.
func (s *slidingLog) idle(now int64) bool {
	s.leave(now)
	if s.cost > 0 {
		return false
	}
	s.open, s.done = eventLog{}, eventLog{}
	return true
}

// takeOver adopts the requests of old.
func (s *slidingLog) takeOver(old *slidingLog) {
	q := s.q
	*s = *old
	s.q = q
}
