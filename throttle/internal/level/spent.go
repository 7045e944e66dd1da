package level

import "time"

// spent notes what was spent and when, so that it is known when it leaves a
// rolling window. Its memory is bounded: what was spent close together is
// taken to have been spent when the last of it was.
type spent struct {
	slots []slot
}

type slot struct {
	sent, end time.Duration // of the first that was sent, of the last that ended
	amount    float64
}

// add notes an amount that was charged at some time between sent and end.
func (s *spent) add(sent, end time.Duration, amount float64, length time.Duration) {
	if amount <= 0 {
		return
	}
	if n := len(s.slots); n > 0 {
		last := &s.slots[n-1]
		if end < last.end || end-last.end < length/64 && last.end-last.sent < length/32 {
			last.sent, last.end, last.amount = min(last.sent, sent), max(last.end, end), last.amount+amount
			return
		}
	}
	if len(s.slots) >= 256 { // the length was not known; the oldest are the least needed
		s.slots = append(s.slots[:0], s.slots[128:]...)
	}
	s.slots = append(s.slots, slot{sent, end, amount})
}

// forget drops what left the window before a time.
func (s *spent) forget(before, length time.Duration) {
	k := 0
	for k < len(s.slots) && s.slots[k].end+length < before {
		k++
	}
	if k > 0 {
		s.slots = append(s.slots[:0], s.slots[k:]...)
	}
}

// left returns what surely left the window after one time and until another,
// and when more does; 0 if nothing will. What may have left before the first is
// not counted: it depends on when the server charged for it.
func (s *spent) left(after, until, length time.Duration) (amount float64, next time.Duration) {
	for _, x := range s.slots {
		switch at := x.end + length; {
		case at <= after:
		case at > until:
			return amount, at
		case x.sent+length > after:
			amount += x.amount
		}
	}
	return amount, 0
}

// inside returns what has not left the window yet.
func (s *spent) inside(now, length time.Duration) (amount float64) {
	for _, x := range s.slots {
		if x.end+length > now {
			amount += x.amount
		}
	}
	return amount
}

// oldest returns the earliest time at which something inside the window at now
// may leave it.
func (s *spent) oldest(now, length time.Duration) (time.Duration, bool) {
	for _, x := range s.slots {
		if x.end+length > now {
			return x.sent + length, true
		}
	}
	return 0, false
}
