package fleet

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Once a probe found the window open, all that wait are given their parts, whoever told.
func TestWaitingMembersArePushedTheirParts(t *testing.T) {
	b := shared(t)
	for range 8 {
		b.tell("a", func(q *report) { q.Want = 100 })
	}
	for _, id := range []string{"a", "b", "c"} {
		if r := b.tell(id, func(q *report) { q.Finished, q.Want = q.Granted, 60 }); r.Granted != b.q[id].Granted || r.At == 0 {
			t.Fatalf("with nothing left, %s gets %+v", id, r)
		}
	}
	b.now += 3000
	if r := b.tell("a", func(q *report) { q.Want = 60 }); !r.Probe {
		t.Fatalf("after the reset: %+v", r)
	}
	w := b.l.windows["w"]
	w.length, w.phase = 2000, phase{period: 2000, lo: w.earliest - 2000, hi: w.earliest - 2000, turns: 10}
	before := map[string]int64{"b": b.q["b"].Granted, "c": b.q["c"].Granted}
	r := b.tell("a", func(q *report) {
		q.Finished, q.Probed, q.Want = q.Granted, q.Seq-1, 60
		bound := b.l.granted + 99
		q.Windows = map[string]told{"w": {Limit: 100, Bound: bound, Newest: bound, Remaining: 99, Earliest: b.now + 2000, Latest: b.now + 2000}}
	})
	if r.News == nil || len(r.News.Push) != 2 || r.Left != 0 {
		t.Fatalf("the news is %+v, the reply %+v", r.News, r)
	}
	for id, had := range before {
		p := r.News.Push[id]
		if p.Seq != b.q[id].Seq || p.Gain < 32 || p.Gain > 34 || b.l.members[id].granted != had+p.Gain {
			t.Errorf("%s is pushed %+v; it had %d and has %d in the ledger", id, p, had, b.l.members[id].granted)
		}
	}
	// One that did not hear of it says so, and it is there for others again.
	if left := b.tell("b", nil).Left; left != r.News.Push["b"].Gain {
		t.Errorf("after b, which did not hear it, %d are left", left)
	}
}

// A member takes what was pushed once, and only what goes with its last report.
func TestMemberTakesAPushOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		woken := 0
		f, m := join(t, func() { woken++ }, 0)
		m.Ask(time.Now(), limit.Demand{})
		time.Sleep(gather)
		synctest.Wait()
		held, seq := m.granted, m.seq
		tell := func(seq, gain int64, inc string) int64 {
			before := woken
			m.hear(&news{Push: map[string]push{m.id: {seq, gain}}, Inc: inc})
			if (woken > before) != (m.granted > held) {
				t.Errorf("woken %d times for %d more", woken-before, m.granted-held)
			}
			gain, held = m.granted-held, m.granted
			return gain
		}
		for i, c := range []struct {
			seq, gain int64
			inc       string
			want      int64
		}{{seq, 7, "another", 0}, {seq - 1, 7, m.inc, 0}, {seq + 1, 7, m.inc, 0}, {seq, 7, m.inc, 7}, {seq, 7, m.inc, 0}, {seq, 9, m.inc, 2}, {seq, 3, m.inc, 0}} {
			if got := tell(c.seq, c.gain, c.inc); got != c.want {
				t.Errorf("push %d gave %d, want %d", i, got, c.want)
			}
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if m.hear(&news{Push: map[string]push{m.id: {m.seq, 100}}, Inc: m.inc}); m.granted != m.sent {
			t.Errorf("after Close it holds %d", m.granted-m.sent)
		}
	})
}

// What is pushed after a report counts once the reply to it is there, whichever is heard first.
func TestPushBeforeTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 0)
		m.Ask(time.Now(), limit.Demand{})
		time.Sleep(gather)
		synctest.Wait()
		m.mu.Lock()
		now, held := time.Now(), m.granted
		q := m.report(now, 0)
		m.mu.Unlock()
		m.hear(&news{Push: map[string]push{m.id: {q.Seq, 5}}, Inc: m.inc})
		m.hear(&news{Push: map[string]push{m.id: {q.Seq, 7}}, Inc: m.inc})
		if m.granted != held {
			t.Errorf("before the reply it has %d more", m.granted-held)
		}
		m.mu.Lock()
		m.apply(q, reply{Time: now.UnixMilli(), Inc: m.inc, Ver: m.ver + 1, Granted: q.Granted + 2}, nil, now, now)
		m.mu.Unlock()
		if m.granted != held+9 {
			t.Errorf("after it, it has %d more, want 9", m.granted-held)
		}
		if err := f.Close(t.Context()); err != nil && !errors.Is(err, errStale) {
			t.Error(err)
		}
	})
}
