package queue

// A Priority orders requests that wait for the same limit: a higher priority goes first, except that
// lower ones keep the share that [WithMinimumShare] sets.
type Priority int8

// The priorities. Any other value is an error.
const (
	Lowest  Priority = -2
	Low     Priority = -1
	Normal  Priority = 0
	High    Priority = 1
	Highest Priority = 2
)

const (
	priorities = int(Highest-Lowest) + 1
	// levels is how many levels requests wait at: the lowest is that of those that wait in vain, as far as
	// is known, and the others are the priorities.
	levels = priorities + 1
	inVain = int8(0)
)

// Those that wait in vain get one permit in eight of those that would go to [Normal] or a lower priority. They
// would get it from a server without a queue too, by chance, and what has a deadline beside what has none is
// often what somebody waits for.
const (
	vainShare  = 125 // in thousandths of a permit
	vainBehind = int8(Normal-Lowest) + inVain + 1
)

// level returns the level of r's priority.
func (r *Request) level() int8 { return int8(r.Priority-Lowest) + inVain + 1 }

// A share tracks the minimum shares of the priorities at a limiter. It counts every permit that passes the
// limiter and every flow that needs it, even if the flow waits at another limiter. So two limiters that the
// same requests pass agree on whose turn it is, and nothing is lost when the bottleneck moves from one to
// the other.
type share struct {
	floor   int32         // how much of each permit a waiting priority is owed, in thousandths
	flows   int32         // that need the limiter
	waiting [levels]int32 // those flows by level
	credit  [levels]int32 // how much each level is owed, in thousandths of a permit
	soonest int64         // the earliest time at which the next can go, in queue time; 0 if not known
	trial   int64         // when a request may go that waits in vain, to see whether it does; 0 if not known
	passed  bool          // the first of those in vain could not go, so that another may be next
}

// limit returns the most that a priority may be owed: a permit, and what it earns while all others that are
// due at the same time get theirs. It keeps a priority that another limiter held back from catching up at once.
func (s *share) limit() int32 { return 1000 + int32(priorities)*s.floor }

// of returns how much of each permit a level is owed while it waits.
func (s *share) of(level int8) int32 {
	if level == inVain {
		return vainShare
	}
	return s.floor
}

// owed reports whether its share entitles the level to the next permit.
func (s *share) owed(level int8) bool {
	part := s.of(level)
	return part > 0 && s.credit[level]+part >= 1000 && (level != inVain || !s.passed)
}

// prefers reports whether a permit goes to level a rather than b: to the one that is owed most, or else
// to the higher one.
func (s *share) prefers(a, b int8) bool {
	owedA, owedB := s.owed(a), s.owed(b)
	switch {
	case min(a, b) == inVain && max(a, b) > vainBehind:
		return a > b
	case owedA != owedB:
		return owedA
	case owedA && s.credit[a] != s.credit[b]:
		return s.credit[a] > s.credit[b]
	}
	return a > b
}

// count counts a permit of the level.
func (s *share) count(level int8) {
	for i := range int8(levels) {
		if s.waiting[i] > 0 && (i != inVain || level <= vainBehind) {
			s.credit[i] = min(s.credit[i]+s.of(i), s.limit())
		}
	}
	s.credit[level] = max(s.credit[level]-1000, 0)
}

// enlist counts a waiting flow at all limiters that it has to pass.
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

// served counts the permit of a flow's first request at all limiters that it passes. Limiters at which
// another request is next because of it are asked again: that request may cost less.
func (l *Queue) served(f *flow) {
	l.turn++
	f.bucket.turn = l.turn
	if f.key.others != nil {
		f.key.others.turns.count(f.level)
	}
	l.eachLimiter(f, func(g *limiter) {
		before := g.next()
		g.share.count(f.level)
		if g.next() != before {
			l.markDirty(g)
		}
	})
}

// next returns the node that goes first of those that wait at the limiter, or nil.
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

// stops reports whether a node that waits at the limiter goes before a newcomer of this order. owed says that
// the limiter that called the newcomer owes its priority a permit. Then no other priority goes first, or two
// limiters could keep sending requests to each other.
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

// The others are the buckets of a key but one.
type others struct {
	named map[string]*bucket
	all   []*bucket // in any order
	turns share     // of the priorities
}

func (o *others) add(n *bucket) {
	o.named[n.name], n.place = n, len(o.all)
	o.all = append(o.all, n)
}

func (o *others) remove(n *bucket) {
	delete(o.named, n.name)
	last := len(o.all) - 1
	o.all[n.place], o.all[last].place = o.all[last], n.place
	o.all[last], o.all = nil, o.all[:last]
}

// eachBucket yields all buckets in which requests wait.
func (k *key) eachBucket(yield func(*bucket) bool) {
	if k.bucket != nil && !yield(k.bucket) {
		return
	}
	if k.others == nil {
		return
	}
	for _, n := range k.others.all {
		if !yield(n) {
			return
		}
	}
}

// several reports whether requests wait in more than one bucket.
func (k *key) several() bool { return k.others != nil && len(k.others.all) > 0 }

// firstBucket returns the limiter to be asked now, of g and those that are to be asked again later. Each bucket of a key asks
// the key's own limit for itself, so that one that is held back delays no other. Where several may go, they take turns:
// otherwise the bucket that happens to be asked first would get all of a limit that opens for one request at a time.
func (l *Queue) firstBucket(g *limiter) *limiter {
	if g.rule != nil || g.waiting == nil {
		return g
	}
	first := g.next().flow.bucket
	k := first.flows[0].key
	if !k.several() {
		return g
	}
	k.others.turns.waiting = [levels]int32{}
	level := first.limiter.next().level
	for n := range k.eachBucket {
		if &n.limiter != g && !n.due() {
			continue
		}
		of := n.limiter.next().level
		k.others.turns.waiting[of]++
		if k.precedes(n, of, first, level) {
			first, level = n, of
		}
	}
	if next := &first.limiter; next != g {
		g.dirty, next.dirty = next.dirty, 0
		l.dirtyLimiters[g.dirty-1] = g
		return next
	}
	return g
}

// due reports whether the key's own limit is to be asked again about the bucket.
func (n *bucket) due() bool { return n.limiter.dirty > 0 && n.limiter.waiting != nil }

// precedes reports whether a request of bucket a goes before one of bucket b, of such levels.
func (k *key) precedes(a *bucket, of int8, b *bucket, level int8) bool {
	if of != level {
		return k.others.turns.prefers(of, level)
	}
	return a.turn < b.turn
}

// yields reports whether it is the turn of another bucket of the key that is due.
func (f *flow) yields() bool {
	if !f.key.several() {
		return false
	}
	for n := range f.key.eachBucket {
		if n != f.bucket && n.due() && f.key.precedes(n, n.limiter.next().level, f.bucket, f.level) {
			return true
		}
	}
	return false
}
