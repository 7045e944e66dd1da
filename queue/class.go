package queue

// A class holds all requests to which the same shared limits apply. Its ready flows share those limits
// fairly: start-time fair queueing between keys, by cost.
type class struct {
	id       classID
	limiters []*limiter     // shared
	slots    []slotOf       // of rules with scope PerKey; the limiters are in key.limiters
	entries  [levels]entry  // one for each level
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

// classID is what the shared limits of a request depend on.
type classID struct {
	rules uint64 // the set of rules that match
	host  string // empty unless one of them has scope PerHost
}

// hostID identifies a limiter that requests of one host share.
type hostID struct {
	rule   *rule
	flight bool
	host   string
}

// slotOf names a limiter of a rule with scope PerKey.
type slotOf struct {
	rule   *rule
	flight bool
	slot   int // in key.limiters
}

// match returns which rules apply to a request. It needs no lock, because what it reads never changes.
func (l *Queue) match(r *Request) (id classID) {
	for _, rule := range l.rules {
		if rule.Match == nil || rule.Match(r) {
			id.rules |= rule.bit
			if rule.Scope == PerHost {
				id.host = r.Host
			}
		}
	}
	return id
}

// classOf returns the class with that id, and creates it if necessary. The lock must be held.
func (l *Queue) classOf(id classID) *class {
	if l.lastClass.id == id {
		return l.lastClass
	}
	c := l.classes[id]
	if c == nil {
		l.pruneClasses()
		c = l.newClass(id)
		l.classes[id] = c
	}
	l.lastClass = c
	return c
}

func (l *Queue) newClass(id classID) *class {
	c := &class{id: id}
	for i := range c.entries {
		s := &c.entries[i]
		s.node = node{entry: s, level: int8(i), deadline: never}
		s.class, s.ready.deadline = c, never
	}
	for _, r := range l.rules {
		if id.rules&r.bit == 0 {
			continue
		}
		if len(r.Limits) > 0 || r.New != nil {
			l.addLimiter(c, r, false)
		}
		if r.MaxInFlight > 0 {
			l.addLimiter(c, r, true)
			c.bounded = true
		}
	}
	return c
}

func (l *Queue) addLimiter(c *class, r *rule, flight bool) {
	if r.Scope == PerKey {
		s := slotOf{r, flight, r.slot}
		if flight {
			s.slot++
		}
		c.slots = append(c.slots, s)
		return
	}
	id := hostID{rule: r, flight: flight}
	if r.Scope == PerHost {
		id.host = c.id.host
	}
	g := l.shared[id]
	if g == nil {
		g = l.limiter(r, flight, id.host)
		l.shared[id] = g
	}
	c.limiters = append(c.limiters, g)
}

// limiterOf returns a limiter of the key, and creates it if necessary.
func (l *Queue) limiterOf(k *key, s *slotOf) *limiter {
	if k.limiters == nil {
		k.limiters = make([]*limiter, l.slots)
	}
	g := k.limiters[s.slot]
	if g == nil {
		g = l.limiter(s.rule, s.flight, k.name)
		k.limiters[s.slot] = g
	}
	return g
}

// pruneClasses forgets unused classes, and shared limiters that are idle, whenever their number has doubled.
func (l *Queue) pruneClasses() {
	if len(l.classes)+len(l.shared) < l.prune {
		return
	}
	now := l.now()
	used := make(map[*limiter]bool)
	for id, c := range l.classes {
		idle := c.users == 0
		for _, g := range c.limiters {
			idle = idle && g.limit.Idle(now)
		}
		if idle && c != l.lastClass {
			delete(l.classes, id)
			continue
		}
		for _, g := range c.limiters {
			used[g] = true
		}
	}
	for id, g := range l.shared {
		if id.rule.Scope == PerHost && !used[g] {
			delete(l.shared, id)
		}
	}
	l.prune = max(minPrune, 2*(len(l.classes)+len(l.shared)))
}

const minPrune = 256
