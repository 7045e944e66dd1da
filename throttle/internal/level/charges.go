package level

import (
	"math"
	"time"
)

// Charges finds out which share of costs that are known the server charges when a request arrives; the rest
// it charges when the request is over. How much more is missing than what ended requests cost tells, beside
// how much more arrived.
type charges struct {
	arrived, missing, both float64 // squares and product of these two differences
	n                      int     // how many responses told
	opens                  time.Duration
}

// observe takes in that so much is missing, and what those cost that arrived, and those that ended.
func (s *charges) observe(missing, arrived, ended float64) {
	const fade = 0.97
	x, y := arrived-ended, missing-ended
	s.arrived = s.arrived*fade + x*x
	s.missing = s.missing*fade + y*y
	s.both = s.both*fade + x*y
	s.n++
}

// early returns between what the share is that is charged when a request arrives.
func (s *charges) early() (least, most float64) {
	if s.n < 8 || s.missing*s.arrived-s.both*s.both > 0.02*s.arrived*s.arrived {
		return 0, 1 // others spend too, or something else is not as thought
	}
	switch share := s.both / s.arrived; {
	case share > 0.9:
		return 1, 1
	case share < 0.1:
		return 0, 0
	default: // a larger part of one request than of another
		return max(share-0.15, 0), min(share+0.15, 1)
	}
}

// observeCharges compares what is missing with what was spent, where it is known how much is in the window.
func (l *Limiter) observeCharges(t time.Duration, own *Hold, w Window) {
	s := &l.charges
	if s.opens == 0 {
		s.opens = l.reset
	}
	if !l.told || w.Limit != l.limit || w.Remaining <= 0 || l.length == 0 || l.refill.bucket || l.estimated > 0 || l.ended > 0 {
		return
	}
	if before := t < s.opens-l.trip; !before && (l.reset > 0 && t >= l.reset-l.trip || !l.opens(true) && !l.rolls(true)) {
		return
	}
	length, doubt := l.length, 0.0
	if opened := l.reset - l.length - l.arrival(); l.opens(true) && t >= opened {
		length = t - opened
	} else {
		doubt = l.spent.mayHaveLeft(t-l.trip, t, length, 1)
	}
	arrived, ended := l.spent.surely(t, length), l.spent.inside(t, length)
	for _, h := range l.holds {
		switch {
		case h.end > 0 || h.sent <= t-length:
			continue
		case h.sent > t-l.trip/2: // it may have arrived
			arrived, doubt = arrived+h.admitted/2, doubt+h.admitted/2
		default:
			arrived += h.admitted
		}
		if h == own && !w.Streamed {
			ended += h.admitted
		}
	}
	if apart := max(arrived-ended, ended-arrived); apart > max(4*(doubt+l.grains.half()), w.Limit/32) {
		s.observe(w.Limit-w.Remaining, arrived, ended)
	}
}

// due returns what requests of known costs may take before another arrives, and no response counts yet.
func (l *Limiter) due(t time.Duration) float64 {
	if l.settling == 0 {
		return l.known
	}
	early, most := l.charges.early()
	var mean, square float64
	for _, h := range l.holds {
		if rest := h.rest(early, most); rest > 0 {
			ends := l.durations.within((t - h.sent).Seconds(), 1.5*l.least.quantile(0))
			mean += ends * rest
			square += ends * rest * rest
		}
	}
	return l.known + min(l.settling, mean+l.reserve(2*math.Sqrt(square)))
}

// rest returns what a request of known cost may be charged when it is over that is not held while it is
// under way.
func (h *Hold) rest(early, most float64) float64 {
	switch {
	case !h.demand.Known || h.end > 0:
		return 0
	case h.arriving:
		return (1 - most) * h.admitted
	}
	return (1 - early) * h.admitted
}
