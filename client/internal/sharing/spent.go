package sharing

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A spent counter is one that a response says is used up for long.
type spent struct {
	by         Groups    // those of the request that was answered so
	since      time.Time // the first response that said so
	from, till time.Time
	window     string // its name
	other      bool   // more was left than was sent since, so that it is not the only counter
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
	s := spent{by: *g, since: now, from: now}
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
	if !s.till.Before(now.Add(spentLong)) {
		c.spend(now, &s)
	}
}

// spend notes that a counter is used up.
func (c *Counters) spend(now time.Time, s *spent) {
	s.window = strings.Clone(s.window)
	before := &c.explored.spent
	s.other = s.window == before.window && before.other && now.Before(before.till) || c.leaves(now, s.window)
	if s.window != before.window {
		c.explored.forget()
	} else if s.till.Sub(before.till).Abs() <= sameEnd {
		s.since = before.since
	}
	c.explored.spent = *s
	for l, id := range s.by {
		c.of(Level(l), id).spent = s
	}
}

// leaves reports whether the newest response to a group says that something is left, and its request was sent since.
func (s *series) leaves(now, since time.Time) bool {
	return s != nil && s.last.left > 0 && now.Before(s.last.end) && s.last.sent.After(since)
}

// used reports whether a series is used up for long at a time.
func (s *series) used(at time.Time) bool {
	return s != nil && s.spent != nil && at.Before(s.spent.till)
}

// leaves reports whether the newest response before said that more is left than was sent since.
func (c *Counters) leaves(now time.Time, window string) bool {
	if c.beside != nil && window != c.name {
		c = c.beside
	}
	of := c.series[ByBucket][0]
	return of != nil && now.Before(of.last.end) && of.last.left > of.sent-of.last.answered
}

// compare notes whether one counter of all explains what a response says, by what it explained before, where the newest
// response known before was another group's.
func (c *Counters) compare(before fit, g, by *Groups) {
	if by[ByRoute] == 0 {
		return // there was none
	}
	all := c.fits[ByBucket]
	good, bad := all.good-before.good, all.bad-before.bad+all.over-before.over
	for l := ByRoute; l < levels; l++ {
		if g[l] == by[l] {
			continue
		}
		c.cross[l].add(good, bad)
		for _, id := range [...]uint64{g[l], by[l]} {
			if of := c.series[l][id]; of != nil {
				of.cross.add(good, bad)
			}
		}
	}
}

func (f *fit) add(good, bad int) {
	f.good += good
	if f.bad += bad; f.good+f.bad > fitsKept {
		f.good, f.bad = f.good/2, f.bad/2
	}
}

// share reports whether one counter explains enough of what was seen.
func (f fit) share() bool { return f.good >= max(sharedSure, 4*f.bad) }

// shared reports whether what was seen shows that a group shares its counter with others of the level: of the group or, if that is
// little, of all of them. It shows nothing where there is another counter.
func (c *Counters) shared(l Level, s *spent, g *Groups) bool {
	for ; c != nil && !s.other; c = c.beside {
		seen := c.cross[l]
		if of := c.series[l][g[l]]; of != nil && of.cross.tests() > sharedSure {
			seen = of.cross
		}
		if seen.share() {
			return true
		}
	}
	return false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
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
