package sharing

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An exploration tests whether a counter that is used up is shared. What remains does not tell that while no request
// is served: only one of another group does that goes nevertheless. If it is served, they are counted apart. A counter
// of one request is used up by each; another may have been before the program began.
type exploration struct {
	one   bool          // the only counter that responses tell allows one request at a time
	spent spent         // what is used up for long
	sent  time.Time     // until when a test is waited for
	next  time.Time     // when the next test may go
	pause time.Duration // after a test that was refused
}

const (
	exploreFirst = time.Minute // the pause after the first test of a counter of one that is refused, and then twice as long
	exploreLast  = time.Hour
	// explorePatience is how long a test is waited for.
	explorePatience = 5 * time.Second
)

// A spent counter is one that a response says is used up for long.
type spent struct {
	by         Groups // those of the request that was answered so
	from, till time.Time
	window     string // its name
	served     int    // tests in a row that were
}

const (
	// spentLong is how long a counter has to be used up for the first test: shorter windows show soon who shares them.
	spentLong = 90 * time.Second
	// spentFirst is the pause after the first test of a spent counter that is refused, and then spentLater times as
	// long, up to spentLast.
	spentFirst = 15 * time.Second
	spentLater = 4
	spentLast  = 24 * time.Hour
	// spentServed is how many tests in a row have to be served.
	spentServed = 2
	// sharedSure is how many responses after those of other groups one counter of all has to explain.
	sharedSure = 2
)

// Spend takes in that a response to a request says that a counter is used up for long.
func (c *Counters) Spend(now time.Time, g *Groups, r *header.Reading) {
	if r.Stale || !r.Exhausted() {
		return
	}
	s := spent{by: *g, from: now}
	for i := range r.Windows {
		w := &r.Windows[i]
		if !w.Exhausted() || w.Unit != "" && w.Unit != "requests" {
			continue
		}
		end := now.Add(max(w.Length, r.Wait.Delay)) // at the latest
		if w.Reset.Known() {
			end = now.Add(w.Reset.Delay(c.clock.at(now)))
		}
		if end.After(s.till) {
			s.till, s.window = end, w.Name
		}
	}
	if s.till.Before(now.Add(spentLong)) {
		return
	}
	for l, id := range g {
		c.of(Level(l), id).spent = s.till
	}
	s.window = strings.Clone(s.window)
	if before := &c.explored.spent; s.window == before.window {
		s.served = before.served
	}
	c.explored.spent = s
}

// MayTest reports whether there is something to test.
func (c *Counters) MayTest(now time.Time) bool {
	return c.explored.one || now.Before(c.explored.spent.till)
}

// Test returns when a request that has to wait for a counter of its bucket until at, or for a refusal, may go as a test, and
// of which level; ByBucket if it may not.
func (c *Counters) Test(now, at time.Time, refused bool, g *Groups) (due time.Time, level Level) {
	x := &c.explored
	switch s := &x.spent; {
	case c.Level() != ByBucket:
	case x.one:
		all, of := c.series[ByBucket][g[ByBucket]], c.series[ByPath][g[ByPath]]
		if !refused && all != nil && now.Before(all.last.end) && !now.Before(x.next) && (of == nil || of.sent == of.answered && !now.Before(of.last.end)) {
			return now, ByPath
		}
	case s.till.Add(sameEnd + s.till.Sub(now)/4).Before(at): // something else makes it wait
	default:
		level = s.differs(g)
		of, next := c.series[level][g[level]], x.next
		if of != nil && of.last.left > 0 && now.Before(of.last.end) { // its own counter said so
			next = x.sent
		}
		due = latest(now, next)
		if of != nil {
			due = latest(due, of.spent)
		}
		if s.till.Sub(due) < spentLong || c.shared(level) || of != nil && of.sent > of.answered {
			level = ByBucket
		}
		return due, level
	}
	return now, ByBucket
}

// differs returns the coarsest level at which a request is of another group than the one that was answered; ByBucket if
// there is none.
func (s *spent) differs(g *Groups) Level {
	for l := ByRoute; l < levels; l++ {
		if g[l] != s.by[l] {
			return l
		}
	}
	return ByBucket
}

// compare notes whether one counter of all explains what a response says, by what it explained before, where the newest
// response known before was another group's.
func (c *Counters) compare(before fit, g, by *Groups) {
	if by[ByRoute] == 0 {
		return // there was none
	}
	for l := ByRoute; l < levels; l++ {
		if x := &c.cross[l]; g[l] != by[l] {
			x.good += c.fits[ByBucket].good - before.good
			if x.bad += c.fits[ByBucket].bad - before.bad; x.good+x.bad > fitsKept {
				x.good, x.bad = x.good/2, x.bad/2
			}
		}
	}
}

// shared reports whether what was seen shows that the groups of a level share their counter.
func (c *Counters) shared(l Level) bool {
	for ; c != nil; c = c.beside {
		if x := c.cross[l]; x.good >= max(sharedSure, 4*x.bad) {
			return true
		}
	}
	return false
}

// Explore notes that a test goes.
func (c *Counters) Explore(now time.Time) {
	x := &c.explored
	x.sent = now.Add(explorePatience)
	x.next = latest(x.next, x.sent)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Explored takes in what became of a test of a level by a request.
func (c *Counters) Explored(now time.Time, l Level, g *Groups, r *header.Reading) {
	x := &c.explored
	x.sent, x.next = now, now
	switch s := &x.spent; {
	case x.one && r.Refused:
		x.pause = min(max(2*x.pause, exploreFirst), exploreLast)
		x.next = now.Add(x.pause)
	case x.one || c.Level() != ByBucket:
	case r.Overloaded():
		x.sent = now.Add(explorePatience)
		x.next = x.sent
	case r.Refused || r.Exhausted() || !s.contradicts(now, r):
		s.served = 0
		c.of(l, g[l]).last = count{}
		x.pause = min(max(spentLater*x.pause, spentFirst), spentLast)
		x.next = now.Add(x.pause)
	default:
		if s.served++; s.served >= spentServed {
			c.divide(l)
		}
	}
}

// contradicts reports whether more is left of a counter that was used up than can have come back.
func (s *spent) contradicts(now time.Time, r *header.Reading) bool {
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Remaining.Known() && (w.Name == s.window || len(r.Windows) == 1) {
			back := now.Sub(s.from).Seconds() / s.till.Sub(s.from).Seconds() * w.Limit.Value
			return w.Remaining.Value > 2*back
		}
	}
	return true
}

// divide has the groups of a level counted apart in the window that is used up.
func (c *Counters) divide(l Level) {
	if b := c.beside; b != nil && b.name == c.explored.spent.window {
		b.level, b.fits = l, [levels]fit{}
		return
	}
	c.level, c.fits = l, [levels]fit{}
}
