package level

import "time"

// Refunds finds out whether the server gives back what a request did not use of
// what was asked of it. Where responses begin before they end, none may be left
// to tell so: then one request asks.
type refunds struct {
	back  float64       // what may have come back since the newest response
	net   float64       // of that, what they did not use
	hold  *Hold         // the request that asks
	after time.Duration // when the next one may, once the answer was no
	wait  time.Duration
	good  bool // the last one was served

	due   float64 // the least of it, where the server gives back what it asked for in vain
	row   int     // how many requests in a row were served that needed that
	holds float64 // share of responses that missed as much as those under way had asked for
	words int     // how many of them could tell

	// By how much what remains fell otherwise than it would have, squared.
	atEnd, kept, given float64 // were costs charged at the end, kept, or given back
	n                  int
}

// observe compares the fall between two responses with the ways to charge for
// the requests that the later of them counts.
func (r *refunds) observe(fall float64, c counts) {
	const fade = 0.97
	if c.requests == 0 {
		return
	}
	square := func(sum, x float64) float64 { return sum*fade + x*x }
	r.atEnd = square(r.atEnd, fall-c.ended)
	r.kept = square(r.kept, fall-c.admitted)
	r.given = square(r.given, fall-(c.admitted-c.back+c.ended))
	r.n++
}

// settle notes what comes back of a request that is over, and reports whether that is surely not in the newest word.
func (r *refunds) settle(h *Hold, u Usage, known, later bool) bool {
	r.back += h.admitted
	r.net += max(0, h.admitted-h.cost)
	if !known || !later || h.demand.Most == 0 { // how much it asked for is not known
		return false
	}
	r.due += max(0, h.demand.Most-max(0, u.Total-u.Prompt))
	return true
}

// reserve takes in whether so much is missing as requests under way had asked for, where it is not missing
// because so much was spent.
func (r *refunds) reserve(missing, asked, spent, limit float64) {
	if asked < limit/8 || missing >= 0.75*asked && spent > asked/2 {
		return
	}
	r.words++
	weight := max(1./16, 1/float64(r.words))
	if missing >= 0.75*asked {
		r.holds += weight * (1 - r.holds)
	} else {
		r.holds -= weight * r.holds
	}
}

// sure reports whether the server holds what requests ask for until they are over, and then gives back
// what they did not use: those that went for that were served.
func (r *refunds) sure() bool { return r.row >= 2 && r.words >= 4 && r.holds > 0.75 }

// none reports whether the server clearly gives nothing back.
func (r *refunds) none() bool { return r.n >= 16 && 2*min(r.atEnd, r.kept) < r.given }

// atEndOnly reports whether the server clearly charges when requests are over, and not before.
func (r *refunds) atEndOnly() bool { return r.n >= 16 && 2*r.atEnd < min(r.kept, r.given) }

// mayAskBack reports whether a request may go that lacks no more than may have
// come back, and no response is under way that would tell.
func (l *Limiter) mayAskBack(t time.Duration, d Demand) bool {
	lack := l.lackWithout(t, d)
	if l.unheard > 0 || l.refunds.hold != nil || lack > l.refunds.back || t < l.refunds.after {
		return false
	}
	if l.refunds.due > 0 && lack > l.refunds.due {
		return false
	}
	if r := &l.refunds; l.kept.sure() || r.none() && (l.level(t, false)-l.ended < l.minimum(d) || r.kept < 2*r.atEnd) {
		return false
	}
	at := l.reset
	switch {
	case l.rolls(false):
		at = l.spent.covers(l.at, lack, l.length)
	case l.refill.bucket || at <= t:
		at = l.later(t, false, lack)
	}
	worth := 5 * time.Second // of waiting a refusal
	if l.refunds.good {
		worth = time.Second
	}
	return max(l.closed, at) > t+worth || !l.refill.bucket && l.refunds.back > 2*lack
}

func (r *refunds) answered(h *Hold) {
	if r.hold == h {
		r.hold, r.after, r.wait, r.good = nil, 0, 0, true
		r.row++
	}
}

func (r *refunds) refused(t time.Duration, h *Hold) {
	if r.hold == h || h.onRefunds {
		r.row = 0
	}
	if r.hold == h {
		r.wait = min(max(2*r.wait, 5*time.Second), time.Hour)
		r.hold, r.after, r.back, r.due, r.good = nil, t+r.wait, 0, 0, false
	}
}

// underWay returns what requests asked for that have surely arrived, and are not over.
func (l *Limiter) underWay() (asked float64) {
	for _, h := range l.holds {
		if h.responding() {
			asked += h.admitted
		}
	}
	return asked
}
