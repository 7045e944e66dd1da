package queue

import "math"

// never is a time, in nanoseconds since the queue began, that is never reached.
const never = math.MaxInt64

// node is a place of a flow or of an entry in a wait queue.
type node struct {
	flow  *flow // one of the two is set
	entry *entry

	level         int8
	first, second int64 // the order within the level
	deadline      int64 // the earliest deadline of the requests behind the node, or never

	rankPlace, datePlace int32 // in heaps
}

// leader returns the flow whose first request is sent when it is the node's turn.
func (n *node) leader() *flow {
	if n.entry != nil {
		return n.entry.first()
	}
	return n.flow
}

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

// byAlarm orders all wait queues of flows by their first deadlines, for the timer.
type byAlarm struct{}

func (byAlarm) less(a, b *waitQueue) bool { return a.deadline < b.deadline }
func (byAlarm) place(c *waitQueue) *int32 { return &c.alarmPlace }

// A waitQueue holds nodes that compete for the same limiter. [limiter.next] decides which goes first.
type waitQueue struct {
	n     int32
	ranks [levels]heap[*node, byRank]
	dates heap[*node, byDate] // the nodes with a deadline

	deadline   int64 // the earliest, or never, at the last call of noteDeadline
	alarmPlace int32
}

// earliest returns the earliest deadline.
func (c *waitQueue) earliest() int64 {
	if len(c.dates) == 0 {
		return never
	}
	return c.dates[0].deadline
}

// noteDeadline updates the timer if the first deadline in a wait queue of flows has changed.
func (l *Queue) noteDeadline(c *waitQueue) {
	first := c.earliest()
	if c.deadline != first {
		c.deadline = first
		l.deadlines.fix(c, first != never)
	}
}

func (c *waitQueue) push(x *node) {
	c.ranks[x.level].push(x)
	c.dates.fix(x, x.deadline != never)
	c.n++
}

func (c *waitQueue) remove(x *node) {
	c.ranks[x.level].remove(x)
	c.dates.fix(x, false)
	c.n--
}

// move changes the order of x, a member.
func (c *waitQueue) move(x *node, level int8, first, second, deadline int64) {
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
