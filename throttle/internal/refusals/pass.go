package refusals

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A server that admits so many requests a second counts them in windows that requests reach
// sooner or later than planned, so that even at the right pace a few are refused. To go so
// slowly that none is would leave much of a short window unused. Where the pace is known, a
// refusal is passed over: only the refused request waits, and the pace falls a little, by
// so much more than it rises with each request that a small share is refused. A wait of a
// second, which servers round up to, says no more than that it is soon.
const (
	passWait  = clock.Second
	passShare = 0.01 // of the requests at such a pace are refused
	passRate  = 2.   // a second is the least pace of a short window
	passAfter = 16   // requests were admitted since the server opened
	passMost  = 4.   // refusals together say that the pace is far too high,
	passFloor = 0.9  // of the highest pace; below it refusals have another reason
	passEnds  = 0.1  // of which each answer takes so much back
	passSinks = 0.75 // of the highest of all, below which a limit would refuse nothing
	passOften = 25   // one refused of so many, or fewer, is more than a limit refuses,
	passMany  = 16   // where so many were, and twice as many after each doubt in vain
)

// A passes counts the refusals that were passed over.
type passes struct {
	together float64
	highest  float64 // the highest pace at which one was
	dense    bool    // the last refusal was not passed over, because too many came before it
	top      float64 // the highest of all, since the pace was doubted
	count    outcomes
}

// outcomes are of the requests since the pace was learned.
type outcomes struct{ served, refused int64 }

// often reports whether more are refused than a limit does of requests at its pace.
func (o *outcomes) often(patience int) bool {
	return o.refused >= passMany<<min(patience, 6) && o.refused*passOften >= o.served+o.refused
}

// pass takes in the refusal of t. It reports whether it is one of the few at a known pace: then
// it teaches nothing else, and the key stays open. share is how many are refused of late. l may be nil.
func (l *limits) pass(t *Request, wait clock.Instant, share float64) bool {
	if l == nil || l.doubt.raised || l.span.limit > 0 || l.event.under || wait > passWait {
		return false
	}
	p := &l.pace
	if !p.sure || p.rate < passRate || l.log.After(l.opened) < p.enough() {
		return false
	}
	now := p.now()
	l.passes.count.refused++
	if l.passes.count.often(l.doubt.patience) {
		l.log.Remove(t.At, t.Cost)
		l.passes = passes{}
		l.suspend(share)
		return true
	}
	l.passes.together++
	l.passes.highest = max(l.passes.highest, now)
	if l.passes.together > passMost || now < passFloor*l.passes.highest {
		l.passes = passes{top: l.passes.top, dense: true, count: l.passes.count}
		return false
	}
	l.log.Remove(t.At, t.Cost)
	if !p.guess {
		l.passes.top = max(l.passes.top, now)
	}
	if now < passSinks*l.passes.top {
		l.passes = passes{}
		l.suspend(share)
		return true
	}
	p.pass(now, l.passes.together > 1)
	return true
}

// enough returns how many requests have to be admitted after an opening for a refusal to be passed over.
func (p *inferredRate) enough() int64 {
	if p.count > 0 {
		return min(p.count, passAfter)
	}
	return passAfter
}

// pass goes on a little slower than now, by less with each refusal, unless it came soon after another one.
func (p *inferredRate) pass(now float64, again bool) {
	if !again {
		p.period *= 2
	}
	p.period = min(p.period, paceLatest)
	rise := paceRise * math.Ln2 / p.period // with each request
	p.rate, p.proven = now*(1-rise/passShare), 0
}

// served takes in an answer that is no refusal.
func (p *passes) served(n int64) {
	p.together = max(0, p.together-passEnds*float64(n))
	p.count.served += n
}
