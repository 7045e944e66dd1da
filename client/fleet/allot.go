package fleet

import (
	"cmp"
	"slices"
)

// Once it is proved that the only window is fixed, and known when it opens, the ledger begins a
// term: each member is allotted a part of the window that renews itself at each opening. Then
// units are no longer granted one by one, and members call only when their needs change.
//
// The allotments never sum to more than the limit. A member lowers its own before it says so,
// and never below what it sent of this instance of the window; only the ledger raises. What may
// be counted in the next instance a member counts in both.

// only returns the window of the ledger if there is just one.
func (l *ledger) only() (only *windowState) {
	for _, w := range l.windows {
		if only != nil {
			return nil
		}
		only = w
	}
	return only
}

// fewest is how many units a window has for each member, at the least, while they are allotted.
const fewest = 2

// begin begins a term if all is known for it. The allotment of a member begins with what it holds
// or has under way.
func (l *ledger) begin(now int64) {
	w := l.only()
	if w == nil || l.prober != "" || !w.known || !w.fixed || !w.phase.known() || 200*w.length > 201*w.phase.period ||
		l.rough(w) && w.wait.Shorter(w.phase.period) || w.shared > now || now <= l.next || w.limit < fewest*int64(len(l.members)) {
		return
	}
	l.term, l.began, l.recalled, l.log = l.ver, now, 0, nil
	// Of this instance, the rest was sent before.
	l.most, l.until = min(w.bound-l.finished, w.limit), w.phase.next(now)+ledgerMargin
	for _, m := range l.members {
		m.each, m.base, m.lapses = m.granted-m.finished, m.finished, 0
	}
}

// end ends the term: members say what they sent before anything is granted again. Those who may
// not send without a call need not be heard.
func (l *ledger) end(q *report, now int64, n *news) {
	l.term, l.log = 0, nil
	if l.endSilent(now, n) {
		return
	}
	for _, w := range l.windows {
		w.known, w.shut = false, 0
	}
	l.learn, l.need, l.since = now+q.TTL+q.Grace, 0, now
	for id, m := range l.members {
		if id == q.ID {
			l.keep(q, m)
		}
		if m.heard = min(m.heard, now-1); id == q.ID || m.each <= 0 && m.granted == m.finished {
			m.heard = now
		}
	}
	n.Roll = true
}

// ends reports whether the term is over. One that was wrong to begin, as a member doubts, takes
// a new proof.
func (l *ledger) ends(q *report, now int64) bool {
	w := l.only()
	if w == nil {
		return true
	}
	if q.Doubt > 0 && q.Term == l.term && now > l.silent.trial.excused {
		w.fixed, w.shared = false, now+openFor
		w.phase.fail()
	}
	return !w.phase.known() || w.limit < fewest*int64(len(l.members)) || w.limit < l.allotted() ||
		(now-l.began)/drift > w.phase.period/64 // the clocks may have come apart
}

// allotted returns how much the members are allotted in all.
func (l *ledger) allotted() (n int64) {
	for _, m := range l.members {
		n += m.each
	}
	return n
}

// free returns how much is not allotted.
func (l *ledger) free(now int64) int64 {
	most := l.only().limit
	if now <= l.until {
		most = min(most, l.most)
	}
	return most - l.allotted()
}

// askAllotted is for how long a member that gets nothing does not ask again.
const askAllotted = 5000

// vainMost is how often in turn that time doubles.
const vainMost = 4

// allot raises the allotments of those who want more, and answers the member.
func (l *ledger) allot(q *report, m *memberState, now int64, n *news) (r reply) {
	w, before := l.only(), m.each
	for _, o := range l.members {
		if o.lapses > 0 && o.lapses < now {
			o.each, o.lapses = 0, 0
		}
	}
	m.term = l.term
	wanting := l.wanting()
	l.fill(q, wanting, now, n)
	l.tell(m, &r)
	if q.Want == 0 || m.each > before || l.hold > now {
		m.vain = 0
		return r
	}
	r.At = now + max(askAllotted, 2*w.phase.period)<<m.vain
	m.vain = min(m.vain+1, vainMost)
	if now <= l.until && l.most < w.limit {
		r.At = l.until + 1
	}
	if w.silent {
		var at int64
		if r.Try, at = l.try(q, now); at > 0 {
			r.At = min(r.At, at)
		}
	}
	rest := w.limit
	for _, o := range l.members {
		if o.want == 0 {
			rest -= o.each
		}
		if o.lapses > 0 && o.each > 0 {
			r.At = min(r.At, o.lapses+1)
		}
		if o != m && o.each > 0 && o.lease < now+q.TTL/10 { // it is late to renew that: it may be dead
			r.At = min(r.At, max(o.lease+q.Grace, now)+1)
		}
	}
	switch fair, low := l.fair(wanting, rest), l.low(m); {
	case !l.uneven(m, fair, low):
	case now >= l.recalled:
		n.Recall, n.Term, n.Fair, l.recalled = true, l.term, max(fair, 1), now+200
		n.Rank, n.Low = m.rank, low
	case m.vain < vainMost: // what another asked for may be less than it lacks
		r.At = min(r.At, l.recalled+1)
	}
	return r
}

// tell has a reply tell the member of the term.
func (l *ledger) tell(m *memberState, r *reply) {
	m.term = l.term
	r.Term, r.Each, r.Base = l.term, m.each, m.base
}

// uneven reports whether others may have more than they need, or than is fair.
func (l *ledger) uneven(m *memberState, fair, low int64) bool {
	for _, o := range l.members {
		if o == m || o.each == 0 || o.lapses > 0 { // that has given back what it could
			continue
		}
		if o.want == 0 || o.each > fair && m.each < fair-fair/16 || o.rank < m.rank && o.each > max(low, 1) {
			return true
		}
	}
	return false
}

// fair returns how much each has at the most where so much is divided equally among those who want more, and
// those who need less leave the rest to the others.
func (l *ledger) fair(wanting []string, rest int64) int64 {
	needs := make([]int64, 0, len(wanting))
	for _, id := range wanting {
		needs = append(needs, l.members[id].each+l.members[id].want)
	}
	slices.Sort(needs)
	for i, need := range needs {
		if among := int64(len(needs) - i); need >= rest/among {
			return rest / among
		}
		rest -= need
	}
	return l.only().limit
}

// low returns what each of those keeps that wait at a lower priority than the member, which wants more.
func (l *ledger) low(m *memberState) int64 {
	held, lower := int64(0), int64(0)
	for _, o := range l.members {
		if o.want > 0 && o.rank < m.rank {
			held, lower = held+o.each, lower+1
		}
	}
	if lower == 0 {
		return 0
	}
	return max(held-min(m.first, m.want), l.only().limit/floorAmong) / lower
}

// wanting returns who knows the term and wants more, the least allotments first.
func (l *ledger) wanting() (ids []string) {
	for id, o := range l.members {
		if o.want > 0 && o.term == l.term {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := l.members[a], l.members[b]
		return l.compare(a, b, cmp.Or(cmp.Compare(x.each, y.each), cmp.Compare(x.served, y.served)))
	})
	return ids
}

// fill gives what is free to those who want more: first what the requests of the highest priority need, and
// so that the least allotments become equal.
func (l *ledger) fill(q *report, ids []string, now int64, n *news) {
	free, sum := l.free(now), int64(0)
	for _, id := range ids {
		sum += l.members[id].each
	}
	for i, id := range ids {
		o := l.members[id]
		among := int64(len(ids) - i)
		part := min(max((sum+free+among-1)/among-o.each, l.preferred(o, free)), o.want, free)
		sum -= o.each
		if part <= 0 {
			continue
		}
		free -= part
		o.each, o.want = o.each+part, o.want-part
		l.turn(o)
		l.pass(o, part)
		if id == q.ID {
			continue
		}
		o.pushed += part
		if n.Push == nil {
			n.Push = make(map[string]push)
		}
		n.Push[id], n.Term, n.Inc, n.Ver = push{o.seq, o.pushed}, l.term, l.inc, l.ver
	}
}

// keep has a member keep what it has not spent of an allotment that is no longer valid: it counts as
// granted, and is not to be had once more.
func (l *ledger) keep(q *report, m *memberState) {
	if rest := q.Each - q.Spent; q.Term != 0 && rest > 0 {
		m.granted += rest
		l.granted += rest
	}
}

// enterAllotted takes in the allotment of a member, as it says.
func (l *ledger) enterAllotted(q *report, m *memberState, known bool, now int64) {
	switch {
	case q.Term == l.term && q.Inc == l.inc:
		if m.each, m.spent, m.lapses = q.Each, q.Spent, 0; q.Last > 0 {
			m.lapses = l.only().phase.next(now) + ledgerMargin
		}
	case !known: // what it has under way no allotment covers, but is over when the window opens again
		m.each, m.base = min(q.Granted-q.Finished, max(l.free(now), 0)), q.Finished
	default: // it has yet to hear of the term
		m.each = max(m.each, q.Granted-q.Finished)
	}
}
