package queue

import "time"

// maxSlots is how many requests are remembered one by one. Of more than that, neighbours are put
// together as if all had been the last of them: a thousandth of the window is lost at most.
const maxSlots = 1024

// sent remembers what was sent, and until when it counts: from its latest possible arrival at the
// server for the length of the window. Times are nanoseconds since base.
type sent struct {
	base  time.Time
	per   int64
	grain int64 // requests that close together share a slot
	slack int64 // -1: as learned
	learn delay
	slots []slot
	gone  int // slots at the front that have left
	cost  int // of all that count
}

// slot is requests that were sent at nearly the same time.
type slot struct {
	from, to int64 // sent
	answered int64 // the last answer
	pending  int32 // not answered yet
	cost     int32
}

func newSent(q *Quota, per time.Duration) sent {
	s := sent{per: int64(per), slack: -1}
	if q.fixed {
		s.slack = int64(q.slack)
	}
	if q.n > maxSlots && per > 0 {
		s.grain = int64(q.per) / maxSlots
	}
	return s
}

func (s *sent) since(t time.Time) int64 {
	if s.base.IsZero() {
		s.base = t
	}
	return int64(t.Sub(s.base))
}

// allow is how much later than the fastest a request may arrive.
func (s *sent) allow() int64 {
	if s.slack >= 0 {
		return s.slack
	}
	d, known := s.learn.spread()
	if !known {
		d = maxDelay
		if s.per > 0 {
			d = min(d, time.Duration(s.per))
		}
	}
	return int64(d)
}

// until is when a slot stops to count.
func (s *sent) until(x *slot, allow int64) int64 {
	latest := x.to + allow
	if x.pending == 0 {
		latest = min(latest, x.answered)
	}
	return latest + s.per
}

// leave drops what does not count any more at now.
func (s *sent) leave(now int64) {
	if s.gone == len(s.slots) {
		return
	}
	allow := s.allow()
	for s.gone < len(s.slots) && s.until(&s.slots[s.gone], allow) <= now {
		s.cost -= int(s.slots[s.gone].cost)
		s.gone++
	}
	switch {
	case s.gone == len(s.slots):
		s.slots, s.gone = s.slots[:0], 0
	case s.gone > 64 && s.gone > len(s.slots)/2:
		s.slots = s.slots[:copy(s.slots, s.slots[s.gone:])]
		s.gone = 0
	}
}

// add notes a request.
func (s *sent) add(now int64, cost int) {
	s.cost += cost
	if last := len(s.slots) - 1; last >= s.gone {
		x := &s.slots[last]
		if now-x.from <= s.grain && x.pending < 1<<30 && int64(x.cost)+int64(cost) < 1<<31-1 {
			x.to = now
			x.cost += int32(cost)
			x.pending++
			return
		}
	}
	s.slots = append(s.slots, slot{from: now, to: now, pending: 1, cost: int32(cost)})
}

// find returns the slot of what was sent at taken, nil when it does not count any more.
func (s *sent) find(taken int64) *slot {
	low, high := s.gone, len(s.slots)
	for low < high { // the first slot that begins after taken
		mid := int(uint(low+high) / 2)
		if s.slots[mid].from > taken {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == s.gone || s.slots[low-1].to < taken {
		return nil
	}
	return &s.slots[low-1]
}

// answer notes that what was sent at taken was answered at now.
func (s *sent) answer(now, taken int64) {
	s.learn.sample(time.Duration(now - taken))
	if x := s.find(taken); x != nil && x.pending > 0 {
		x.pending--
		x.answered = max(x.answered, now)
	}
}

// undo takes back an add.
func (s *sent) undo(taken int64, cost int) {
	if x := s.find(taken); x != nil && int(x.cost) >= cost && x.pending > 0 {
		x.pending--
		x.cost -= int32(cost)
		x.answered = max(x.answered, x.from)
		s.cost -= cost
	}
}

// after returns when so much of what counts now will have left. Nothing leaves before what was sent
// earlier.
func (s *sent) after(cost int) int64 {
	allow := s.allow()
	at := int64(0)
	for i := s.gone; i < len(s.slots) && cost > 0; i++ {
		at = max(at, s.until(&s.slots[i], allow))
		cost -= int(s.slots[i].cost)
	}
	return at
}

// idle reports whether nothing counts, and frees the memory if so.
func (s *sent) idle(now int64) bool {
	s.leave(now)
	if s.gone < len(s.slots) {
		return false
	}
	s.slots, s.gone = nil, 0
	return true
}

// inherit takes over what old remembers.
func (s *sent) inherit(old *sent) {
	s.base, s.learn, s.slots, s.gone, s.cost = old.base, old.learn, old.slots, old.gone, old.cost
}
