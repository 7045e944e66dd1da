package queue

// class is all requests to which the same shared limits apply. Its ready flows share those limits
// fairly: start-time fair queueing between keys, by cost.
type class struct {
	id      classID
	gates   []*gate        // shared
	slots   []slotOf       // that count each key by itself; the gates are the keys'
	seats   [levels]node   // one for each priority, in the crowd of the gate where the class waits
	date    node           // there too, for the deadline of the most impatient
	ready   crowd          // flows that no gate of their own is known to hold back
	parked  *gate          // where the class waits; nil when no flow is ready
	clock   int64          // virtual time: tag of whoever went last
	account map[*key]int64 // virtual time up to which a key has had its share, when ahead of clock
	users   int            // requests that wait or are in flight

	bounded  bool // some gate counts requests in flight
	observed bool // some gate's limit is an Observer
	stirred  bool
}

// contended reports whether somebody waits whom a newcomer could overtake.
func (c *class) contended() bool {
	if c.ready.n > 0 {
		return true
	}
	for _, g := range c.gates {
		if g.crowded() {
			return true
		}
	}
	return false
}

// queueUp gives the flow's first its place in the fair order.
func (c *class) queueUp(l *Line, f *flow) {
	l.turn++
	f.turn = l.turn
	if len(c.gates) == 0 {
		return // nothing is shared
	}
	f.tag = max(c.clock, c.account[f.key])
	f.charged = int64(f.head().r.cost())
	if c.account == nil {
		c.account = make(map[*key]int64)
	}
	c.account[f.key] = f.tag + f.charged
}

// goOn moves virtual time on as the flow's first goes.
func (c *class) goOn(f *flow) {
	c.clock = max(c.clock, f.tag)
	f.charged = 0
	if len(c.account) > 2*int(c.ready.n)+1024 {
		c.settleAccounts()
	}
}

// giveUp takes the charge back when a flow ends without going.
func (c *class) giveUp(f *flow) {
	if until, ok := c.account[f.key]; ok {
		c.account[f.key] = until - f.charged
	}
	f.charged = 0
}

// settleAccounts forgets keys that are not ahead of the clock. Flows that wait at gates of their own
// keep their tags, so nothing is lost with the account.
func (c *class) settleAccounts() {
	for k, until := range c.account {
		if until <= c.clock {
			delete(c.account, k)
		}
	}
}

// rest is called when nothing of the class is ready: the busy period is over and so are its debts.
func (c *class) rest() {
	switch {
	case len(c.account) > 1024:
		c.account = nil // clearing a large map costs its size each time
	case len(c.account) > 0:
		clear(c.account)
	}
}

// enter makes a flow ready. The flow must be in no crowd.
func (l *Line) enter(f *flow) {
	c := f.kind
	f.gate, f.in = nil, nil
	l.place(f)
	f.in = &c.ready
	c.ready.push(&f.node)
	l.noteDeadline(&c.ready)
	l.reorder(c, f.level)
	if c.parked == nil {
		l.stirClass(c)
	} else if c.parked.crowd.pick() == &c.seats[f.level] && c.first(f.level) == f {
		l.stir(c.parked)
	}
}

// first is the ready flow that goes next of a priority, or nil.
func (c *class) first(level int8) *flow {
	if len(c.ready.ranks[level]) == 0 {
		return nil
	}
	return c.ready.ranks[level][0].flow
}

// reorder brings the class's seats up to date after its ready flows of a priority changed.
func (l *Line) reorder(c *class, level int8) {
	g := c.parked
	switch {
	case g == nil:
	case c.ready.n == 0:
		c.parked = nil
		g.crowd.dates.fix(&c.date, false)
		l.leaveGate(g, &c.seats[level])
	default:
		l.seat(c, g, level)
		c.setDate(g)
	}
	if c.ready.n == 0 {
		c.rest()
	}
}

// seat gives the class its place at a shared gate for one priority.
func (l *Line) seat(c *class, g *gate, level int8) {
	x, f := &c.seats[level], c.first(level)
	switch {
	case f == nil && x.seated():
		l.leaveGate(g, x)
	case f != nil && x.seated():
		g.crowd.move(x, level, 0, f.turn, never)
	case f != nil:
		x.second = f.turn
		l.admitTo(g, x)
	}
}

// setDate lets the gate know of the class's most impatient request.
func (c *class) setDate(g *gate) {
	deadline := int64(never)
	if len(c.ready.dates) > 0 {
		deadline = c.ready.dates[0].deadline
	}
	if c.date.deadline != deadline {
		c.date.deadline = deadline
		g.crowd.dates.fix(&c.date, deadline != never)
	}
}

// park makes the class wait at a shared gate.
func (l *Line) park(c *class, g *gate) {
	if c.parked == g {
		return
	}
	if old := c.parked; old != nil {
		old.crowd.dates.fix(&c.date, false)
		for i := range c.seats {
			if c.seats[i].seated() {
				l.leaveGate(old, &c.seats[i])
			}
		}
	}
	c.parked = g
	c.date.deadline = never
	for i := range c.seats {
		l.seat(c, g, int8(i))
	}
	c.setDate(g)
}

func (l *Line) stirClass(c *class) {
	if !c.stirred {
		c.stirred = true
		l.stirredClasses = append(l.stirredClasses, c)
	}
}
