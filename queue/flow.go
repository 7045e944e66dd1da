package queue

// A flow holds the waiting requests of one key, bucket, class and level: retries first, then the others
// in order of arrival. No flow is empty. Each flow is in one wait queue: that of a limiter of its key that
// holds it back, or else that of its entry.
type flow struct {
	node
	key    *key
	bucket *bucket
	kind   *class

	retries, others list
	dates           heap[*ticket, byDeadline]
	cost            int // of all requests in the flow

	in      *waitQueue
	limiter *limiter // that owns the wait queue; nil if it is the entry's
	called  *limiter // that called the flow, and does not put it behind others again

	tag     int64 // start tag of the first request in the class's fair order
	charged int64 // what the tag added to the key's account
	turn    int64 // when its first request became the first, by Queue.turn
}

// A list is a linked list of tickets.
type list struct {
	front, back *ticket
	n           int
}

func (l *list) add(t *ticket) {
	t.prev, t.next = l.back, nil
	if l.back == nil {
		l.front = t
	} else {
		l.back.next = t
	}
	l.back = t
	l.n++
}

func (l *list) remove(t *ticket) {
	if t.prev == nil {
		l.front = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.back = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	l.n--
}

// entry returns the entry in which the flow waits when it is ready.
func (f *flow) entry() *entry { return &f.kind.entries[f.level] }

func (f *flow) head() *ticket {
	if f.retries.front != nil {
		return f.retries.front
	}
	return f.others.front
}

func (f *flow) len() int { return f.retries.n + f.others.n }

func (f *flow) list(t *ticket) *list {
	if t.r.ahead() {
		return &f.retries
	}
	return &f.others
}

func (f *flow) add(t *ticket) {
	t.flow = f
	f.list(t).add(t)
	f.cost += t.r.cost()
	switch {
	case t.level == inVain:
		t.queue.inVain.push(t)
	case t.deadline != never:
		f.dates.push(t)
	}
}

func (f *flow) remove(t *ticket) {
	f.list(t).remove(t)
	if t.level == inVain {
		t.queue.inVain.remove(t)
	} else {
		f.dates.remove(t)
	}
	f.cost -= t.r.cost()
	t.flow = nil
}

// arrival orders flows of one key: by the arrival of their first request, retries before all others.
func (f *flow) arrival() int64 { return f.head().arrival() }

func (t *ticket) arrival() int64 {
	if t.r.ahead() {
		return t.seq - never/2
	}
	return t.seq
}

// earliest returns the earliest deadline.
func (f *flow) earliest() int64 {
	if len(f.dates) == 0 {
		return never
	}
	return f.dates[0].deadline
}

// place moves the flow to where it belongs in its wait queue, after its first request or its deadlines have
// changed. For a flow in no wait queue, it only sets the order.
func (l *Queue) place(f *flow) {
	first, deadline := int64(0), f.earliest()
	if f.limiter == nil {
		first = f.tag
	}
	if f.in == nil {
		f.first, f.second, f.deadline = first, f.arrival(), deadline
		return
	}
	var before *node
	if f.limiter != nil {
		before = f.limiter.next()
	}
	f.in.move(&f.node, f.level, first, f.arrival(), deadline)
	l.noteDeadline(f.in)
	if f.limiter != nil && f.limiter.next() != before {
		l.markDirty(f.limiter) // it has not been asked about the flow that is first now
	}
}

// withdraw removes a flow from its wait queue.
func (l *Queue) withdraw(f *flow) {
	g := f.limiter
	f.in, f.limiter = nil, nil
	if g != nil {
		l.leaveLimiter(g, &f.node)
		return
	}
	s := f.entry()
	s.ready.remove(&f.node)
	s.class.ready--
	l.noteDeadline(&s.ready)
	l.reorder(s)
	if s.parked != nil {
		l.markDirty(s.parked) // the flow that is first now may cost less
	}
}

// end removes a flow that has become empty.
func (l *Queue) end(f *flow) {
	f.kind.giveUp(f)
	l.withdraw(f)
	l.delist(f)
	l.forgetFlow(f)
}

// An entry holds the ready flows of one class and priority. They wait at a shared limiter together.
type entry struct {
	node   // in the wait queue of that limiter
	class  *class
	ready  waitQueue // flows that no limiter of their key holds back, as far as is known
	parked *limiter  // at which the entry waits; nil if no flow is ready

	dirty bool
}

// first returns the ready flow that goes next, or nil.
func (s *entry) first() *flow {
	if s.ready.n == 0 {
		return nil
	}
	return s.ready.ranks[s.level][0].flow
}

// enter adds a flow, which must be in no wait queue, to the ready flows of its entry.
func (l *Queue) enter(f *flow) {
	s := f.entry()
	f.limiter, f.in = nil, nil
	l.place(f)
	f.in = &s.ready
	s.ready.push(&f.node)
	s.class.ready++
	l.noteDeadline(&s.ready)
	l.reorder(s)
	if s.parked == nil {
		l.markEntryDirty(s)
	} else if s.parked.next() == &s.node && s.first() == f {
		l.markDirty(s.parked)
	}
}

// reorder restores the order of an entry after its ready flows have changed.
func (l *Queue) reorder(s *entry) {
	g, f := s.parked, s.first()
	switch {
	case g == nil:
	case f == nil:
		s.parked = nil
		l.leaveLimiter(g, &s.node)
	default:
		before := g.next()
		g.waiting.move(&s.node, s.level, 0, f.turn, s.ready.earliest())
		if g.next() != before {
			l.markDirty(g) // the limiter has not been asked about the flow that is first now
		}
	}
	if s.class.ready == 0 {
		s.class.rest()
	}
}

// park makes an entry wait at a shared limiter.
func (l *Queue) park(s *entry, g *limiter) {
	if s.parked == g {
		return
	}
	if old := s.parked; old != nil {
		l.leaveLimiter(old, &s.node)
	}
	s.parked = g
	s.second, s.deadline = s.first().turn, s.ready.earliest()
	l.admitTo(g, &s.node)
}

func (l *Queue) markEntryDirty(s *entry) {
	if !s.dirty {
		s.dirty = true
		l.dirtyEntries = append(l.dirtyEntries, s)
	}
}
