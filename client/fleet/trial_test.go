package fleet

import "testing"

// A silentBook is a ledger whose two members call an API that announces nothing and admits 100 in ten seconds.
type silentBook struct{ *book }

func newSilentBook(t testing.TB) silentBook {
	t.Helper()
	b := silentBook{&book{t: t, now: 1_900_000_000_000, q: make(map[string]*report)}}
	for _, id := range []string{"a", "b"} {
		b.tell(id, func(q *report) { q.Off, q.TTL = 1, 40_000 })
	}
	return b
}

// spend has both members spend so much in all, and then be refused until a time. hold says that refusals
// taught that before.
func (b silentBook) spend(n, until int64, hold bool) (r reply) {
	for _, id := range []string{"a", "b"} {
		r = b.tell(id, func(q *report) {
			q.Finished, q.Granted, q.Off = q.Finished+n/2+10, q.Finished+n/2+10, 0
			q.Refused, q.Heeded, q.Closed, q.Hold = q.Refused+10, q.Refused, until, 0
			if hold {
				q.Hold = until
			}
		})
		b.now += 5
	}
	return r
}

// term has the ledger begin a term of 100 in ten seconds, which opens after the given time.
func (b silentBook) term() (opens int64) {
	b.t.Helper()
	opens = b.now + 10_000
	b.spend(70, opens, false)
	b.now = opens + 100
	opens += 10_000
	if r := b.spend(100, opens, true); r.Term == 0 || r.Each != 50 || b.l.only().limit != 100 || r.Windows[silentName].Period != 10_000 {
		b.t.Fatalf("after two windows: %+v", r)
	}
	b.tell("a", nil)
	return opens
}

func TestSilentTermBegins(t *testing.T) {
	b := newSilentBook(t)
	opens := b.term()
	if next := b.l.only().phase.next(b.now); next != opens {
		t.Errorf("it opens at %d, want %d", next, opens)
	}
	if b.l.hold != opens {
		t.Errorf("members are held until %d, want %d", b.l.hold, opens)
	}
}

func TestNoSilentTerm(t *testing.T) {
	for name, c := range map[string]struct {
		gap, until int64 // between the closings; and of the last
		hold       bool
		spent      int64
		change     func(q *report) // of the last report
	}{
		"nothing was taught": {10_000, 10_000, false, 100, nil},
		"no usual period":    {7_000, 7_000, true, 100, nil},
		"another opening":    {20_000, 9_000, true, 100, nil},
		"too little":         {10_000, 10_000, true, 2, nil},
		"one is under way":   {10_000, 10_000, true, 100, func(q *report) { q.Granted++ }},
		"windows are announced": {10_000, 10_000, true, 100, func(q *report) {
			q.Windows = map[string]told{"w": {Limit: 100, Earliest: q.Hold, Latest: q.Hold}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSilentBook(t)
			b.spend(70, b.now+c.until, false)
			opens := b.now - 10 + c.gap + c.until
			b.now = opens - c.until + 100
			b.tell("a", func(q *report) {
				q.Granted, q.Finished, q.Closed = q.Granted+c.spent, q.Finished+c.spent, opens
				if c.hold {
					q.Hold = opens
				}
			})
			if r := b.tell("b", func(q *report) {
				if q.Hold = 0; c.hold {
					q.Hold = opens
				}
				if c.change != nil {
					c.change(q)
				}
			}); r.Term != 0 || b.l.term != 0 {
				t.Errorf("a term begins: %+v", r)
			}
		})
	}
}

// Two windows in which as much is served are enough where no member was taught anything yet.
func TestSilentTermOfTwoWindowsThatAgree(t *testing.T) {
	b := newSilentBook(t)
	until := b.now + 10_000
	for i := range 3 {
		r := b.spend(100, until, false)
		if begins := i == 2; (r.Term != 0) != begins {
			t.Errorf("closed for the %d. time: %+v", i+1, r)
		}
		b.now, until = until+100, until+10_000
	}
}

// want has a member want more than its part, all of which it spent in this instance.
func (b silentBook) want(id string) reply {
	return b.tell(id, func(q *report) { q.Spent, q.Want, q.Hold, q.Closed = q.Each, 60, 0, 0 })
}

func TestTrialOfASilentLimit(t *testing.T) {
	b := newSilentBook(t)
	opens := b.term()
	instance := func(n int64) { b.now = opens + 10_000*n + 1000 }
	instance(0)
	if r := b.want("a"); r.Try != 0 || r.At != opens+15_000 {
		t.Errorf("in the first instance: %+v", r)
	}
	instance(1)
	if r := b.want("a"); r.Try != 0 || r.At != opens+15_000 {
		t.Errorf("in the first half of the next one: %+v", r)
	}
	b.now += 4500
	if r := b.want("a"); r.Try != 0 || r.At > b.now+1000 {
		t.Errorf("while the other may have half of it left: %+v", r)
	}
	if r := b.want("b"); r.Try != 1 {
		t.Errorf("once all is spent: %+v", r)
	}
	if r := b.want("a"); r.Try != 0 {
		t.Errorf("beside another trial: %+v", r)
	}
	tried := b.q["b"].Seq
	over := func(id string, served, failed int64) reply {
		return b.tell(id, func(q *report) {
			q.Spent, q.Want, q.Tried, q.Served, q.Failed = q.Each+served, 60, tried, served, failed
		})
	}
	if r := over("b", 1, 0); r.Try != 2 || b.l.only().limit != 101 || b.l.allotted() != 100 {
		t.Errorf("after one was served: %+v, of %d are allotted %d", r, b.l.only().limit, b.l.allotted())
	}
	tried = b.q["b"].Seq
	if over("b", 1, 1); b.l.only().limit != 102 || b.l.allotted() != 100 {
		t.Errorf("after one of two was served, of %d are allotted %d", b.l.only().limit, b.l.allotted())
	}
	instance(2)
	if b.want("a"); b.l.allotted() != 102 {
		t.Errorf("in the next instance, %d are allotted", b.l.allotted())
	}
	b.now += 5000
	if r := b.want("b"); r.Try != 0 || r.At > opens+55_000 {
		t.Errorf("soon after one was refused: %+v", r)
	}
	for _, n := range []int64{4, 5} {
		instance(n)
		b.now += 5000
		b.want("a")
		if r := b.want("b"); (r.Try == 1) != (n == 5) {
			t.Errorf("in instance %d: %+v", n, r)
		}
	}
}

// What a trial may take of the parts of others is no gain, and whom it leaves with nothing must not doubt.
func TestTrialBesideAnIdleMember(t *testing.T) {
	b := newSilentBook(t)
	opens := b.term()
	b.tell("b", func(q *report) { q.Each, q.Want = 4, 0 })
	b.now = opens + 1000
	b.want("a")
	b.now = opens + 16_000
	r := b.want("a")
	if r.Each != 96 || r.Try != 5 {
		t.Fatalf("one beside an idle member gets %+v", r)
	}
	tried := b.q["a"].Seq
	b.tell("a", func(q *report) { q.Spent, q.Tried, q.Served, q.Failed = q.Each+4, tried, 4, 1 })
	if limit := b.l.only().limit; limit != 100 {
		t.Errorf("the limit is %d after a trial that served what another left", limit)
	}
	if r := b.tell("b", func(q *report) { q.Doubt = 1 }); r.Term == 0 {
		t.Error("a refusal for that reason ends the term")
	}
	b.now = opens + 21_000
	if r := b.tell("b", func(q *report) { q.Doubt = 1 }); r.Term != 0 {
		t.Error("a refusal in the next instance does not end the term")
	}
}

// A term that was wrong is over, and after two of them the next one waits.
func TestSilentTermIsRefuted(t *testing.T) {
	b := newSilentBook(t)
	for i := range 2 {
		b.now = b.term() + 5000
		if r := b.tell("a", func(q *report) { q.Doubt, q.Closed, q.Hold = 1, b.now+5000, 0 }); r.Term != 0 || r.Open == 0 || len(r.Windows) > 0 || r.News == nil || !r.News.Roll {
			t.Fatalf("after a refusal in term %d: %+v", i, r)
		}
		if b.tell("b", nil); (b.l.silent.after > b.now) != (i == 1) {
			t.Errorf("after term %d the next may begin in %d ms", i, b.l.silent.after-b.now)
		}
		b.now += 20_000
		b.l.silent.closed = b.now - 8000
	}
}

// A ledger that fell back to an older state begins anew.
func TestSilentTermOfAnOlderLedger(t *testing.T) {
	b := newSilentBook(t)
	b.term()
	b.tell("a", func(q *report) { q.Ver = 1 << 20 })
	if b.l.term != 0 || len(b.l.windows) > 0 || b.l.silent.closings > 0 {
		t.Errorf("in term %d there are %d windows, after %d closings", b.l.term, len(b.l.windows), b.l.silent.closings)
	}
}
