package sharing

import (
	"hash/maphash"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A Level says which requests of a bucket share a counter. APIs that tell the same limit
// at several routes, or for several things named in the path, may count each apart. Then
// what is left falls by the requests of one group alone, and a level that is too coarse
// or too fine does not explain it.
type Level int

// The levels, the coarsest first.
const (
	ByBucket Level = iota // all share it
	ByRoute               // each method and path pattern has its own
	ByThing               // each value of the first name of one thing in the path, such as a channel, or what it begins with
	ByPath                // each method and path
	ByOwner               // each value of the parameter or field that says whose data is asked for, or what is to be done; see OwnerOf
	levels
)

// Groups tells which group a request belongs to at each level.
type Groups [levels]uint64

// GroupsOf returns the groups of a request; inBody identifies the owner that its body names, 0 is none.
func GroupsOf(req *http.Request, r *Route, inBody uint64) (g Groups) {
	const odd = 0x9e3779b97f4a7c15
	path := req.URL.Path
	g[ByThing] = maphash.String(seed, thingOf(path))*odd | 1
	g[ByPath] = (maphash.String(seed, path)+maphash.String(seed, req.Method)*odd)*odd | 1
	if g[ByRoute] = r.ID; r.ID == 0 {
		g[ByRoute] = g[ByPath]
	}
	g[ByOwner] = (OwnerOf(req)+inBody)*odd | 1
	return g
}

// A series is what the responses to one group said.
type series struct {
	last           count
	sent, answered int64
	spent          *spent // what is used up for long, as a response said
	noted          bool   // by Note
	drought        Drought
	cross          fit // of ByBucket, among responses to it and to others, one after the other
}

// fit counts how well a level explains what was seen: responses that it explains, that
// show more left than it allows, and less.
type fit struct{ good, bad, over int }

func (f fit) tests() int { return f.good + f.bad + f.over }

// Counters finds out which requests of a bucket share a counter, or each of two counters that responses tell.
type Counters struct {
	name   string    // of the window; empty if responses tell one
	beside *Counters // of the other window; nil if responses tell one
	level  Level
	series [levels]map[uint64]*series
	fits   [levels]fit
	cross  [levels]fit     // of ByBucket, among responses to other groups of the level than the response before
	novel  [levels]float64 // the share of requests, of late, that are the first of their group
	vain   int             // first requests in a row of groups that are counted apart that were refused
	kept   time.Time       // until when the level is kept to
	by     Groups          // of the newest response that was counted
	first  time.Time       // the end of the first window, of which the beginning was not seen

	explored exploration
	clock    serverClock
}

const (
	maxSeries    = 1024            // of a level; beyond that all are forgotten
	sameEnd      = 3 * time.Second // resets that are so near may be of one window
	apartBad     = 2               // responses that all together cannot explain
	apartGood    = 3               // and a finer level can
	apartSure    = 8               // so many, if it explains most of them all the same
	fitsKept     = 64              // tests before the older count half
	togetherOver = 8               // tests that a level fails before it is given up
)

// Seen is what was known of the groups of a request when it was sent.
type Seen struct {
	of, beside [levels]count
	by         Groups // whose response was the newest
	two        bool   // beside is known
}

// Sent takes in that a request goes, and returns what is known of its groups.
func (c *Counters) Sent(now time.Time, g *Groups) (s Seen) {
	s.by = c.by
	c.send(now, g, &s.of)
	if s.two = c.beside != nil; s.two {
		c.beside.send(now, g, &s.beside)
	}
	return s
}

func (c *Counters) send(now time.Time, g *Groups, s *[levels]count) {
	for l, id := range g {
		of := c.of(Level(l), id)
		of.drought.Send(now)
		of.sent++
		s[l] = of.last
	}
}

// of returns the series of a group.
func (c *Counters) of(l Level, group uint64) *series {
	all := c.series[l]
	if all == nil || len(all) >= maxSeries && all[group] == nil {
		all = make(map[uint64]*series)
		c.series[l] = all
	}
	of := all[group]
	if of == nil {
		of = new(series)
		all[group] = of
	}
	return of
}

// Answered takes in the response to a request that was sent at sent.
func (c *Counters) Answered(now, sent time.Time, g *Groups, s *Seen, r *header.Reading) {
	if c.beside == nil && twoCounters(r) {
		c.name, c.beside = strings.Clone(r.Windows[0].Name), &Counters{name: strings.Clone(r.Windows[1].Name)}
	}
	c.clock.observe(now, sent, r)
	c.doubt(now, g, r)
	c.answer(now, sent, g, &s.of, &s.by, r)
	if s.two {
		c.beside.clock = c.clock
		c.beside.answer(now, sent, g, &s.beside, &s.by, r)
	}
}

func (c *Counters) answer(now, sent time.Time, g *Groups, s *[levels]count, by *Groups, r *header.Reading) {
	said, limit, ok := c.clock.countOf(now, r, c.name)
	if c.first.IsZero() {
		c.first = said.end
	}
	for l, id := range g {
		of := c.series[l][id]
		if of == nil {
			continue // it was forgotten
		}
		of.answered++
		if !ok {
			continue
		}
		all := c.fits[ByBucket]
		if c.test(Level(l), sent, s, of, said, limit, now.Sub(sent)+said.step); l == int(ByBucket) {
			c.compare(all, g, by)
		}
		last := said
		if was := of.last; sent.Before(was.end) && said.end.Sub(was.end).Abs() <= sameEnd {
			last.left = min(said.left, was.left) // one of them was overtaken
		}
		last.sent, last.answered = sent, of.answered
		of.last = last
	}
	if ok {
		c.by = *g
		c.explored.one = limit == 1 && c.name == ""
		c.decide(now)
	}
}

// Level returns the coarsest level that explains what was seen. Of two counters, it is that of the one of fewer requests.
func (c *Counters) Level() Level {
	if c.beside != nil {
		return max(c.level, c.beside.level)
	}
	return c.level
}

// Left returns what is left of the window of a name for a group that is counted apart, as far as responses said.
func (c *Counters) Left(name string, g *Groups) (left int64, ok bool) {
	if c.beside != nil && name != c.name {
		c = c.beside
	}
	of := c.series[c.level][g[c.level]]
	if c.level == ByBucket || of == nil || of.last.end.IsZero() {
		return 0, false
	}
	return of.last.left, true
}

// Two reports whether responses tell two counters.
func (c *Counters) Two() bool { return c != nil && c.beside != nil }

// Shares reports whether one of two counters counts all requests of the bucket, and the other groups of them.
func (c *Counters) Shares() bool {
	return c.beside != nil && (c.level == ByBucket) != (c.beside.level == ByBucket)
}

// Above reports whether the window of a name counts all requests of the bucket, while another counts groups of them.
func (c *Counters) Above(name string) bool {
	return c.Shares() && (name == c.name && c.level == ByBucket || name == c.beside.name && c.beside.level == ByBucket)
}

// test asks whether a level explains what is left. A window ends up to near before it seems to.
func (c *Counters) test(l Level, sent time.Time, s *[levels]count, of *series, said count, limit int64, near time.Duration) {
	f, was := &c.fits[l], s[l]
	believed := l == c.level || l == ByBucket
	if !sent.Before(was.end) { // nothing is known of this window
		if l != ByBucket && sent.Before(s[ByBucket].end) {
			switch own := of.sent - was.answered; {
			case said.left < limit && said.left >= limit-own:
				f.good++ // among the first of its group
			case believed && said.left < limit && said.left >= was.left-own: // a bucket may have refilled so far
			case said.end.After(c.first.Add(sameEnd)):
				f.over++
			}
		}
		return
	}
	if believed && !sent.Add(near).Before(was.end) && said.end.After(was.end.Add(near)) {
		return // it may have come to the next window
	}
	switch fall := was.left - said.left; {
	case fall < 1 || said.end.Sub(was.end).Abs() > sameEnd:
		f.bad++
	case fall > of.sent-was.answered:
		f.over++
	default:
		f.good++
	}
}

// faults counts the responses that speak against a level. Those that show more left than it allows do
// not if no level explains them: what is left of a bucket is refilled.
func (c *Counters) faults(l Level) int {
	f := c.fits[l]
	least := f.bad
	for finer := ByRoute; finer < levels; finer++ {
		least = min(least, c.fits[finer].bad)
	}
	return f.bad - least + f.over
}

// decide chooses the coarsest level that explains what was seen.
func (c *Counters) decide(now time.Time) {
	switch {
	case c.level == ByBucket:
		c.level = c.apart()
	case now.Before(c.kept):
	case c.faults(c.level) >= togetherOver && 3*c.faults(c.level) > c.fits[c.level].tests():
		c.level, c.fits = ByBucket, [levels]fit{}
	}
	if max(c.fits[ByBucket].tests(), c.fits[c.level].tests()) > fitsKept {
		for l := range c.fits {
			f := &c.fits[l]
			f.good, f.bad, f.over = f.good/2, f.bad/2, f.over/2
		}
	}
}

// apart returns the coarsest level that explains what one counter of all does not, or ByBucket.
func (c *Counters) apart() Level {
	all := c.fits[ByBucket]
	if all.bad < apartBad {
		return ByBucket
	}
	for l := ByRoute; l < levels; l++ {
		finer, faults, enough := c.fits[l], c.faults(l), apartGood
		if 5*all.bad < all.tests() {
			enough = apartSure
		}
		if faults < finer.bad+finer.over {
			enough = max(apartSure, 8*all.good)
		}
		if finer.good >= enough && 8*faults <= all.bad && 8*faults <= finer.good {
			return l
		}
	}
	return ByBucket
}
