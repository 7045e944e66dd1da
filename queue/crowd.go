package queue

import "math"

// never is the time, in nanoseconds since the line began, that does not come.
const never = math.MaxInt64

// maxCredit is how much a level may be owed, in thousandths of a permit: what the others of those that
// fall due together take, and its own.
const maxCredit int32 = 1000 * int32(levels)

// node is a place of a flow or of a class in a crowd.
type node struct {
	flow  *flow // one of the two is set
	class *class

	level         int8
	first, second int64 // the order within the level
	deadline      int64 // of the most impatient request behind the node, or never

	rankPlace, datePlace int32 // in heaps
}

// seated reports whether the node is in a crowd.
func (n *node) seated() bool { return n.rankPlace != 0 }

type byRank struct{}

func (byRank) less(a, b *node) bool {
	if a.first != b.first {
		return a.first < b.first
	}
	return a.second < b.second
}
func (byRank) place(n *node) *int32 { return &n.rankPlace }

type byDate struct{}

func (byDate) less(a, b *node) bool { return a.deadline < b.deadline }
func (byDate) place(n *node) *int32 { return &n.datePlace }

// byAlarm keeps the crowds of flows of the whole line by the first deadline of each, for the timer.
type byAlarm struct{}

func (byAlarm) less(a, b *crowd) bool { return a.deadline < b.deadline }
func (byAlarm) place(c *crowd) *int32 { return &c.alarmPlace }

// crowd holds those who compete for the same thing and knows who is next: the highest priority,
// unless a lower one is owed its floor.
type crowd struct {
	floor  int32 // what each waiting level is owed of every permit, in thousandths
	n      int32
	credit [levels]int32 // what it was owed and did not get yet, in thousandths
	ranks  [levels]heap[*node, byRank]
	dates  heap[*node, byDate] // those with a deadline

	deadline   int64 // of the first of dates, or never, as the line knows; see noteDeadline
	alarmPlace int32
}

// noteDeadline tells the timer of the first deadline in a crowd of flows, if that has changed.
func (l *Line) noteDeadline(c *crowd) {
	first := int64(never)
	if len(c.dates) > 0 {
		first = c.dates[0].deadline
	}
	if c.deadline != first {
		c.deadline = first
		l.deadlines.fix(c, first != never)
	}
}

func (c *crowd) push(x *node) {
	c.ranks[x.level].push(x)
	c.dates.fix(x, x.deadline != never)
	c.n++
}

func (c *crowd) remove(x *node) {
	c.ranks[x.level].remove(x)
	c.dates.fix(x, false)
	c.n--
}

// move gives x, a member, a new place.
func (c *crowd) move(x *node, level int8, first, second, deadline int64) {
	if x.level != level {
		c.ranks[x.level].remove(x)
	}
	x.level, x.first, x.second = level, first, second
	c.ranks[level].fix(x, true)
	if x.deadline != deadline {
		x.deadline = deadline
		c.dates.fix(x, deadline != never)
	}
}

// pick returns who is next, nil when nobody is there.
func (c *crowd) pick() *node {
	for top := levels - 1; top >= 0; top-- {
		if len(c.ranks[top]) == 0 {
			continue
		}
		best := top
		for i := range top {
			if c.owed(int8(i)) && len(c.ranks[i]) > 0 && (best == top || c.credit[i] > c.credit[best]) {
				best = i
			}
		}
		return c.ranks[best][0]
	}
	return nil
}

// owed reports whether the next permit is the one that the level's floor promises.
func (c *crowd) owed(level int8) bool { return c.credit[level]+c.floor >= 1000 }

// served books a permit that went to the level.
func (c *crowd) served(level int8) {
	for i := range c.credit {
		if len(c.ranks[i]) > 0 {
			c.credit[i] = min(c.credit[i]+c.floor, maxCredit)
		}
	}
	c.credit[level] = max(c.credit[level]-1000, 0)
}

// beats reports whether a member goes before a newcomer with this place.
func (c *crowd) beats(level int8, first, second int64) bool {
	p := c.pick()
	switch {
	case p == nil:
		return false
	case p.level > level:
		return !c.owed(level)
	case p.level < level:
		return c.owed(p.level)
	}
	return p.first < first || p.first == first && p.second < second
}
