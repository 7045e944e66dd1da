package queue

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
