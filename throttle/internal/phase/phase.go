// Package phase finds out when a short window opens whose resets are told in long steps. It
// imports nothing of this module but package clock.
package phase

import (
	"slices"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// An Estimator learns when a short window opens whose resets are told in steps that are long
// beside it. Each answer bounds an opening: by the reset that it tells, by the window's
// length, and by what is left, which rises from one answer to another only when the window
// opened between them. Under the hypothesis of a length and a rounding all these are bounds
// of the same moment, so many of them leave little doubt; a hypothesis that they contradict
// is dropped. Only what all that are left agree on is believed.
type Estimator struct {
	guesses []guess
	failed  int  // how often no guess was left
	seen    int  // openings that were explained
	sure    bool // when the window opens is known well
	opened  clock.Interval
	recent  [phaseRecent]Sample
	next    int
	last    Sample         // the newest whose window is known to have ended
	ended   clock.Interval // between these bounds
}

// A Sample says when a request was sent and answered, and what was left.
type Sample struct {
	Sent, Received clock.Instant
	Remaining      int64
	Answered       int64 // how many requests were before it was sent, and itself
}

// A Response is one that tells of a reset in steps.
type Response struct {
	Sample
	Limit    int64
	Numbered int64         // requests sent by now
	Told     clock.Instant // the length of the window, or 0 if the server did not tell it
	Step     clock.Instant // of the notation of the reset
	Moment   clock.Instant // the reset by the server's clock, if it is told as a moment; else 0
	Refused  bool
}

const (
	phaseRecent = 8
	phaseNeeds  = 14 // openings to be explained, twice as many after each failure
	phaseFailed = 4  // failures until nothing more is tried
	phaseSpread = 16 // openings for which requests are spread, to learn more
	phaseBeyond = 3  // so many eighths of a length are looked beyond it
	phaseSure   = 8  // this part of the length is known well enough
	phaseShort  = 2 * clock.Second
	phaseSteps  = 10 // of the notation, in the longest window
)

// Plausible reports whether a window of the given length may be one whose phase shows: the
// resets are told in long steps.
func (p *Estimator) Plausible(length, step clock.Instant) bool {
	return p.failed < phaseFailed && step >= clock.Second/2 && length <= phaseSteps*step
}

// Failed reports whether nothing explains the responses.
func (p *Estimator) Failed() bool { return p.failed >= phaseFailed }

// start makes the guesses that there are.
func (p *Estimator) start(told, step clock.Instant) {
	p.seen, p.sure, p.opened, p.recent, p.last = 0, false, clock.Interval{}, [phaseRecent]Sample{}, Sample{}
	p.guesses = guesses(told, step)
	if len(p.guesses) == 0 {
		p.failed = phaseFailed
	}
}

// guesses returns those that there are of a window of the length that is told, or of any if that is 0.
func guesses(told, step clock.Instant) (all []guess) {
	for _, usual := range clock.UsualLengths {
		length := clock.Instant(usual)
		if told > 0 && length != told || length > phaseSteps*step {
			continue
		}
		for rounding := int8(-1); rounding <= 1; rounding++ {
			all = append(all, guess{length: length, rounding: rounding}, guess{length: length, rounding: rounding, first: true})
		}
	}
	return all
}

// fail drops what was learned: no guess explains what is seen.
func (p *Estimator) fail(step, told clock.Instant) {
	p.failed++
	p.start(told, step)
}

// Observe takes in a response and the reset that it told, and returns the reset as far as
// is known now.
func (p *Estimator) Observe(reset clock.Interval, s *Response) clock.Interval {
	told, step := s.Told, s.Step
	if len(p.guesses) == 0 {
		p.start(told, step)
	}
	opening, opened := clock.Interval{}, false
	if !s.Refused {
		var before int64
		if opening, before, opened = p.opening(s.Sample); opened && s.Limit-s.Remaining > s.Numbered-before {
			p.failed = phaseFailed // what came back was not all of it
			p.guesses, p.sure, p.seen = nil, false, 0
			return reset
		}
		p.recent[p.next] = s.Sample
		p.next = (p.next + 1) % phaseRecent
	}
	p.guesses = slices.DeleteFunc(p.guesses, func(g guess) bool { return told > 0 && g.length != told })
	for i := len(p.guesses) - 1; i >= 0; i-- {
		g := &p.guesses[i]
		bound, ok := g.bound(reset, s.Sample, step)
		if ok && g.first {
			ok = g.follow(bound, s)
		} else if ok {
			ok = g.narrow(bound) && (!opened || g.narrow(opening))
		}
		if !ok {
			p.guesses = slices.Delete(p.guesses, i, i+1)
		}
	}
	if len(p.guesses) == 0 || s.Refused && s.Remaining == 0 && p.Settled() > 0 {
		p.fail(step, told)
		return reset
	}
	if opened && opening.Earliest >= p.opened.Latest {
		p.seen++
		p.opened = opening
	}
	if p.seen < phaseNeeds<<p.failed {
		return reset
	}
	return p.continued(p.ends(reset, s.Sample, step), s)
}

// continued intersects the bounds of the end of a window with those of the last, if it is the same one: had it
// opened since, no more than were sent since would be spent. A request near the end of a window would else
// seem to belong to either.
func (p *Estimator) continued(ends clock.Interval, s *Response) clock.Interval {
	if p.last.Received > 0 && s.Limit-s.Remaining > s.Numbered-p.last.Answered && ends.Meets(p.ended) {
		ends = ends.Intersect(p.ended)
	}
	if s.Received >= p.last.Received {
		p.last, p.ended = s.Sample, ends
	}
	return ends
}

// opening returns bounds between which the window opened, as an answer and one of the last
// show, and how many requests had surely been answered before it: two in one window never
// leave as much, nor does a later one leave more.
func (p *Estimator) opening(s Sample) (best clock.Interval, before int64, found bool) {
	for _, o := range p.recent {
		if o.Received == 0 || o.Remaining != s.Remaining && (o.Remaining > s.Remaining || o.Received > s.Sent) {
			continue
		}
		between := clock.Between(min(o.Sent, s.Sent), max(o.Received, s.Received))
		if !found || between.Width() < best.Width() {
			best, before, found = between, min(o.Answered, s.Answered), true
		}
	}
	return best, before, found
}

// ends returns what all guesses agree on of when the window of an answer ends.
func (p *Estimator) ends(reset clock.Interval, s Sample, step clock.Instant) clock.Interval {
	all := clock.Between(clock.Never, -clock.Never)
	first := p.firsts()
	for i := range p.guesses {
		g := &p.guesses[i]
		if g.first != first {
			continue
		}
		bound, _ := g.bound(reset, s, step)
		switch opens, one, _ := g.at(bound); {
		case !g.known:
		case !g.first && one:
			bound = opens
		case g.first && bound.Meets(g.ends()):
			bound = bound.Intersect(g.ends())
		}
		all = clock.Between(min(all.Earliest, bound.Earliest), max(all.Latest, bound.Latest))
	}
	if !all.Meets(reset) {
		return reset
	}
	all = all.Intersect(reset)
	p.sure = p.Settled() > 0 && all.Width() <= p.Settled()/phaseSure
	return all
}

// firsts reports whether it is believed that windows begin with a request. Where they do,
// guesses that they do not are soon contradicted, so it is only when none of these is left.
func (p *Estimator) firsts() bool {
	for i := range p.guesses {
		if !p.guesses[i].first {
			return false
		}
	}
	return true
}

// Settled returns the length that all guesses share, if enough was seen; else 0.
func (p *Estimator) Settled() (length clock.Instant) {
	if p.seen < phaseNeeds<<p.failed {
		return 0
	}
	first := p.firsts()
	for i := range p.guesses {
		switch g := &p.guesses[i]; {
		case g.first != first:
		case length > 0 && g.length != length:
			return 0
		default:
			length = g.length
		}
	}
	return length
}

// Spread returns the time between two requests of a window of which more is to be learned,
// or 0: over the shortest window that is possible, if that is very short, and every other
// time for a little longer, so that the last request shows whether it has opened.
func (p *Estimator) Spread(limit int64) clock.Instant {
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
	return shortest / clock.Instant(limit)
}

// shortest returns the least length that is possible.
func (p *Estimator) shortest() clock.Instant {
	shortest := clock.Never
	first := p.firsts()
	for i := range p.guesses {
		if g := &p.guesses[i]; g.first == first {
			shortest = min(shortest, g.length)
		}
	}
	return shortest
}

// Patience returns when to probe at the latest a window that may be open at the given time,
// for all that one that weighs the last would not be: of so few requests no answer can tell
// the two apart.
func (p *Estimator) Patience(limit int64, told bool, at clock.Instant) clock.Instant {
	switch {
	case limit > 2 || told || at == clock.Never:
		return clock.Never
	case len(p.guesses) == 0:
		return at
	}
	return at + p.shortest()
}
