package limit

import "time"

// maxSlots is how many requests are remembered one by one. Of more than that, neighbours are put
// together as if all had been the last of them: a thousandth of the window is lost at most.
const maxSlots = 1024

// noTime is a time that never comes.
const noTime = int64(1<<63 - 1)

// slidingLog remembers what was sent, and until when it counts: from its latest possible arrival at the
// server for the length of the window. When that is, is seen when the answer comes; until then the
// worst is assumed. Times are nanoseconds since base.
type slidingLog struct {
	q    *Quota
	base time.Time
	way  rtt
	open eventLog // not answered yet, by the time of sending
	done eventLog // answered, by the time of the answer
	cost int      // of all that count
}

func (s *slidingLog) since(t time.Time) int64 {
	if s.base.IsZero() {
		s.base = t
	}
	return int64(t.Sub(s.base))
}

// per is how long a request counts after its arrival. A fixed window only wants to know what has not
// arrived, a sliding counter counts the last window too.
func (s *slidingLog) per() int64 {
	switch s.q.kind {
	case isFixed:
		return 0
	case isCounter:
		return 2 * int64(s.q.per)
	}
	return int64(s.q.per)
}

// grain is how far apart requests may be that share a slot.
func (s *slidingLog) grain() int64 {
	if s.q.n > maxSlots && s.q.kind != isFixed {
		return int64(s.q.per) / maxSlots
	}
	return 0
}

// allow is how much later than the fastest a request may arrive that was not answered yet, and ahead
// how much earlier than its answer, at least, one that was. A fixed window compares arrivals not with
// each other but with the clock: the time that even the fastest needs counts too.
func (s *slidingLog) allow() (allow, ahead int64) {
	if s.q.kind == isFixed {
		return s.way.allow(s.q, noTime), 0
	}
	return s.way.allow(s.q, s.per()), int64(s.way.least())
}

// leave drops what does not count any more at now.
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

// add notes a request.
func (s *slidingLog) add(now int64, cost int) {
	s.cost += cost
	s.open.add(now, s.grain(), int32(cost))
}

// answer notes that what was sent at taken was answered at now.
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

// undo takes back an add.
func (s *slidingLog) undo(taken int64, cost int) {
	x := s.open.find(taken)
	if x == nil {
		return
	}
	if s.open.pull(x, int32(cost)) {
		s.cost -= cost
	}
}

// after returns when it makes sense to look whether so much of what counts at now has left, and when it
// can have left at the soonest: if all is answered at once that was not yet.
func (s *slidingLog) after(now int64, cost int) (ask, soonest int64) {
	allow, ahead := s.allow()
	ask = s.leaves(cost, ahead, func(x *slot) int64 { return s.way.look(now, x.to, allow, s.per()) })
	soonest = s.leaves(cost, max(ahead, s.way.seen()), func(x *slot) int64 { return x.to + s.per() })
	return ask, min(soonest, ask)
}

// leaves is when so much has left. Answers came so much after the arrival; opens is when one leaves that
// was not answered.
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

// idle reports whether nothing counts, and frees the memory if so.
func (s *slidingLog) idle(now int64) bool {
	s.leave(now)
	if s.cost > 0 {
		return false
	}
	s.open, s.done = eventLog{}, eventLog{}
	return true
}

// takeOver takes over what old remembers.
func (s *slidingLog) takeOver(old *slidingLog) {
	q := s.q
	*s = *old
	s.q = q
}
