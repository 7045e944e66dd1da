package level

import "time"

// A trial finds out whether the server asks at admission for all that a
// response may have. It is worth a request where that is much of the limit.
type trial struct {
	verdict verdict
	served  int   // trials that were
	hold    *Hold // the one under way
}

type verdict uint8

const (
	unknown verdict = iota
	strict          // it asks for it
	lenient         // it does not
)

// mayTry reports whether a request may go of which less is there than the
// server may ask for, even if everything comes back that may: what becomes of
// it is proof.
func (l *Limiter) mayTry(t time.Duration, d Demand) bool {
	if l.trial.verdict != unknown || l.trial.hold != nil || l.answers < 8 || d.Most <= l.limit/8 {
		return false
	}
	if !l.refill.bucket && !(l.reset > 0 && t < l.reset-l.trip) {
		return false
	}
	if l.minimum(d) > l.level(t, false)-l.known-l.ended-l.ending() {
		return false
	}
	most := l.remaining + l.grains.whole()
	if l.refill.bucket {
		most += l.refill.rate * (t - l.at + l.trip).Seconds()
	}
	for _, h := range l.holds {
		switch {
		case h.end == 0 && h.sent < t-l.trip:
			most += h.admitted
		case h.end > 0:
			most += h.admitted
		}
	}
	return most < 0.9*d.Most
}

// served notes that a request on trial was.
func (x *trial) admitted(h *Hold) {
	if x.hold != h {
		return
	}
	x.hold = nil
	if x.served++; x.served >= 3 {
		x.verdict = lenient
	}
}

// refused notes that a request was refused, and reports whether that changes
// what the server is thought to ask for.
func (x *trial) refused(h *Hold) bool {
	if x.hold != h && x.verdict != lenient {
		return false
	}
	*x = trial{verdict: strict}
	return true
}

// Refunds finds out whether the server gives back what a request did not use of
// what was asked of it. Where responses begin before they end, none may be left
// to tell so: then one request asks.
type refunds struct {
	back  float64       // what may have come back since the newest response
	hold  *Hold         // the request that asks
	after time.Duration // when the next one may, once the answer was no
	wait  time.Duration
}

// mayAskBack reports whether a request may go that lacks no more than may have
// come back, and no response is under way that would tell.
func (l *Limiter) mayAskBack(t time.Duration, lack float64) bool {
	if l.unheard > 0 || l.refunds.hold != nil || lack > l.refunds.back || t < l.refunds.after {
		return false
	}
	at := l.reset
	switch {
	case l.rolls(false):
		at = l.spent.covers(l.at, lack, l.length)
	case l.refill.bucket || at <= t:
		at = l.later(t, false, lack)
	}
	// Else it is not worth a refusal.
	return max(l.closed, at) > t+5*time.Second || !l.refill.bucket && l.refunds.back > 2*lack
}

func (r *refunds) answered(h *Hold) {
	if r.hold == h {
		*r = refunds{back: r.back}
	}
}

func (r *refunds) refused(t time.Duration, h *Hold) {
	if r.hold == h {
		r.wait = min(max(2*r.wait, 5*time.Second), time.Hour)
		*r = refunds{after: t + r.wait, wait: r.wait}
	}
}
