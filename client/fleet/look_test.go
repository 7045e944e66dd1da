package fleet

import "testing"

// dies has one of two members die that have allotments, and the other one, which has spent its own, say how much
// remains as it heard last.
func dies(t testing.TB, remaining int64) (*book, reply) {
	t.Helper()
	b := term(t)
	b.now += b.q["b"].TTL + b.q["b"].Grace + 1
	r := b.tell("a", func(q *report) {
		q.Granted += q.Each
		q.Finished, q.Spent, q.Want = q.Granted, q.Each, 100
		next := b.l.only().phase.next(b.now)
		q.Windows = map[string]told{"w": {Limit: 100, Bound: b.l.granted + remaining, Newest: b.l.granted + remaining, Remaining: remaining, Ver: b.l.ver, Earliest: next, Latest: next}}
	})
	return b, r
}

// What one had that is dead, or so it seems, goes to others when one of them has looked whether it is left; and as
// much of it is kept as was taken since. Parts are allotted again from the next opening on.
func TestPartOfTheDeadIsLookedFor(t *testing.T) {
	b, r := dies(t, 50)
	if r.Term != 0 || !r.Probe || r.Left != 0 {
		t.Fatalf("as b is dead, a is told %+v", r)
	}
	granted := r.Granted
	r = b.tell("a", func(q *report) {
		q.Finished, q.Probed, q.Want = q.Granted, q.Seq-1, 100
		next := b.l.only().phase.next(b.now)
		q.Windows = map[string]told{"w": {Limit: 100, Bound: b.l.granted + 29, Newest: b.l.granted + 29, Remaining: 29, Ver: b.l.ver, Earliest: next, Latest: next}}
	})
	if gain := r.Granted - granted; gain != 9 || r.Term != 0 {
		t.Errorf("of 29 that are left of 50, it is granted %d in term %d, want 9", gain, r.Term)
	}
}

// None looks where all is spent, as far as was told.
func TestNoneLooksForNothing(t *testing.T) {
	if _, r := dies(t, 0); r.Probe || r.Left != 0 || r.At == 0 {
		t.Errorf("as nothing is left, a is told %+v", r)
	}
}

// What comes late from one that is dead ends no term, and it is allotted no more than is free.
func TestLateReportEndsNoTerm(t *testing.T) {
	b := term(t)
	delete(b.l.members, "b")
	b.l.members["a"].each = 90
	if r := b.tell("b", func(q *report) { q.Granted, q.Term = q.Finished+30, 0 }); r.Term == 0 || r.Each != 10 {
		t.Errorf("it is told %+v", r)
	}
}

// Nothing is pushed to one that was granted something half a window ago, and not heard since.
func TestNothingIsPushedToTheSilent(t *testing.T) {
	b := shared(t)
	w := proved(b)
	m := b.l.members["a"]
	if m.granted = m.finished + 5; b.l.holds(m, m.heard+w.length/2) || !b.l.holds(m, m.heard+w.length/2+1) {
		t.Errorf("one that has 5 is not taken for silent half of %d after it was heard, or sooner", w.length)
	}
	if m.granted = m.finished; b.l.holds(m, m.heard+w.length) {
		t.Error("one that has nothing is")
	}
}
