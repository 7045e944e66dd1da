package level

import (
	"cmp"
	"time"
)

// A trial finds out whether the server asks at admission for all that a
// response may have. It is worth a request where that is much of the limit.
type trial struct {
	verdict verdict
	served  int   // trials that were
	short   int   // responses in a row that missed less than those under way had asked for
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
	if l.minimum(d) > l.level(t, false)-l.due(t)-l.ended-l.ending() {
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

// trialShort is how many responses in a row show that the server asks for less.
const trialShort = 8

// observeMissing takes in whether what is missing shows that the server cannot have asked for what the responses
// under way may have at most.
func (l *Limiter) observeMissing(t time.Duration, w Window) {
	x := &l.trial
	if x.verdict != unknown || x.short >= trialShort {
		return
	}
	switch asked := l.responsesUnderWay(t); {
	case asked < w.Limit/32:
	case w.Limit-w.Remaining >= asked/2:
		x.short = 0
	default:
		x.short++
	}
}

// asksLess reports whether the server does not ask for the most that a response may have. Of a bucket,
// only trials tell.
func (x *trial) asksLess(bucket bool) bool {
	return x.verdict == lenient || x.verdict == unknown && x.short >= trialShort && !bucket
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
// what the server is thought to ask for. If there was enough for its prompt, no
// trial is needed; if there was not, it proves nothing.
func (x *trial) refused(h *Hold, enough, short, bucket bool) bool {
	if x.hold != h && (short || !x.asksLess(bucket)) {
		if enough {
			*x = trial{verdict: strict}
		}
		return false
	}
	*x = trial{verdict: strict}
	return true
}

// responsesUnderWay returns the most that responses under way may have, of requests that
// have surely arrived in this window.
func (l *Limiter) responsesUnderWay(t time.Duration) (most float64) {
	if l.refill.bucket {
		return 0 // what it misses may have come back
	}
	opened := t - cmp.Or(l.length, time.Minute)
	if l.reset > 0 && !l.rolls(false) {
		opened = max(opened, l.reset-l.length)
	}
	for _, h := range l.holds {
		if h.responding() && h.sent > opened {
			most += h.demand.Most
		}
	}
	return most
}
