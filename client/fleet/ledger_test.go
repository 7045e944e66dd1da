package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A book is a ledger and what its members were told.
type book struct {
	t   testing.TB
	l   *ledger
	now int64
	q   map[string]*report
}

// tell has a member report, as changed by change, and take in the reply.
func (b *book) tell(id string, change func(q *report)) reply {
	b.t.Helper()
	q := b.q[id]
	if q == nil {
		q = &report{ID: id, Members: 1, TTL: 4000, Grace: 1000, Trip: 50}
		b.q[id] = q
	}
	q.Seq++
	q.Nonce = id + ":" + time.UnixMilli(b.now).String()
	q.Windows, q.Want, q.Last, q.Doubt = nil, 0, 0, 0
	if change != nil {
		change(q)
	}
	l, r := exchange(b.l, q, b.now)
	b.l = l
	if !r.Stale {
		q.Told, q.Inc, q.Ver, q.Granted, q.Members, q.Heard = q.Finished, r.Inc, r.Ver, r.Granted, r.Members, q.Seq
		q.Term, q.Each = r.Term, r.Each
	}
	return r
}

// shared returns a ledger with a window of 100, of which one member holds 40 and the other half of the rest.
func shared(t testing.TB) *book {
	t.Helper()
	b := &book{t: t, now: 1_900_000_000_000, q: make(map[string]*report)}
	if r := b.tell("a", func(q *report) { q.Want = 40 }); !r.Probe || r.Granted != 1 {
		t.Fatalf("the first gets %+v, want a probe", r)
	}
	if r := b.tell("b", func(q *report) { q.Want = 40 }); r.Granted != 0 || r.At == 0 {
		t.Fatalf("the second gets %+v, want nothing and a time", r)
	}
	b.now += 50
	b.tell("a", func(q *report) {
		q.Finished, q.Probed, q.Want = 1, q.Seq-1, 40
		q.Windows = map[string]told{"w": {Limit: 100, Bound: 100, Newest: 100, Remaining: 99, Earliest: b.now + 2000, Latest: b.now + 2000}}
	})
	b.tell("b", func(q *report) { q.Want = 40 })
	if a, o := b.q["a"].Granted, b.q["b"].Granted; a != 41 || o != 30 {
		t.Fatalf("the members hold %d and %d, want 41 and 30", a, o)
	}
	return b
}

func TestLedgerGrantsUpToTheBound(t *testing.T) {
	b := shared(t)
	b.tell("a", func(q *report) { q.Want = 100 })
	b.tell("b", func(q *report) { q.Want = 100 })
	for range 4 {
		b.tell("a", func(q *report) { q.Want = 100 })
	}
	if sum := b.q["a"].Granted + b.q["b"].Granted; sum > 100 || sum < 99 {
		t.Errorf("the members hold %d of 100", sum)
	}
}

// A ledger that was lost grants nothing until all its members said what they hold.
func TestLostLedgerIsRebuilt(t *testing.T) {
	b := shared(t)
	b.l = nil
	r := b.tell("a", func(q *report) { q.Want = 40 })
	if !r.Learn || r.Granted != 41 || r.News == nil || !r.News.Roll {
		t.Errorf("the first that finds it lost gets %+v", r)
	}
	r = b.tell("b", func(q *report) { q.Want = 10 })
	if r.Learn || r.Granted != 31 || !r.Probe || b.l.granted-b.l.finished != 71 {
		t.Errorf("after all spoke: %+v, and %d are outstanding", r, b.l.granted-b.l.finished)
	}
}

// Should one never speak, the wait ends with its lease.
func TestRebuildingEnds(t *testing.T) {
	b := shared(t)
	b.l = nil
	b.tell("a", nil)
	b.now += 5001
	if r := b.tell("a", func(q *report) { q.Want = 1 }); r.Learn || !r.Probe {
		t.Errorf("after the lease: %+v", r)
	}
}

// A newcomer that makes the lost ledger anew knows of no other member.
func TestNewcomerRebuilds(t *testing.T) {
	b := shared(t)
	b.l = nil
	b.tell("new", func(q *report) { q.Want = 1 })
	b.now += 10
	if r := b.tell("a", func(q *report) { q.Want = 1 }); !r.Learn || r.Granted != 41 {
		t.Errorf("a member of the lost ledger gets %+v", r)
	}
}

// A member notices that the ledger has forgotten a reply, even after others called.
func TestOlderLedgerIsNoticed(t *testing.T) {
	b := shared(t)
	old := *b.l
	old.members = map[string]*memberState{"a": {seq: 2, granted: 41, finished: 1, lease: b.now + 4000}, "b": {seq: 1, lease: b.now + 4000}}
	old.granted, old.ver = 41, old.ver-1
	b.l = &old
	b.q["a"].Ver = 0 // a knows of nothing that is gone
	b.tell("a", nil)
	b.tell("a", nil)
	b.now += 10
	if r := b.tell("b", func(q *report) { q.Want = 1 }); !r.Learn || r.News == nil || !r.News.Roll || b.l.granted-b.l.finished != 70 {
		t.Errorf("b, whose grant is forgotten, gets %+v; %d are outstanding", r, b.l.granted-b.l.finished)
	}
}

// What a dead member held counts as spent, for the window and no longer.
func TestTheDeadAreBuried(t *testing.T) {
	b := shared(t)
	b.now += 4500
	b.tell("a", nil)
	if len(b.l.members) != 2 {
		t.Fatal("it is buried within the grace")
	}
	b.now += 600
	b.tell("a", nil)
	if len(b.l.members) != 1 || b.l.granted != 71 || b.l.finished != 31 {
		t.Errorf("%d members, %d granted, %d over", len(b.l.members), b.l.granted, b.l.finished)
	}
}

// What a member sent by itself, after its lease, is in no number of the ledger: what is left is seen
// before more is granted, and nothing is taken off it.
func TestReturnAfterTheLease(t *testing.T) {
	for _, buried := range []bool{true, false} {
		b := shared(t)
		if b.now += 3000; buried {
			b.now += 2500
		}
		b.tell("a", nil)
		over := b.l.finished
		b.tell("b", func(q *report) { q.Inc, q.Granted, q.Finished = "", q.Granted+500, q.Granted+500 })
		before := b.q["a"].Granted
		if r := b.tell("a", func(q *report) { q.Want = 40 }); !r.Probe || r.Granted != before+1 {
			t.Fatalf("buried %v: the other gets %+v, want a probe", buried, r)
		}
		b.now += 50
		r := b.tell("a", func(q *report) {
			q.Probed, q.Want, q.Finished = q.Seq-1, 40, q.Granted
			bound := over + q.Granted - b.l.members["a"].finished + 80 // the probe went before that one came back
			q.Windows = map[string]told{"w": {Limit: 100, Bound: bound, Newest: bound, Remaining: 80, Earliest: b.now + 2000, Latest: b.now + 2000, Ver: q.Ver}}
		})
		if got := r.Granted - b.q["a"].Finished; got < 20 {
			t.Errorf("buried %v: of 80 that are left the other gets %d", buried, got)
		}
	}
}

func TestReportsOutOfTurn(t *testing.T) {
	b := shared(t)
	before := *b.l
	late := *b.q["a"]
	late.Seq, late.Want = late.Seq-1, 40
	if _, r := exchange(b.l, &late, b.now); !r.Stale {
		t.Errorf("a late report gets %+v", r)
	}
	if b.l.granted != before.granted || b.l.ver != before.ver {
		t.Error("a late report changed the ledger")
	}
}

// Less is left than the fleet explains.
func TestStrangers(t *testing.T) {
	b := shared(t)
	b.tell("a", func(q *report) {
		q.Finished = 11
		q.Windows = map[string]told{"w": {Limit: 100, Bound: 60, Newest: 45, Remaining: 10, Ver: q.Ver, Earliest: b.now + 2000, Latest: b.now + 2000}}
	})
	if r := b.tell("b", func(q *report) { q.Want = 10 }); r.Granted != 30 || r.Left != 0 {
		t.Errorf("b gets %+v", r)
	}
}

func TestUnsharedForAWhile(t *testing.T) {
	b := shared(t)
	if r := b.tell("a", func(q *report) { q.Off = 2 }); r.Open != b.now+openFor {
		t.Errorf("got %+v", r)
	}
	if r := b.tell("b", func(q *report) { q.Off, q.Want = 0, 5 }); r.Open == 0 || r.Granted != 30 {
		t.Errorf("the other member got %+v", r)
	}
}

// join returns a fleet of one member, of which so many requests wait.
func join(t testing.TB, wake func(), waiting int) (*Fleet, *member) {
	t.Helper()
	f, err := New(new(Memory), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return f, f.Join("key", hostOf(wake, func() int { return waiting })).(*member)
}

// What Ask agreed to is not given back before Take.
func TestPromiseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 0)
		now := time.Now()
		m.Ask(now, limit.Demand{})
		time.Sleep(gather)
		synctest.Wait()
		if d, ok := m.Ask(now, limit.Demand{}); !ok || d.Unknown || d.At.After(now) {
			t.Fatalf("got %+v, %v", d, ok)
		}
		m.hear(&news{Recall: true})
		time.Sleep(100 * time.Millisecond)
		m.Take(now, 1)
		if m.flying[m.number].alone {
			t.Error("what was promised was given back")
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// When the lease is over, what is held is not spent.
func TestLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slowStore)
		f, err := New(s, []byte("0123456789abcdef"), WithLease(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		m := f.Join("key", hostOf(func() {}, func() int { return 1 })).(*member)
		m.Ask(time.Now(), limit.Demand{})
		synctest.Wait()
		number := m.Take(time.Now(), 1)
		reset := time.Now().Add(time.Minute)
		m.Observe(time.Now(), number, []throttle.Announced{{Name: "w", Limit: 100, Remaining: 99, Earliest: reset, Latest: reset}}, true, time.Time{})
		synctest.Wait()
		m.Ask(time.Now(), limit.Demand{})
		time.Sleep(100 * time.Millisecond)
		if _, ok := m.Ask(time.Now(), limit.Demand{}); !ok || m.granted <= m.sent {
			t.Fatal("nothing is held")
		}
		s.down.Store(true)
		time.Sleep(1500 * time.Millisecond)
		if _, ok := m.Ask(time.Now(), limit.Demand{}); ok || m.granted > m.sent {
			t.Errorf("after the lease, %d are held", m.granted-m.sent)
		}
		if q := m.report(time.Now(), 1); q.Inc != "" {
			t.Error("what it sends by itself has numbers of the ledger")
		}
		_ = f.Close(t.Context()) // the store is down
	})
}
