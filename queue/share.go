package queue

// share keeps the minimum shares of the priorities at a limiter: every permit that passes it counts, from
// whichever other limiter the request came, and every flow that needs it, at whichever limiter it waits. So
// two limiters that the same requests pass agree on whose turn it is, and nothing is lost when the bottleneck
// moves from one to the other.
type share struct {
	floor   int32         // what each waiting priority is owed of a permit, in thousandths
	flows   int32         // that need the limiter
	waiting [levels]int32 // of those, by priority
	credit  [levels]int32 // what it was owed and did not get yet, in thousandths of a permit
	soonest int64         // when the next of the wait queue can go at the soonest, in queue time; 0 is not known
}

// limit is how much a priority may be owed: a permit, and what it earns while all others that fall due
// together get theirs. It keeps a priority that was held back elsewhere from making up for it at once.
func (s *share) limit() int32 { return 1000 + int32(levels)*s.floor }

// owed reports whether the next permit is the one that the priority's minimum share promises.
func (s *share) owed(level int8) bool { return s.floor > 0 && s.credit[level]+s.floor >= 1000 }

// prefers reports whether a permit goes to priority a rather than to b: to what is owed most, or else to
// the higher one.
func (s *share) prefers(a, b int8) bool {
	owedA, owedB := s.owed(a), s.owed(b)
	switch {
	case owedA != owedB:
		return owedA
	case owedA && s.credit[a] != s.credit[b]:
		return s.credit[a] > s.credit[b]
	}
	return a > b
}

// count notes a permit of the priority.
func (s *share) count(level int8) {
	for i := range s.credit {
		if s.waiting[i] > 0 {
			s.credit[i] = min(s.credit[i]+s.floor, s.limit())
		}
	}
	s.credit[level] = max(s.credit[level]-1000, 0)
}

// enlist notes that a flow waits, at all limiters that it needs.
func (l *Queue) enlist(f *flow) {
	l.eachLimiter(f, func(g *limiter) {
		if g.share == nil {
			g.share = l.sharePool.get()
			*g.share = share{floor: l.floor}
		}
		g.share.flows++
		g.share.waiting[f.level]++
	})
}

// delist undoes enlist.
func (l *Queue) delist(f *flow) {
	l.eachLimiter(f, func(g *limiter) {
		g.share.waiting[f.level]--
		if g.share.flows--; g.share.flows == 0 {
			l.sharePool.put(g.share)
			g.share = nil
		}
	})
}

// served counts the permit that the first of a flow gets. Where another one is next because of it, that
// one is asked: it may want less.
func (l *Queue) served(f *flow) {
	l.eachLimiter(f, func(g *limiter) {
		before := g.next()
		g.share.count(f.level)
		if g.next() != before {
			l.markDirty(g)
		}
	})
}

// next returns what goes first of all that wait at the limiter, nil when nothing does.
func (g *limiter) next() *node {
	if g.waiting == nil {
		return nil
	}
	best := int8(-1)
	for i := int8(levels - 1); i >= 0; i-- {
		if len(g.waiting.ranks[i]) > 0 && (best < 0 || g.share.prefers(i, best)) {
			best = i
		}
	}
	return g.waiting.ranks[best][0]
}

// stops reports whether one who waits at the limiter goes before a newcomer with this place. owed says
// that the newcomer's priority is owed a permit by the limiter that sends it: it is not sent back for the
// sake of another priority then, or two limiters could send requests to each other for ever.
func (g *limiter) stops(level int8, first, second int64, owed bool) bool {
	p := g.next()
	switch {
	case p == nil:
		return false
	case p.level != level:
		return !owed && g.share.prefers(p.level, level)
	}
	return p.first < first || p.first == first && p.second < second
}
