package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An exploration tests whether a counter that is used up is shared. What remains does not tell that while no request
// is served: only one of another group does that goes nevertheless. If it is served, they are counted apart. A counter
// of one request is used up by each; another may have been before the program began.
type exploration struct {
	one   bool      // the only counter that responses tell allows one request at a time
	spent spent     // what is used up for long
	sent  time.Time // until when a test is waited for
	tests [levels]tests
}

// tests are those of a level.
type tests struct {
	next   time.Time     // when the next may go
	pause  time.Duration // after one that was refused
	served int           // in a row
}

const (
	exploreFirst = time.Minute // the pause after the first test of a counter of one that is refused, and then twice as long
	exploreLast  = time.Hour
	// explorePatience is how long a test is waited for.
	explorePatience = 5 * time.Second
)

// MayTest reports whether there is something to test.
func (c *Counters) MayTest(now time.Time) bool {
	return c.explored.one || now.Before(c.explored.spent.till)
}

// Test returns when a request that has to wait for a counter of its bucket until at, or for a refusal, may go as a test, and
// of which level; ByBucket if it may not.
func (c *Counters) Test(now, at time.Time, refused bool, g *Groups) (due time.Time, level Level) {
	x, of := &c.explored, c.Level()
	waits := c.series[of][g[of]]
	switch {
	case x.one && of != ByBucket:
	case x.one:
		all, of := c.series[ByBucket][g[ByBucket]], c.series[ByPath][g[ByPath]]
		rests := of == nil || of.sent == of.answered && !now.Before(of.last.end)
		if !refused && all != nil && now.Before(all.last.end) && !now.Before(x.tests[ByPath].next) && rests {
			return now, ByPath
		}
	case !waits.used(now.Add(spentLong)):
	case waits.spent.till.Add(sameEnd + waits.spent.till.Sub(now)/4).Before(at): // something else makes it wait
	default:
		s := waits.spent
		for l := of + 1; l < levels; l++ {
			if !c.tries(now, l, s, g) {
				continue
			}
			if next := c.due(now, l, c.series[l][g[l]]); s.till.Sub(next) >= spentLong && (level == ByBucket || c.better(l, next, level, due)) {
				due, level = next, l
			}
		}
		if level != ByBucket {
			return due, level
		}
	}
	return now, ByBucket
}

// tries reports whether a request says something of a level in a test of a counter that is used up.
func (c *Counters) tries(now time.Time, l Level, s *spent, g *Groups) bool {
	of := c.series[l][g[l]]
	switch {
	case g[l] == s.by[l] || of != nil && of.sent > of.answered:
		return false
	case c.Level() != ByBucket && c.fleeting(l): // what is apart needs no test of what is always new
		return false
	}
	return of.leaves(now, s.since) || !c.shared(l, s, g)
}

// due returns when the next test of a level may go by a request of a group.
func (c *Counters) due(now time.Time, l Level, of *series) time.Time {
	due := latest(now, c.explored.sent)
	if !of.leaves(now, time.Time{}) {
		due = latest(due, c.explored.tests[l].next)
	}
	if of.used(due) {
		due = of.spent.till
	}
	return due
}

// better reports whether a test of level l that is due at a time is better than that of a coarser one.
func (c *Counters) better(l Level, at time.Time, than Level, due time.Time) bool {
	return at.Before(due) || at.Equal(due) && c.tells(l, than)
}

// Levels are some of them.
type Levels uint8

func (l Levels) has(of Level) bool { return l&(1<<of) != 0 }

// differs returns the levels at which a request is of another group than those that said that nothing is left.
func (c *Counters) differs(now time.Time, g *Groups) (at Levels) {
	waits := c.series[c.Level()][g[c.Level()]]
	for l := c.Level() + 1; l < levels; l++ {
		if waits.used(now) && g[l] != waits.spent.by[l] && !c.series[l][g[l]].used(now) {
			at |= 1 << l
		}
	}
	return at
}

// Explore notes that a request goes as a test, and returns the levels that it tests.
func (c *Counters) Explore(now time.Time, g *Groups) Levels {
	c.explored.sent = now.Add(explorePatience)
	if c.explored.one {
		return 1 << ByPath
	}
	return c.differs(now, g)
}

// Explored takes in what became of a test of some levels by a request. It says something of each of them.
func (c *Counters) Explored(now time.Time, tested Levels, g *Groups, r *header.Reading) {
	x, of := &c.explored, c.Level()
	waits := c.series[of][g[of]]
	x.sent = now
	refused := r.Refused || r.Exhausted() || waits.used(now) && !waits.spent.contradicts(now, r)
	divides := of
	for l := of + 1; l < levels; l++ {
		t := &x.tests[l]
		switch {
		case !tested.has(l):
		case x.one && r.Refused:
			t.pause = min(max(2*t.pause, exploreFirst), exploreLast)
			t.next = now.Add(t.pause)
		case x.one:
		case r.Overloaded():
			x.sent = now.Add(explorePatience)
		case refused:
			c.of(l, g[l]).last = count{}
			c.fail(now, l)
		default:
			t.next = now
			if t.served++; t.served >= spentServed && (divides == of || c.tells(l, divides)) {
				divides = l
			}
		}
	}
	if divides != of {
		c.divide(divides)
	}
}

// fail notes that a test of a level failed.
func (c *Counters) fail(now time.Time, l Level) {
	t := &c.explored.tests[l]
	t.served, t.pause = 0, min(max(spentLater*t.pause, spentFirst), spentLast)
	t.next = now.Add(t.pause)
}

// divide has the groups of a level counted apart in the window that is used up, for as long as it is.
func (c *Counters) divide(l Level) {
	c.explored.forget()
	of := c
	if b := c.beside; b != nil && b.name == c.explored.spent.window {
		of = b
	}
	of.level, of.fits, of.kept = l, [levels]fit{}, c.explored.spent.till
}

// forget forgets which tests were served.
func (x *exploration) forget() {
	for l := range x.tests {
		x.tests[l].served = 0
	}
}
