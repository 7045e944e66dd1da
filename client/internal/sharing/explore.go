package sharing

import "time"

// An exploration tests whether a counter of one request is shared. Such a counter is always at 0
// after a request, so that what remains does not tell who counts: only a request of another path
// that goes while the counter is used up does. If it is served, they are counted apart.
type exploration struct {
	one   bool          // the only counter that responses tell allows one request at a time
	next  time.Time     // when the next test may go
	pause time.Duration // after a test that was refused
}

const (
	exploreFirst = time.Minute // the pause after the first test that is refused, and then twice as long
	exploreLast  = time.Hour
	// explorePatience is how long a test is waited for.
	explorePatience = 5 * time.Second
)

// MayExplore reports whether a request may go as a test that has to wait for the counter of its
// bucket.
func (c *Counters) MayExplore(now time.Time, g *Groups) bool {
	x := &c.explored
	if !x.one || c.level != ByBucket || now.Before(x.next) {
		return false
	}
	all, of := c.series[ByBucket][g[ByBucket]], c.series[ByPath][g[ByPath]]
	return all != nil && now.Before(all.last.end) && (of == nil || of.sent == of.answered && !now.Before(of.last.end))
}

// Explore notes that a test goes.
func (c *Counters) Explore(now time.Time) { c.explored.next = now.Add(explorePatience) }

// Explored takes in what became of a test.
func (c *Counters) Explored(now time.Time, refused bool) {
	x := &c.explored
	x.next = now
	if refused {
		x.pause = min(max(2*x.pause, exploreFirst), exploreLast)
		x.next = now.Add(x.pause)
	}
}
