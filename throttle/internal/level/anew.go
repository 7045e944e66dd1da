package level

import "time"

// Anew asks again where the newest word is old. What ended since then is taken off it, and what came back
// of a rolling window is counted at its least: where no response is under way that would tell, one request
// finds out whether that was too careful. In a bucket, what is not spent now is not lost until it is full.
type anew struct {
	told  float64 // what remained by the newest word
	debt  float64 // that it told of a bucket
	at    time.Duration
	hold  *Hold         // the request that asks
	after time.Duration // when the next one may, once the answer was no
	wait  time.Duration
	good  bool // the last one was served
}

// worthAnew is how long a wait is worth a refusal.
const worthAnew = 5 * time.Second

// mayAskAnew reports whether a request may go that lacks no more than the newest word may be short of.
func (l *Limiter) mayAskAnew(t time.Duration, d Demand, lack float64) bool {
	a := &l.anew
	if early := l.refill.bucket && (l.flying > 0 || t < l.wouldBeFull()) || !l.refill.bucket && l.answers < 8; early {
		return false
	}
	if l.unheard > 0 || a.hold != nil || t < a.after || l.refunds.atEndOnly() || l.hope(t) < l.admission(d) {
		return false
	}
	worth := worthAnew
	if a.good {
		worth = time.Second
	}
	at := l.later(t, false, lack)
	return at <= 0 || at > t+worth
}

// wouldBeFull returns when a bucket is full, but for what ended since the newest word: then one request asks, if
// none is under way. It is 0 if that is not so.
func (l *Limiter) wouldBeFull() time.Duration {
	if !l.refill.bucket || l.flying > 0 {
		return 0
	}
	full := l.anew.at + time.Duration((l.limit-l.anew.told+l.anew.debt)/l.refill.rate*float64(time.Second))
	return max(full, l.anew.after, 1)
}

// hope returns the most that may remain.
func (l *Limiter) hope(t time.Duration) float64 {
	a, most := &l.anew, l.anew.told
	if l.refill.bucket {
		return l.limit
	}
	if l.opens(false) || l.rolls(false) || l.refill.n < 4 { // hardly a bucket
		most += l.grains.whole()
	}
	if l.rolls(false) {
		return min(most+l.spent.mayHaveLeft(a.at, t-l.trip/2, l.length, l.overcharge()), l.limit)
	}
	if !l.refunds.none() {
		return min(most+l.refunds.net, l.limit)
	}
	return min(most, l.limit)
}

func (a *anew) answered(h *Hold) {
	if a.hold == h {
		a.hold, a.after, a.wait, a.good = nil, 0, 0, true
	}
}

func (a *anew) refused(t time.Duration, h *Hold) {
	if a.hold == h {
		a.wait = min(max(2*a.wait, 5*time.Second), time.Hour)
		a.hold, a.after, a.good = nil, t+a.wait, false
	}
}
