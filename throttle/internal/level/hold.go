package level

import (
	"slices"
	"time"
)

// A Hold is a request that was sent, until a response surely counts it.
type Hold struct {
	demand   Demand
	sent     time.Duration
	headed   time.Duration // when its response began; 0: not yet
	end      time.Duration // when it was over; 0: not yet
	admitted float64       // the most that the server may have asked for
	factor   float64       // that was estimated with
	beside   float64
	arriving bool    // no response counts its admission yet
	cost     float64 // once it is over
	claimed  float64 // what its response said that it cost
	before   mark
	paid     bool // a response that counts it was the newest once

	onRefunds bool // it went for what the server gives back
	returned  bool // what it did not use of what was asked for is known to be back, and in no word
}

// Take notes that a request is sent.
func (l *Limiter) Take(now time.Time, d Demand) *Hold {
	t := l.since(now)
	h := &Hold{demand: d, sent: t, arriving: true, admitted: d.Cost, factor: l.factor, beside: l.beside}
	if !d.Known {
		h.admitted = l.admission(d)
	}
	if l.tooLarge(d) {
		return h
	}
	h.before = l.mark(t)
	if l.told {
		l.note(t, h)
	}
	l.holds, l.sentAt = append(l.holds, h), t
	l.sum()
	return h
}

// note notes on what grounds a request goes that lacks something.
func (l *Limiter) note(t time.Duration, h *Hold) {
	lack := l.lack(t, h.demand)
	if h.onRefunds = lack <= 0 && l.lackWithout(t, h.demand) > 0; lack <= 0 || l.full(t, h.demand.Known) {
		return
	}
	if l.bid(t, h.demand.Known) {
		l.bidden = 0
		return
	}
	if l.mayProbe(t, h.demand.Known) {
		l.pause = min(max(2*l.pause, time.Second), time.Minute)
		l.retry = t + l.pause
		return
	}
	if !h.demand.Known && l.mayTry(t, h.demand) {
		l.trial.hold = h
		return
	}
	if !h.demand.Known && l.mayAskBack(t, h.demand) {
		l.refunds.hold = h
		return
	}
	if !h.demand.Known && l.mayAskAnew(t, h.demand, lack) {
		l.anew.hold = h
	}
}

// Cancel forgets a request that was never sent.
func (l *Limiter) Cancel(h *Hold) { l.drop(h) }

// Settle notes that a request is over: its response was read to the end, or
// closed, or there was none. What it cost may not be known.
func (l *Limiter) Settle(now time.Time, h *Hold, u Usage, known bool) {
	t := l.since(now)
	if h.end > 0 || !l.has(h) {
		return
	}
	h.end = t
	l.release(h) // its response may have been lost
	l.durations.add((t - h.sent).Seconds())
	switch {
	case h.demand.Known:
		h.cost = h.demand.Cost
	case known && u.Total >= 0 && l.claim(h, u.Total):
		h.cost = u.Total
		l.measured(func() { l.used.add(u.Total) })
		if u.Prompt > 0 && h.demand.Prompt > 0 {
			l.ratios.add(u.Prompt / h.demand.Prompt)
		}
		l.grains.cost(u.Total)
	default:
		h.cost, _ = l.perRequest()
	}
	if h.demand.Known {
		l.grains.cost(h.cost)
	} else if h.headed > 0 {
		h.returned = l.refunds.settle(h, u, known, t > l.at+l.arrival())
	}
	l.spent.add(h.sent, t, h.cost, max(h.admitted, l.admission(h.demand)), max(l.length, time.Second))
	if h.headed < 0 { // its own response told what remains when it was complete
		l.others.ended += h.cost
		l.claims.owe(h.claimed, h.before)
		l.falls.count += 0.5
		if l.owing == h {
			l.remaining -= h.cost
		}
		if !h.demand.Known {
			l.drop(h)
			return
		}
		h.paid = true // but a response that was made earlier may still come later
	}
	l.sum()
}

// longest is how long a response may take. A caller that closes no body must not hold
// back all others for ever.
const longest = time.Hour

// lapse takes what ended a while ago, and no response counted since, off what
// remains: the server has counted it by now.
func (l *Limiter) lapse(t time.Duration) {
	if len(l.holds) == 0 {
		return
	}
	kept, off, ended, known := l.holds[:0], 0.0, false, true
	early, _ := l.charges.early()
	for _, h := range l.holds {
		if h.end == 0 && t >= h.sent+longest {
			h.end, h.cost = t, h.demand.Cost
			if !h.demand.Known {
				h.cost, _ = l.perRequest()
			}
			ended = true
		}
		if h.end > 0 && t >= h.end+l.grace(h) {
			if !h.paid {
				l.claims.owe(h.claimed, h.before)
				off += h.due(early)
				known = known && h.demand.Known
				if h.returned {
					l.refunds.due += h.cost // it was taken when the request arrived
				}
			}
			continue
		}
		kept = append(kept, h)
	}
	if len(kept) == len(l.holds) {
		if ended {
			l.sum()
		}
		return
	}
	clear(l.holds[len(kept):])
	l.holds = kept
	if off > 0 && !(l.reset > 0 && !l.refill.bucket && l.opens(false) && t >= l.reset) {
		l.remaining, l.at = l.word(t, known)-off, t
	}
	l.sum()
}

// grace is how long it may take until no response comes that does not count a
// request that is over.
func (l *Limiter) grace(h *Hold) time.Duration {
	if h.paid {
		return l.trip
	}
	return l.trip + time.Second
}

// lapses returns when the first of those that are over lapses.
func (l *Limiter) lapses() time.Duration {
	at := time.Duration(0)
	for _, h := range l.holds {
		if h.end > 0 && (at == 0 || h.end+l.grace(h) < at) {
			at = h.end + l.grace(h)
		}
	}
	return at
}

// unheard reports whether no response to it has begun.
func (h *Hold) unheard() bool { return h.end == 0 && h.headed == 0 }

// responding reports whether a response of unknown cost is under way: its request has surely arrived, and it is not over.
func (h *Hold) responding() bool { return !h.demand.Known && !h.arriving && h.end == 0 }

func (l *Limiter) has(h *Hold) bool {
	return slices.Contains(l.holds, h)
}

func (l *Limiter) drop(h *Hold) {
	for i, o := range l.holds {
		if o == h {
			copy(l.holds[i:], l.holds[i+1:])
			l.holds[len(l.holds)-1] = nil
			l.holds = l.holds[:len(l.holds)-1]
			break
		}
	}
	l.release(h)
	l.sum()
}

// release lets other requests find out what this one went for.
func (l *Limiter) release(h *Hold) {
	for _, asks := range []**Hold{&l.trial.hold, &l.refunds.hold, &l.anew.hold} {
		if *asks == h {
			*asks = nil
		}
	}
}

// sums are of the holds.
type sums struct {
	flying  int // those that are not over
	unheard int // of those, whose responses have not begun

	known    float64 // what those of known costs may have taken that no response counts yet
	settling float64 // what they may take beside that when they are over
	over     float64 // what those may have taken that are over

	arriving  float64 // what those ask for that may not have arrived, of which the cost is not known
	ended     float64 // what those cost that are over
	estimated int     // how many are not
	flown     float64 // the most that one of these was estimated to ask for
	reserved  float64 // what all asked for that have surely arrived, and are not over
}

// sum adds up the holds.
func (l *Limiter) sum() {
	l.sums = sums{}
	early, most := l.charges.early()
	for _, h := range l.holds {
		if h.end > 0 {
			l.over += h.due(early)
		} else if l.flying++; h.unheard() {
			l.unheard++
		}
		if h.demand.Known {
			l.addKnown(h, early, most)
			continue
		}
		if h.end > 0 {
			l.ended += h.cost
		} else {
			l.estimated++
			l.flown = max(l.flown, h.admitted)
		}
		if h.arriving {
			l.arriving += h.admitted
		} else if h.end == 0 {
			l.reserved += h.admitted
		}
	}
}

func (s *sums) addKnown(h *Hold, early, most float64) {
	if h.end > 0 {
		s.known += h.due(early)
		return
	}
	s.settling += h.rest(early, most)
	if h.arriving {
		s.known += most * h.admitted
	} else {
		s.reserved += h.admitted
	}
}

// due returns what a request that is over cost, less what responses counted of it when it arrived.
func (h *Hold) due(early float64) float64 {
	if h.demand.Known && !h.arriving {
		return (1 - early) * h.cost
	}
	return h.cost
}
