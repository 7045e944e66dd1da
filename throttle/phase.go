package throttle

import "slices"

// A phase learns when a short window opens whose resets are told in steps that are long
// beside it. Each answer bounds an opening: by the reset that it tells, by the window's
// length, and by what is left, which rises from one answer to another only when the window
// opened between them. Under the hypothesis of a length and a rounding all these are bounds
// of the same moment, so many of them leave little doubt; a hypothesis that they contradict
// is dropped. Only what all that are left agree on is believed.
type phase struct {
	guesses []guess
	failed  int  // how often no guess was left
	seen    int  // openings that were explained
	sure    bool // when the window opens is known well
	opened  interval
	recent  [phaseRecent]sample
	next    int
}

// A guess is a hypothesis of how long the windows are and how their resets are rounded.
type guess struct {
	length   instant
	rounding int8 // below 0 down, above 0 up, 0 to nearest
	known    bool
	opens    interval // when some window opens
}

// A sample is an answer: when its request was sent and answered, and what was left.
type sample struct {
	sent, received instant
	remaining      int64
	answered       int64 // how many requests were before it was sent, and itself
}

const (
	phaseRecent = 8
	phaseNeeds  = 9  // openings to be explained, twice as many after each failure
	phaseFailed = 4  // failures until nothing is tried any more
	phaseSpread = 16 // openings for which requests are spread, to learn more
	phaseBeyond = 3  // so many eighths of a length are looked beyond it
	phaseSure   = 8  // this part of the length is known well enough
	phaseShort  = 2 * second
	phaseSteps  = 10 // of the notation, in the longest window
)

// phased reports whether there is something to learn from an answer.
func (w *window) phased(k *Limiter, now, step instant) bool {
	length := w.length.value
	if w.length.told && !w.sliding.excluded {
		return false // what is left of a weighed window rises before it opens
	}
	if !w.length.told {
		length = w.length.least - 2*step // as far as is known
	}
	return len(k.windows) == 1 && w.limit > 0 && w.units == nil && w.phase.failed < phaseFailed && !w.refills() && !w.contention.others(now) &&
		step >= second/2 && length <= phaseSteps*step
}

// start makes the guesses that there are.
func (p *phase) start(told, step instant) {
	p.guesses, p.seen, p.sure, p.opened, p.recent = p.guesses[:0], 0, false, interval{}, [phaseRecent]sample{}
	for _, usual := range usualLengths {
		length := instant(usual)
		if told > 0 && length != told || length > phaseSteps*step {
			continue
		}
		for rounding := int8(-1); rounding <= 1; rounding++ {
			p.guesses = append(p.guesses, guess{length: length, rounding: rounding})
		}
	}
	if len(p.guesses) == 0 {
		p.failed = phaseFailed
	}
}

// fail drops what was learned: no guess explains what is seen.
func (p *phase) fail(step, told instant) {
	p.failed++
	p.start(told, step)
}

// observe takes in an answer that told of a reset, in steps, and returns the reset as far as
// is known now.
func (p *phase) observe(k *Limiter, w *window, now instant, t *Reservation, reset interval, step instant, remaining int64, refused bool) interval {
	told := instant(0)
	if w.length.told {
		told = w.length.value
	}
	if len(p.guesses) == 0 {
		p.start(told, step)
	}
	s := sample{t.at, now, remaining, t.answered + t.cost}
	opening, opened := interval{}, false
	if !refused {
		var before int64
		if opening, before, opened = p.opening(s); opened && w.limit-remaining > k.sent-before {
			p.failed = phaseFailed // what came back was not all of it
			p.guesses, p.sure, p.seen = nil, false, 0
			return reset
		}
		p.recent[p.next] = s
		p.next = (p.next + 1) % phaseRecent
	}
	p.guesses = slices.DeleteFunc(p.guesses, func(g guess) bool { return told > 0 && g.length != told })
	for i := len(p.guesses) - 1; i >= 0; i-- {
		g := &p.guesses[i]
		bound, ok := g.bound(reset, s, step)
		if !ok || !g.narrow(bound) || opened && !g.narrow(opening) {
			p.guesses = slices.Delete(p.guesses, i, i+1)
		}
	}
	if len(p.guesses) == 0 || refused && remaining == 0 && p.settled() > 0 {
		p.fail(step, told)
		return reset
	}
	if opened && opening.earliest >= p.opened.latest {
		p.seen++
		p.opened = opening
	}
	if p.seen < phaseNeeds<<p.failed {
		return reset
	}
	return p.ends(reset, s, step)
}

// opening returns bounds between which the window opened, as an answer and one of the last
// show, and how many requests had surely been answered before it: two in one window never
// leave as much, nor does a later one leave more.
func (p *phase) opening(s sample) (best interval, before int64, found bool) {
	for _, o := range p.recent {
		if o.received == 0 || o.remaining != s.remaining && (o.remaining > s.remaining || o.received > s.sent) {
			continue
		}
		between := interval{min(o.sent, s.sent), max(o.received, s.received)}
		if !found || between.width() < best.width() {
			best, before, found = between, min(o.answered, s.answered), true
		}
	}
	return best, before, found
}

// bound returns when the window of an answer ends if the guess is right, and whether
// it may be.
func (g *guess) bound(reset interval, s sample, step instant) (interval, bool) {
	switch {
	case g.rounding < 0:
		reset.earliest += step
	case g.rounding > 0:
		reset.latest -= step
	default:
		reset.earliest, reset.latest = reset.earliest+step/2, reset.latest-step/2
	}
	reset.earliest, reset.latest = max(reset.earliest, s.sent+1), min(reset.latest, s.received+g.length)
	return reset, reset.width() >= 0
}

// narrow takes in bounds of an opening. It reports whether the guess may be right.
func (g *guess) narrow(bound interval) bool {
	if bound.width() >= g.length {
		return true
	}
	if !g.known {
		g.opens, g.known = bound, true
		return true
	}
	opens, one, some := g.at(bound)
	if one {
		g.opens = opens
	}
	return some
}

// at returns the opening that lies within bounds. It reports whether there is just one,
// and whether there is any.
func (g *guess) at(bound interval) (opens interval, one, some bool) {
	least := ceil(bound.earliest-g.opens.latest, g.length)
	most := -ceil(g.opens.earliest-bound.latest, g.length)
	opens = interval{g.opens.earliest + least*g.length, g.opens.latest + least*g.length}
	if least > most {
		return opens, false, false
	}
	return opens.intersect(bound), least == most, true
}

// ceil divides, and rounds up.
func ceil(a, b instant) instant {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// ends returns what all guesses agree on of when the window of an answer ends.
func (p *phase) ends(reset interval, s sample, step instant) interval {
	all := interval{never, -never}
	for i := range p.guesses {
		g := &p.guesses[i]
		bound, _ := g.bound(reset, s, step)
		if g.known {
			if opens, one, _ := g.at(bound); one {
				bound = opens
			}
		}
		all = interval{min(all.earliest, bound.earliest), max(all.latest, bound.latest)}
	}
	if !all.meets(reset) {
		return reset
	}
	all = all.intersect(reset)
	p.sure = p.settled() > 0 && all.width() <= p.settled()/phaseSure
	return all
}

// settled returns the length that all guesses share, if enough was seen; else 0.
func (p *phase) settled() instant {
	if len(p.guesses) == 0 || p.seen < phaseNeeds<<p.failed {
		return 0
	}
	for _, g := range p.guesses {
		if g.length != p.guesses[0].length {
			return 0
		}
	}
	return p.guesses[0].length
}

// spread returns the time between two requests of a window of which more is to be learned,
// or 0: over the shortest window that is possible, if that is very short, and every other
// time for a little longer, so that the last request shows whether it has opened.
func (p *phase) spread(limit int64) instant {
	if p.sure || len(p.guesses) == 0 || p.seen == 0 || p.seen >= phaseSpread || limit < 2 {
		return 0
	}
	shortest := p.shortest()
	if shortest > phaseShort {
		return 0
	}
	if p.seen%2 == 1 {
		shortest += shortest * phaseBeyond / 8
	}
	return shortest / instant(limit)
}

// shortest returns the least length that is possible.
func (p *phase) shortest() instant {
	shortest := never
	for _, g := range p.guesses {
		shortest = min(shortest, g.length)
	}
	return shortest
}

// patience returns when to probe at the latest a window that may be open at the given time,
// for all that one that weighs the last would not be: of so few requests no answer can tell
// the two apart.
func (p *phase) patience(w *window, at instant) instant {
	if w.limit > 2 || w.length.told || len(p.guesses) == 0 || at == never {
		return never
	}
	return at + p.shortest()
}
