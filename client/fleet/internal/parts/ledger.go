package parts

import (
	"cmp"
	"maps"
	"slices"
)

// A Ledger is the state of one quota. parts.lua of package redisfleet is the same, for Redis.
//
// Only the ledger raises a part; a member lowers its own, by no less than what may still count of it, before it
// says so. What a member held that is gone or dead counts for as long as it said.
type Ledger struct {
	inc     string
	ver, at int64

	learn    int64 // nothing is given until then,
	need     int64 // or until so many members were heard, if it is not 0
	missing  int64 // what those may hold that were not heard,
	until    int64 // until then
	rebuilt  bool  // it replaces one that was lost
	recalled int64 // when a recall is next due

	members map[string]*member
}

type member struct {
	seq, limit, each, want, rank int64
	heard, until, served, pushed int64
	gone                         bool
	old                          bool  // it was of a ledger that this one takes the place of,
	told                         bool  // and said what it holds since it knows of this one: what came before may be late
	passed                       int64 // units that others got before it because of their priority
	turn                         int64 // what served was before that was pushed
	vain                         int64 // so often in turn it got nothing
}

const (
	// fresh is how long a new ledger waits for members that know of another one: should the store have lost
	// that, they hear of it and speak.
	fresh       = 500
	everyone    = 1 << 40
	recallEvery = 200
	askAgain    = 1000
	askLast     = 4 // times twice as long
	floorAmong  = 20
)

// Exchange takes in a report. l is nil if the ledger was lost or never was.
func Exchange(l *Ledger, q *Report, time int64) (*Ledger, Reply) {
	now, n := time, new(News)
	switch l {
	case nil:
		l = &Ledger{inc: q.Nonce, members: make(map[string]*member)}
		if l.rebuild(q, now, n); q.Members <= 1 {
			l.learn, l.need, l.rebuilt = now+fresh, 0, false
		}
	default:
		now = max(now, l.at) // a failover may set the clock back
		m := l.members[q.ID]
		switch {
		case m != nil && q.Seq <= m.seq:
			return l, Reply{Stale: true}
		case q.Inc == l.inc && (q.Ver > l.ver || m != nil && q.Heard > m.seq):
			l.rebuild(q, now, n) // an older ledger took the place of the newest
			l.inc = q.Nonce
		case q.Inc != "" && q.Inc != l.inc && !l.rebuilt:
			l.rebuild(q, now, n) // a newcomer, who knew of no other, made it
		case q.Inc != "" && q.Inc != l.inc && l.need > 0:
			l.need = max(l.need, q.Members)
		}
	}
	l.at, l.ver = now, l.ver+1
	maps.DeleteFunc(l.members, func(id string, m *member) bool { return id != q.ID && m.until < now })
	m := l.members[q.ID]
	if m == nil {
		m = new(member)
		l.members[q.ID] = m
	}
	if m.old = m.old || q.Inc != "" && q.Inc != l.inc; q.Inc == l.inc {
		m.told = m.old
	}
	if m.pushed > 0 && q.Each < m.each { // it did not take that
		m.served = m.turn
	}
	m.seq, m.limit, m.each, m.want, m.rank = q.Seq, q.Quota, q.Each, q.Want, q.Rank
	m.heard, m.until, m.gone, m.pushed = now, now+q.Keep, q.Gone > 0, 0
	r := l.answer(q, m, now, n)
	if n.Roll || n.Recall || n.Push != nil {
		n.Inc, r.News = l.inc, n
	}
	return l, r
}

// rebuild has the ledger wait for what the members hold.
func (l *Ledger) rebuild(q *Report, now int64, n *News) {
	for _, m := range l.members {
		m.old, m.told = m.old || q.Inc == l.inc, false
	}
	l.learn, l.need, l.until, l.rebuilt = now+q.TTL, q.Members, now+q.Keep, true
	n.Roll = true
}

// learning reports whether members are yet to say what they hold.
func (l *Ledger) learning(now int64) bool {
	if l.learn == 0 {
		return false
	}
	heard := int64(0)
	for _, m := range l.members {
		if m.told {
			heard++
		}
	}
	if now < l.learn && (l.need == 0 || heard < l.need) {
		return true
	}
	missing := max(l.need-heard, 0)
	if l.missing = 0; missing > 0 {
		l.missing = l.whole() * missing / l.need
	}
	l.learn, l.need = 0, 0
	return false
}

// whole returns how much there is: where members differ, the least.
func (l *Ledger) whole() int64 {
	n := int64(everyone)
	for _, m := range l.members {
		if !m.gone {
			n = min(n, m.limit)
		}
	}
	if l.at < l.until {
		n -= l.missing
	}
	return n
}

// answer gives the members what is free, and answers one of them.
func (l *Ledger) answer(q *Report, m *member, now int64, n *News) Reply {
	r := Reply{Inc: l.inc, Ver: l.ver}
	if l.learning(now) {
		r.Each, r.Wait = m.each, max(min(recallEvery, l.learn-now), 1)
		r.Members = l.need
		for _, o := range l.members {
			if !o.old {
				r.Members++ // it is not among those
			}
		}
		if r.Members = max(r.Members, int64(len(l.members))); now >= l.recalled {
			n.Roll, l.recalled = true, now+recallEvery // the first may have been lost
		}
		return r
	}
	before := m.each
	l.fill(q, now, n)
	r.Each = m.each
	rest, among, wanting := l.whole(), int64(1), int64(0) // it may want more later
	for id, o := range l.members {
		if !o.gone {
			r.Members++
		}
		if o.wants(q, now) {
			wanting++
		}
		switch {
		case id == q.ID:
		case o.gone || o.want == 0:
			rest -= o.each
		case o.rank >= m.rank:
			among++
		}
	}
	r.Fair, r.Turn = max(rest, 0)/among, l.whole() < wanting
	if q.Want == 0 || m.each > before {
		m.vain = 0
	}
	if m.want > 0 {
		l.recall(q, m, r.Fair, rest, now, n)
		r.Wait = askAgain << m.vain
		m.vain = min(m.vain+1, askLast)
	}
	return r
}

// wants reports whether a member waits for more.
func (m *member) wants(q *Report, now int64) bool {
	return !m.gone && m.want > 0 && m.heard+q.TTL >= now
}

// fill gives what is free to those who want more: the highest priority first, so that the least parts of each
// become equal. Whom others went before is owed a twentieth of what they got.
func (l *Ledger) fill(q *Report, now int64, n *News) {
	free := l.whole()
	var ids []string
	for id, o := range l.members {
		if free -= o.each; o.wants(q, now) {
			ids = append(ids, id)
		} else {
			o.passed = 0
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := l.members[a], l.members[b]
		return cmp.Or(cmp.Compare(y.rank, x.rank), cmp.Compare(x.each, y.each), cmp.Compare(x.served, y.served), cmp.Compare(a, b))
	})
	give := func(id string, part int64) {
		o := l.members[id]
		part = min(part, o.want, free)
		if part <= 0 {
			return
		}
		free -= part
		o.each, o.want, o.vain = o.each+part, o.want-part, 0
		for _, other := range ids {
			if x := l.members[other]; x.rank < o.rank && x.want > 0 {
				x.passed += part
			}
		}
		if id == q.ID {
			o.served = l.ver
			return
		}
		if o.pushed == 0 {
			o.turn = o.served
		}
		o.served = l.ver
		o.pushed += part
		n.Turn = l.whole() < int64(len(ids))
		if n.Push == nil {
			n.Push = make(map[string]Push)
		}
		n.Push[id] = Push{o.seq, o.pushed}
	}
	for _, id := range ids {
		if o := l.members[id]; o.passed >= floorAmong {
			had := o.each
			give(id, o.passed/floorAmong)
			o.passed -= floorAmong * (o.each - had)
		}
	}
	for i := 0; i < len(ids); {
		end, sum := i, int64(0)
		for end < len(ids) && l.members[ids[end]].rank == l.members[ids[i]].rank {
			sum += l.members[ids[end]].each
			end++
		}
		for ; i < end; i++ {
			among, had := int64(end-i), l.members[ids[i]].each
			give(ids[i], (sum+free+among-1)/among-had)
			sum -= had
		}
	}
}

// recall has the others give up what they do not need, what is more than fair, and what waits at a lower priority.
func (l *Ledger) recall(q *Report, m *member, fair, rest, now int64, n *News) {
	lower, held, above, more, due := int64(0), int64(0), int64(0), int64(0), false
	for id, o := range l.members {
		switch {
		case id == q.ID || o.gone || o.want == 0:
		case o.rank < m.rank:
			lower, held = lower+1, held+o.each
		case o.each > fair:
			above, more = above+1, more+o.each
		}
	}
	level := fair // no more is to be given up than is wanted
	if above > 0 {
		level = max(fair, (more-m.want)/above)
	}
	low := int64(0)
	if lower > 0 {
		low = max(held-m.want, rest/floorAmong, 0) / lower
	}
	for id, o := range l.members {
		if id == q.ID || o.gone || o.each == 0 {
			continue
		}
		switch {
		case o.want == 0:
			due = true
		case o.rank < m.rank:
			due = due || o.each > low
		case o.rank == m.rank:
			due = due || o.each > fair && o.each > m.each+1+fair/16 || m.each == 0
		}
	}
	if !due || now < l.recalled {
		return
	}
	n.Recall, n.Fair, n.Rank, n.Low = true, level, m.rank, low
	l.recalled = now + recallEvery
}
