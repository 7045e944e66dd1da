package phase

import (
	"math/bits"
	"slices"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// Steps learns how long windows are that follow each other, and when they begin, from nothing but their resets, which are
// told in steps that are long beside them. What remains it does not look at: where the window before counts too, that
// rises all the time. For each usual length and each rounding it keeps the parts of a length in which windows may begin, and
// drops those that a response contradicts. The zero value knows nothing.
type Steps struct {
	guesses []parts
	begun   bool
	failed  int           // how often no guess was left
	told    clock.Instant // the length of the window, or 0 if responses do not tell it
	step    clock.Instant // of the notation
	moment  clock.Instant // the reset that was told last as a moment, by the server's clock, or 0
	end     clock.Instant // the earliest end of the newest window
	seen    int           // windows that were explained
	was     clock.Instant // what Settled returned after the newest response
	settles bool          // and not before
	test    clock.Instant // how far into a length a request would tell most, or below 0 if none would
}

// A parts is a hypothesis of how long windows are and how their resets are rounded.
type parts struct {
	length   clock.Instant
	rounding int8   // as that of a guess
	open     uint64 // a bit for each part of the length in which they may begin
}

const (
	stepsParts = 64
	// stepsWell is in how many parts of a length windows may begin where that is known well, and stepsChance where windows
	// of it would explain by chance what longer ones explain.
	stepsWell, stepsChance = 4, 32
	// stepsLeast is how many steps a window has at least: resets of one that has but one tell the same whatever they mean.
	stepsLeast = 2
	// stepsTests is how many windows pass until no more is tried to find out.
	stepsTests = 48
	// stepsTries is how many times in a length are considered for a test.
	stepsTries = 16
	// stepsLate is the part of a length by which one may be late.
	stepsLate = 8
)

// Plausible reports whether resets may show a window of the given length, or of one that is not known if that is 0.
func (p *Steps) Plausible(length, step clock.Instant) bool {
	return p.failed < phaseFailed && step >= clock.Second/2 && (length == 0 || length >= stepsLeast*step && length <= phaseSteps*step)
}

// Observe takes in a reset that a response told, and returns it as far as it is known now.
func (p *Steps) Observe(reset clock.Interval, s *Response) clock.Interval {
	if !p.begun || p.told != s.Told {
		p.start(s)
	}
	changed := false
	p.guesses = slices.DeleteFunc(p.guesses, func(g parts) bool { return p.apart(&g, s) })
	for i := len(p.guesses) - 1; i >= 0; i-- {
		g := &p.guesses[i]
		was := g.open
		if bound, ok := g.bound(reset, s); ok {
			g.open &= g.within(bound)
		} else {
			g.open = 0
		}
		changed = changed || g.open != was
		if g.open == 0 {
			p.guesses = slices.Delete(p.guesses, i, i+1)
		}
	}
	p.moment = s.Moment
	if len(p.guesses) == 0 {
		p.failed++
		p.start(s)
		return reset
	}
	return p.narrow(reset, s, changed)
}

// start makes the guesses that there are.
func (p *Steps) start(s *Response) {
	*p = Steps{begun: true, failed: p.failed, told: s.Told, step: s.Step, test: -1}
	for _, g := range guesses(s.Told, s.Step) {
		if !g.first {
			p.guesses = append(p.guesses, parts{g.length, g.rounding, ^uint64(0)})
		}
	}
	if len(p.guesses) == 0 {
		p.failed = phaseFailed
	}
}

// apart reports whether the moments that two responses told are not whole lengths apart, however they are rounded.
func (p *Steps) apart(g *parts, s *Response) bool {
	if p.moment == 0 || s.Moment == 0 {
		return false
	}
	rest := max(s.Moment-p.moment, p.moment-s.Moment) % g.length
	return rest >= s.Step && g.length-rest >= s.Step
}

// narrow returns the reset as it is known after a response.
func (p *Steps) narrow(reset clock.Interval, s *Response, changed bool) clock.Interval {
	length := p.Length()
	ends := clock.Between(clock.Never, -clock.Never)
	for i := range p.guesses {
		if g := &p.guesses[i]; g.length == length {
			bound, _ := g.bound(reset, s)
			bound = g.opens(bound)
			ends = clock.Between(min(ends.Earliest, bound.Earliest), max(ends.Latest, bound.Latest))
		}
	}
	if ends.Earliest >= p.end+length/2 || p.seen == 0 {
		p.end = ends.Earliest
		p.seen++
	}
	if changed {
		p.test = p.best(length, reset, s)
	}
	settled := p.Settled()
	p.settles, p.was = settled > 0 && settled != p.was, settled
	if settled == 0 || !ends.Meets(reset) {
		return reset
	}
	return ends.Intersect(reset)
}

// Length returns the longest length that explains the resets, or 0.
func (p *Steps) Length() (length clock.Instant) {
	for i := range p.guesses {
		length = max(length, p.guesses[i].length)
	}
	return length
}

// Settled returns that length if enough was seen; else 0. A part of the length may explain the resets as well if windows
// begin with a second of the server's clock, but no other length.
func (p *Steps) Settled() clock.Instant {
	length := p.Length()
	if p.seen < phaseNeeds<<p.failed || length < stepsLeast*p.step {
		return 0
	}
	for i := range p.guesses {
		if g := &p.guesses[i]; g.length != length && (length%g.length != 0 || bits.OnesCount64(g.open) > stepsChance) {
			return 0
		}
	}
	return length
}

// Settles reports whether it is the newest response that settled the length.
func (p *Steps) Settles() bool { return p.settles }

// Test returns when a request should arrive that tells most of when windows begin, or 0 if that is known well, or not tried
// any longer.
func (p *Steps) Test(now clock.Instant) clock.Instant {
	length := p.Length()
	if !p.begun || length < stepsLeast*p.step || length > phaseShort || p.test < 0 || p.seen >= stepsTests {
		return 0
	}
	// One that is late, because the computer was busy, tells as much.
	return p.test + max(ceil(now-length/stepsLate-p.test, length), 0)*length
}

// best returns how far into a length a request would tell most, or -1 if it is known well when windows begin: most parts
// are then left out, whatever the response tells.
func (p *Steps) best(length clock.Instant, reset clock.Interval, s *Response) (best clock.Instant) {
	var all uint64
	for i := range p.guesses {
		if g := &p.guesses[i]; g.length == length {
			all |= g.open
		}
	}
	if bits.OnesCount64(all) <= stepsWell || all == ^uint64(0) {
		return -1
	}
	best = -1
	most := 0
	for i := range clock.Instant(stepsTries) {
		at := s.Received/length*length + i*length/stepsTries
		groups, sum, largest := map[clock.Instant]int{}, 0, 0
		for j := range p.guesses {
			if g := &p.guesses[j]; g.length == length {
				sum += g.tell(at, reset, s, groups)
			}
		}
		for _, n := range groups {
			largest = max(largest, n)
		}
		if sum-largest > most {
			best, most = at%length, sum-largest
		}
	}
	return best
}

// tell counts, by what a response would tell to a request that arrives at the given time, the parts in which windows may begin.
func (g *parts) tell(at clock.Instant, reset clock.Interval, s *Response, groups map[clock.Instant]int) (sum int) {
	wide := g.length / stepsParts
	for part := range clock.Instant(stepsParts) {
		if g.open&(1<<part) == 0 {
			continue
		}
		sum++
		begins := part*wide + wide/2
		end := begins + (at-begins)/g.length*g.length
		for end <= at {
			end += g.length
		}
		from := at
		if s.Moment > 0 {
			from = (reset.Earliest + reset.Latest) / 2 // a whole step
		}
		past := end - from + 1000*s.Step
		switch {
		case g.rounding > 0:
			past += s.Step - 1
		case g.rounding == 0:
			past += s.Step / 2
		}
		groups[past/s.Step]++
	}
	return sum
}

// bound returns when the window of a response ends if the guess is right, and whether it may be.
func (g *parts) bound(reset clock.Interval, s *Response) (clock.Interval, bool) {
	as := guess{length: g.length, rounding: g.rounding}
	return as.bound(reset, s.Sample, s.Step)
}

// within returns the parts that meet an interval.
func (g *parts) within(bound clock.Interval) (mask uint64) {
	wide := g.length / stepsParts
	if bound.Width() >= g.length-2*wide {
		return ^uint64(0)
	}
	first, last := floor(bound.Earliest, wide), floor(bound.Latest, wide)
	for i := first; i <= last; i++ {
		mask |= 1 << uint(((i%stepsParts)+stepsParts)%stepsParts)
	}
	return mask
}

// opens returns when windows begin, as far as the interval goes.
func (g *parts) opens(bound clock.Interval) clock.Interval {
	wide := g.length / stepsParts
	first, last := floor(bound.Earliest, wide), floor(bound.Latest, wide)
	open := func(i clock.Instant) bool { return g.open&(1<<uint(((i%stepsParts)+stepsParts)%stepsParts)) != 0 }
	for first < last && !open(first) {
		first++
	}
	for last > first && !open(last) {
		last--
	}
	return clock.Between(first*wide, (last+1)*wide).Intersect(bound)
}

// floor divides, and rounds down.
func floor(a, b clock.Instant) clock.Instant { return -ceil(-a, b) }
