package queue

// seat is the ready flows of one class and priority. They wait at a shared gate together.
type seat struct {
	node   // in the crowd of that gate
	class  *class
	ready  waitQueue // flows that no gate of their own is known to hold back
	parked *limiter  // where they wait; nil when no flow is ready

	stirred bool
}

// first is the ready flow that goes next, or nil.
func (s *seat) first() *flow {
	if s.ready.n == 0 {
		return nil
	}
	return s.ready.ranks[s.level][0].flow
}

// enter makes a flow ready. The flow must be in no crowd.
func (l *Queue) enter(f *flow) {
	s := f.seat()
	f.gate, f.in = nil, nil
	l.place(f)
	f.in = &s.ready
	s.ready.push(&f.node)
	s.class.ready++
	l.noteDeadline(&s.ready)
	l.reorder(s)
	if s.parked == nil {
		l.markSeatDirty(s)
	} else if s.parked.next() == &s.node && s.first() == f {
		l.markDirty(s.parked)
	}
}

// reorder brings a seat up to date after its ready flows changed.
func (l *Queue) reorder(s *seat) {
	g, f := s.parked, s.first()
	switch {
	case g == nil:
	case f == nil:
		s.parked = nil
		l.leaveGate(g, &s.node)
	default:
		before := g.next()
		g.waiting.move(&s.node, s.level, 0, f.turn, s.ready.earliest())
		if g.next() != before {
			l.markDirty(g) // whoever is next now has not been asked
		}
	}
	if s.class.ready == 0 {
		s.class.rest()
	}
}

// park makes a seat wait at a shared gate.
func (l *Queue) park(s *seat, g *limiter) {
	if s.parked == g {
		return
	}
	if old := s.parked; old != nil {
		l.leaveGate(old, &s.node)
	}
	s.parked = g
	s.second, s.deadline = s.first().turn, s.ready.earliest()
	l.admitTo(g, &s.node)
}

func (l *Queue) markSeatDirty(s *seat) {
	if !s.stirred {
		s.stirred = true
		l.stirredSeats = append(l.stirredSeats, s)
	}
}
