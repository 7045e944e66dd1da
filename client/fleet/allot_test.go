package fleet

import (
	"testing"
)

// proved makes the window of a ledger one that is proved to be fixed, with a period of two seconds.
func proved(b *book) *windowState {
	w := b.l.windows["w"]
	w.length, w.fixed = 2000, true
	w.phase = phase{period: 2000, lo: w.earliest - 2020, hi: w.earliest - 2000, at: b.now, turns: 10}
	return w
}

// term returns a ledger whose two members have allotments that sum to the limit.
func term(t testing.TB) *book {
	t.Helper()
	b := shared(t)
	proved(b)
	for range 4 {
		for _, id := range []string{"a", "b"} {
			b.tell(id, func(q *report) { q.Want = 100 })
		}
	}
	b.now += 2100
	for range 2 {
		for _, id := range []string{"a", "b"} {
			b.tell(id, func(q *report) { q.Want = 100 })
		}
	}
	if b.l.term == 0 || b.l.allotted() != 100 {
		t.Fatalf("in term %d, %d are allotted", b.l.term, b.l.allotted())
	}
	return b
}

// A term begins with what members hold, and in its first instance of the window no more is allotted
// than is left of that.
func TestTermBeginsWithWhatIsHeld(t *testing.T) {
	b := shared(t)
	proved(b)
	left := b.l.windows["w"].bound - b.l.finished
	for _, id := range []string{"a", "b"} {
		held := b.l.members[id].granted - b.l.members[id].finished
		if r := b.tell(id, func(q *report) { q.Want = 10 }); r.Term == 0 || r.Each < held || r.Base != b.l.members[id].finished {
			t.Errorf("%s, which holds %d, gets %+v", id, held, r)
		}
	}
	for range 5 {
		for _, id := range []string{"a", "b", "c"} {
			b.tell(id, func(q *report) { q.Want = 50 })
			if n := b.l.allotted(); n > left {
				t.Fatalf("%d of %d are allotted", n, left)
			}
		}
	}
	b.now += 2100
	b.tell("c", func(q *report) { q.Want = 50 })
	if n := b.l.allotted(); n != 100 {
		t.Errorf("from the next opening on, %d are allotted", n)
	}
}

// Nothing is allotted where the least doubt is left.
func TestNoTerm(t *testing.T) {
	for name, change := range map[string]func(b *book, w *windowState){
		"not proved":   func(_ *book, w *windowState) { w.fixed = false },
		"no phase":     func(_ *book, w *windowState) { w.phase.turns = 2 },
		"other length": func(_ *book, w *windowState) { w.length = 2020 },
		"strangers":    func(b *book, w *windowState) { w.shared = b.now + 10 },
		"small":        func(_ *book, w *windowState) { w.limit = 3 },
		"another":      func(b *book, _ *windowState) { b.l.windows["v"] = &windowState{limit: 9, bound: 1000, known: true} },
		"nothing":      nil,
	} {
		b := shared(t)
		w := proved(b)
		if change != nil {
			change(b, w)
		}
		if r := b.tell("a", nil); (r.Term != 0) != (change == nil) {
			t.Errorf("%s: the term is %d", name, r.Term)
		}
	}
}

// What one gives back goes to those who have least, whoever told.
func TestAllotmentsAreLevelled(t *testing.T) {
	b := term(t)
	b.now += 300
	r := b.tell("c", func(q *report) { q.Want = 20 })
	if r.Each != 0 || r.At < b.now+askAllotted || r.News == nil || !r.News.Recall || r.News.Fair != 40 {
		t.Fatalf("a newcomer gets %+v, the news is %+v", r, r.News)
	}
	before := b.l.members["b"].each
	r = b.tell("a", func(q *report) { q.Each, q.Want = 33, 60 })
	if r.News == nil || r.News.Term != b.l.term || r.News.Push["c"].Gain == 0 || b.l.members["c"].each > 20 || b.l.members["b"].each != before {
		t.Errorf("the news is %+v; the members have %d, %d and %d", r.News, b.l.members["a"].each, before, b.l.members["c"].each)
	}
	if n := b.l.allotted(); n != 100 {
		t.Errorf("%d are allotted", n)
	}
	// The less hope there is, the less it asks.
	at := r.At
	for range 3 {
		r = b.tell("b", func(q *report) { q.Want = 60 })
		if r.Each == before && r.At-b.now < at-b.now {
			t.Errorf("asks again after %d", r.At-b.now)
		}
		at = r.At
	}
}

// What a member that ends has spent counts until the window opens again.
func TestLastAllotmentLapses(t *testing.T) {
	b := term(t)
	each := b.l.members["a"].each
	b.tell("a", func(q *report) { q.Each, q.Last = 10, 1 })
	b.tell("b", func(q *report) { q.Want = 100 })
	if n := b.l.members["b"].each; n != 90 {
		t.Errorf("b has %d; a had %d, and spent 10", n, each)
	}
	opens := b.l.windows["w"].phase.next(b.now)
	if r := b.tell("b", func(q *report) { q.Want = 100 }); r.At < opens || r.At > opens+20 {
		t.Errorf("b is to ask again %d after it opens", r.At-opens)
	}
	b.now += 2100
	b.tell("b", func(q *report) { q.Want = 100 })
	if n := b.l.members["b"].each; n != 100 {
		t.Errorf("in the next instance b has %d", n)
	}
}

// When a term ends, nothing is granted before all that may still spend an allotment have called.
func TestTermEnds(t *testing.T) {
	windows := func(limit int64, names ...string) func(b *book, q *report) {
		return func(b *book, q *report) {
			q.Windows = map[string]told{}
			for _, name := range names {
				q.Windows[name] = told{Limit: limit, Ver: -1, Earliest: b.now + 1000, Latest: b.now + 1001}
			}
		}
	}
	for name, change := range map[string]func(b *book, q *report){
		"doubt":          func(_ *book, q *report) { q.Doubt = 1 },
		"lower limit":    windows(50, "w"),
		"another window": windows(100, "w", "v"),
		"cannot share":   func(_ *book, q *report) { q.Off = 2 },
		"long ago":       func(b *book, _ *report) { b.l.began = b.now - 400_000 },
		"lost":           func(b *book, _ *report) { b.l = nil },
	} {
		b := term(t)
		b.tell("c", nil) // it has nothing
		r := b.tell("a", func(q *report) {
			q.Want = 10
			change(b, q)
		})
		if r.Term != 0 || !r.Learn || r.News == nil || !r.News.Roll || r.Granted != b.q["a"].Granted {
			t.Errorf("%s: %+v", name, r)
		}
		granted := b.q["a"].Granted
		if r = b.tell("a", func(q *report) { q.Want = 10 }); !r.Learn || r.Granted != granted {
			t.Errorf("%s: before the other called: %+v", name, r)
		}
		if r = b.tell("b", func(q *report) { q.Term, q.Each = 0, 0 }); r.Learn {
			if name == "lost" { // it does not know that c has nothing
				continue
			}
			t.Errorf("%s: after all have called: %+v", name, r)
		}
	}
	b := term(t)
	b.tell("a", func(q *report) { q.Doubt = 1 })
	if w := b.l.windows["w"]; w.fixed || w.phase.turns > 0 || w.shared <= b.now {
		t.Errorf("after a doubt: %+v", w)
	}
}

// What proves that a window is fixed: that all of it is there again sooner after it was sent than in a
// window that rolls, or refills, or begins with the first request.
func TestRenewed(t *testing.T) {
	for i, c := range []struct {
		past, remaining, granted, now int64 // of a limit of 100; the last opening was found at 0
		want                          bool
	}{
		{100, 99, 101, 1500, true},
		{100, 99, 101, 2001, false}, // it may have rolled
		{40, 99, 41, 1500, false},   // little was sent
		{100, 90, 101, 1500, false}, // not all is there
		{100, 80, 120, 1500, true},  // or only what others hold is not
		{100, 60, 140, 1500, false},
	} {
		l := newLedger("x")
		w := &windowState{limit: 100, length: 2000}
		l.went, l.past, l.granted, l.finished = c.now-30, c.past, c.granted, c.past+1
		if got := l.renewed(w, c.remaining, c.now); got != c.want || w.went != c.now-30 || w.past != c.past {
			t.Errorf("case %d: %v, %+v", i, got, w)
		}
	}
}

// What a member has not spent of an allotment when its term ends, it keeps and spends once.
func TestUnspentAllotmentIsKept(t *testing.T) {
	b := term(t)
	b.now += 10
	each, granted, outstanding := b.q["a"].Each, b.q["a"].Granted, b.l.granted-b.l.finished
	r := b.tell("a", func(q *report) { q.Doubt, q.Spent = 1, 20 })
	if rest := each - 20; r.Granted != granted+rest || b.l.granted-b.l.finished != outstanding+rest {
		t.Errorf("of %d, it keeps %d; %d are outstanding, before it were %d", each, r.Granted-granted, b.l.granted-b.l.finished, outstanding)
	}
	b.l = nil
	each, granted = b.q["b"].Each, b.q["b"].Granted
	if r = b.tell("b", func(q *report) { q.Spent = 5 }); r.Granted != granted+each-5 || b.l.granted-b.l.finished != r.Granted-b.q["b"].Finished {
		t.Errorf("in a new ledger, of %d it keeps %d; %d are outstanding", each, r.Granted-granted, b.l.granted-b.l.finished)
	}
}
