package level

import (
	"math"
	"time"
)

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
	if len(s.slots) >= 256 {
		s.pair()
	}
	s.slots = append(s.slots, slot{sent, end, amount})
}

// pair takes each two neighbours as one.
func (s *spent) pair() {
	for i := range len(s.slots) / 2 {
		a, b := s.slots[2*i], s.slots[2*i+1]
		s.slots[i] = slot{min(a.sent, b.sent), max(a.end, b.end), a.amount + b.amount}
	}
	s.slots = s.slots[:len(s.slots)/2]
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

// covers returns when so much has left the window, counted from a time.
func (s *spent) covers(after time.Duration, amount float64, length time.Duration) time.Duration {
	for _, x := range s.slots {
		if x.end+length > after {
			if amount -= x.amount; amount <= 0 {
				return x.end + length
			}
		}
	}
	return math.MaxInt64
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

// surely returns what cannot have left the window yet, even if it was charged when
// the request was sent.
func (s *spent) surely(now, length time.Duration) (amount float64) {
	for _, x := range s.slots {
		if x.sent+length > now {
			amount += x.amount
		}
	}
	return amount
}

// oldest returns between which times the oldest that is inside the window at now
// leaves it; 0 if nothing is.
func (s *spent) oldest(now, length time.Duration) (earliest, latest time.Duration) {
	for _, x := range s.slots {
		if x.end+length <= now {
			continue
		}
		if latest == 0 {
			earliest, latest = x.sent+length, x.end+length
		}
		earliest, latest = min(earliest, x.sent+length), min(latest, x.end+length)
	}
	return earliest, latest
}
