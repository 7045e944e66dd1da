package fleet

// A phase is when a fixed window opens, as far as probes showed it: between lo and hi, and
// then once in each period. Openings narrow it, however roughly resets are told, and contradict
// each other where windows open at moments of their own. Resets that are told do so sooner: those of a
// window of 1.01 seconds come a hundredth later each time.
type phase struct {
	period, lo, hi int64
	due            int64 // by when it opened, as resets say that were told
	at             int64 // of the last opening that agrees
	turns          int64 // openings in turn that agree,
	failed         int64 // and how often they did not
	odd            bool  // the last ones did not
}

const (
	phaseTurns = 3
	phaseSlack = 10 // ms; clocks are no better
	phaseFails = 10
)

// periods are those that fixed windows have, in milliseconds.
var periods = [...]int64{1000, 2000, 5000, 10000, 15000, 20000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 86400000}

// periodOf returns the period of windows to whose reset a time remains at the longest.
func periodOf(length int64) int64 {
	for _, p := range periods {
		if 8*length <= 9*p {
			return p
		}
	}
	return 0
}

// opened takes in that the window opened once between two moments; due is by when it should have, as a reset said, or
// to if none did.
func (p *phase) opened(from, due, to, length int64) {
	period := periodOf(length)
	if from > to || period == 0 {
		return
	}
	if period == p.period && to >= p.lo {
		later := (to - p.lo) / period * period
		p.lo, p.hi, p.due = p.lo+later, p.hi+later, p.due+later
		switch {
		case to-from >= period, p.hi-period >= from: // it is not known which one it was
			if to-from < p.hi-p.lo {
				p.lo, p.hi, p.due = from, to, due
			}
			return
		case p.hi+phaseSlack >= from && (due >= to || p.due+phaseSlack >= from):
			p.lo, p.hi, p.turns, p.odd = max(p.lo, from), min(p.hi, to), p.turns+1, false
			p.lo, p.at = min(p.lo, p.hi), to
			p.due = min(p.due, due)
			return
		}
	}
	p.fail()
	p.odd = p.period == period
	p.period, p.lo, p.hi, p.due, p.at = period, from, to, due, to
}

// fail notes that what was believed is wrong: the next time it takes four times as many openings.
func (p *phase) fail() {
	if p.turns >= phaseTurns {
		p.failed = min(p.failed+1, phaseFails)
	}
	p.turns, p.odd = 0, true
}

// known reports whether enough openings agree, and tell well enough when the next one is.
func (p *phase) known() bool {
	return p.turns >= phaseTurns<<(2*p.failed) && 2*(p.hi-p.lo) <= p.period
}

// likely reports whether fewer openings agree, as far as known or not. While the store is
// away that is better than nothing, as what the server says remains is heeded as well.
func (p *phase) likely() bool {
	return p.turns >= 1<<(2*p.failed) && p.hi-p.lo < p.period
}

// next returns when the window opens next, at the latest.
func (p *phase) next(now int64) int64 {
	if now < p.hi {
		return p.hi
	}
	return p.hi + (now-p.hi)/p.period*p.period + p.period
}
