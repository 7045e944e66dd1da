package queue

// A class holds all requests to which the same shared limits apply. Its ready flows share those limits
// fairly: start-time fair queueing between keys, by cost.
type class struct {
	id       classID
	limiters []*limiter     // shared
	slots    []slotOf       // of rules with scope PerKey; the limiters are in key.limiters
	entries  [levels]entry  // one for each priority
	ready    int            // flows in all entries
	clock    int64          // virtual time: tag of the flow that went last
	account  map[*key]int64 // virtual time up to which a key has had its share, when ahead of clock
	users    int            // requests that wait or are in flight

	bounded bool // some limiter counts requests in flight
}

// contended reports whether requests wait that a newcomer could overtake.
func (c *class) contended() bool {
	if c.ready > 0 {
		return true
	}
	for _, g := range c.limiters {
		if g.busy() {
			return true
		}
	}
	return false
}

// queueUp gives the flow's first request its place in the fair order.
func (c *class) queueUp(l *Queue, f *flow) {
	l.turn++
	f.turn = l.turn
	if len(c.limiters) == 0 {
		return // nothing is shared
	}
	f.tag = max(c.clock, c.account[f.key])
	f.charged = int64(f.head().r.cost())
	if c.account == nil {
		c.account = make(map[*key]int64)
	}
	c.account[f.key] = f.tag + f.charged
}

// goOn advances virtual time when the flow's first request is sent.
func (c *class) goOn(f *flow) {
	c.clock = max(c.clock, f.tag)
	f.charged = 0
	if len(c.account) > 2*c.ready+1024 {
		c.settleAccounts()
	}
}

// giveUp undoes the charge of a flow that ends without sending a request.
func (c *class) giveUp(f *flow) {
	if until, ok := c.account[f.key]; ok {
		c.account[f.key] = until - f.charged
	}
	f.charged = 0
}

// settleAccounts forgets keys that are not ahead of the clock. Flows that wait at limiters of their own
// keep their tags, so nothing is lost with the account.
func (c *class) settleAccounts() {
	for k, until := range c.account {
		if until <= c.clock {
			delete(c.account, k)
		}
	}
}

// rest ends a busy period, when no flow of the class is ready: all accounts are settled.
func (c *class) rest() {
	switch {
	case len(c.account) > 1024:
		c.account = nil // clearing a large map costs its size each time
	case len(c.account) > 0:
		clear(c.account)
	}
}
