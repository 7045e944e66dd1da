package level

import (
	"cmp"
	"math"
	"time"
)

// spent notes what was spent and when, so that it is known when it leaves a
// rolling window. Its memory is bounded: what was spent at nearly the same time is
// taken to have been spent when the last of it was.
type spent struct {
	slots []slot
}

type slot struct {
	sent, last time.Duration // when the first and the last of it was sent
	end        time.Duration // when the last of it ended
	amount     float64
	most       float64 // the server may have charged
}

// add notes an amount that was charged at some time between sent and end, and the most that may have been.
func (s *spent) add(sent, end time.Duration, amount, most float64, length time.Duration) {
	if amount <= 0 {
		return
	}
	if n := len(s.slots); n > 0 {
		last := &s.slots[n-1]
		if end < last.end || end-last.end < length/1024 && (sent-last.sent).Abs() < length/1024 {
			last.sent, last.last, last.end = min(last.sent, sent), max(last.last, sent), max(last.end, end)
			last.amount, last.most = last.amount+amount, last.most+max(amount, most)
			return
		}
	}
	if len(s.slots) >= 512 {
		s.pair()
	}
	s.slots = append(s.slots, slot{sent, sent, end, amount, max(amount, most)})
}

// scale takes what was spent since some time to have been a share of it.
func (s *spent) scale(since time.Duration, share float64) {
	for i := range s.slots {
		if x := &s.slots[i]; x.last >= since {
			x.amount *= share
		}
	}
}

// pair takes each two neighbours as one.
func (s *spent) pair() {
	for i := range len(s.slots) / 2 {
		a, b := s.slots[2*i], s.slots[2*i+1]
		s.slots[i] = slot{min(a.sent, b.sent), max(a.last, b.last), max(a.end, b.end), a.amount + b.amount, a.most + b.most}
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

// left returns what left the window after one time and until another, where the server charges so
// many times what responses tell, and when more does; 0 if nothing will. What a server charges for
// at the end of requests leaves later than what it charges for when they are sent, but what it
// charged for before the first time is not counted twice: the lesser of the two is returned, less
// what one request may have been given back of: servers may take it off what they charged another.
func (s *spent) left(after, until, length time.Duration, factor float64) (amount float64, next time.Duration) {
	ended, sent, apart := 0.0, 0.0, 0.0
	var nextEnded, nextSent time.Duration
	for _, x := range s.slots {
		charged := max(x.amount, min(x.amount*factor, x.most))
		if at := x.end + length; at > until && nextEnded == 0 {
			nextEnded = at
		} else if at > after && at <= until {
			ended += charged
		}
		if at := x.sent + length; at > until {
			nextSent = cmp.Or(min(at, nextSent), at)
		} else if at > after {
			sent += charged
			apart = max(apart, min(charged, x.most-charged))
		}
	}
	if ended < sent {
		return max(0, ended-apart), nextEnded
	}
	return max(0, sent-apart), nextSent
}

// mayHaveLeft is left where it is not known when the server charges: the greater of the two.
func (s *spent) mayHaveLeft(after, until, length time.Duration, factor float64) float64 {
	ended, sent := 0.0, 0.0
	for _, x := range s.slots {
		charged := max(x.amount, min(x.amount*factor, x.most))
		if at := x.end + length; at > after && at <= until {
			ended += charged
		}
		if at := x.sent + length; at > after && at <= until {
			sent += charged
		}
	}
	return max(ended, sent)
}

// surelyLeft is left where the server charged at least a share early of it when requests arrived, and the
// rest at any time until they ended. What may have left before the first time is not counted.
func (s *spent) surelyLeft(after, until, length time.Duration, early float64) (amount float64, next time.Duration) {
	for _, x := range s.slots {
		ended, sent := x.end+length, x.last+length
		if x.sent+length > after {
			switch {
			case ended <= until:
				amount += x.amount
			case sent <= until:
				amount += early * x.amount
			}
		}
		if early > 0 && sent > until && (next == 0 || sent < next) {
			next = sent
		}
		if ended > until && (next == 0 || ended < next) {
			next = ended
		}
	}
	return amount, next
}

// inWindow returns the most that may be in the window still, where the server charged at least a share
// early of it when requests arrived.
func (s *spent) inWindow(now, length time.Duration, early float64) (amount float64) {
	for _, x := range s.slots {
		switch {
		case x.last+length > now:
			amount += x.amount
		case x.end+length > now:
			amount += (1 - early) * x.amount
		}
	}
	return amount
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

// oldest returns between which times the oldest leaves the window that was inside it at some time, where
// the server charged at least a share early of it when requests arrived, and it is known to within trip when;
// 0 if nothing was.
func (s *spent) oldest(at, trip, length time.Duration, early float64) (earliest, latest time.Duration) {
	for _, x := range s.slots {
		end := x.end
		if early == 1 {
			end = x.last
		}
		if end+length <= at-trip {
			continue
		}
		if earliest == 0 || x.sent+length < earliest {
			earliest = x.sent + length
		}
		if x.sent+length > at && (latest == 0 || end+length < latest) {
			latest = end + length
		}
	}
	return earliest, max(earliest, latest)
}

// spentOf returns what was spent of the window; of one that fills all the time it may be all.
func (l *Limiter) spentOf(t time.Duration) float64 {
	if l.refill.bucket {
		return l.limit
	}
	if opened := l.reset - l.length; l.opens(false) && t < l.reset && t >= opened {
		return l.spent.inside(t, t-opened)
	}
	return l.spent.inside(t, l.length)
}
