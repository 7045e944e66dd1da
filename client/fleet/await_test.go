package fleet

import "testing"

// What members sent by themselves while the store was away is counted before anything is granted by what responses
// told meanwhile; who was heard in that time was not away, and who is gone is not waited for.
func TestLedgerAwaitsWhoWasAway(t *testing.T) {
	for name, c := range map[string]struct {
		away, heard, later int64 // for how long, how long ago the other was heard, and is not
		learn              bool
		rolls              bool
	}{
		"all were away":   {3000, 5000, 0, true, true},
		"one is gone":     {3000, 5000, awaitFor, false, true},
		"it alone was":    {3000, 1000, 0, false, false},
		"it sent no more": {0, 5000, 0, false, false},
	} {
		b := shared(t)
		b.now += 100
		b.tell("b", nil)
		b.now += c.heard
		held := b.q["a"].Granted + 10
		r := b.tell("a", func(q *report) {
			bound := b.l.granted + 10 + 20 // these the other sent
			q.Granted, q.Finished, q.Want, q.Away = held, held, 30, c.away
			q.Windows = map[string]told{"w": {Limit: 100, Bound: bound, Newest: bound, Remaining: 60, Ver: q.Ver, Earliest: b.now + 2000, Latest: b.now + 2000}}
		})
		if rolls := r.News != nil && r.News.Roll; rolls != c.rolls || r.Learn != c.rolls || r.Learn && (r.Left > 0 || r.Granted > held) {
			t.Errorf("%s: the first to come gets %+v, %+v", name, r, r.News)
		}
		b.now += c.later
		if c.learn {
			b.tell("b", func(q *report) {
				q.Granted += 20
				q.Finished, q.Away = q.Granted, c.away
			})
		}
		r = b.tell("a", func(q *report) { q.Want, q.Away = 30, 0 })
		if r.Learn || c.learn != (r.Granted == held) {
			t.Errorf("%s: then it gets %+v", name, r)
		}
	}
}

// Who joins meanwhile is not one of those that are waited for.
func TestLedgerAwaitsNoNewcomer(t *testing.T) {
	b := shared(t)
	b.now += 5000
	if r := b.tell("a", func(q *report) { q.Granted, q.Finished, q.Away = q.Granted+10, q.Granted+10, 3000 }); !r.Learn {
		t.Fatalf("the first to come gets %+v", r)
	}
	if r := b.tell("c", func(q *report) { q.Want = 30 }); !r.Learn || r.Granted > 0 {
		t.Errorf("a newcomer gets %+v", r)
	}
	if r := b.tell("b", nil); r.Learn {
		t.Errorf("when all are heard, the last gets %+v", r)
	}
}
