package fleet

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// allotted returns a member with an allotment of 10 of a window of 100, which opens every two seconds:
// first now, and up to 100 ms earlier.
func allotted(t testing.TB) *member {
	t.Helper()
	f, m := join(t, func() {}, 0)
	t.Cleanup(func() { _ = f.Close(t.Context()) }) // the store knows nothing of it
	now := time.Now()
	w := &window{name: "w", limit: 100, opened: now, period: 2 * time.Second, width: 100 * time.Millisecond, sure: true}
	m.windows, m.lease = []*window{w}, now.Add(time.Hour)
	m.clock.observe(now.UnixMilli(), now, now)
	m.allotment = allotment{term: 7, window: w, each: 10}
	m.loop.Stop() // no call is made
	return m
}

// spend has a member send as much as it may, and returns how much that was.
func spend(t testing.TB, m *member) (numbers []uint64) {
	t.Helper()
	for {
		now := time.Now()
		d, shared := m.Ask(now, limit.Demand{})
		if !shared {
			t.Fatal("it goes on alone")
		}
		if !d.Admits(now) {
			if d.Unknown {
				t.Fatal("it waits for the store")
			}
			return numbers
		}
		numbers = append(numbers, m.Take(now, 1))
	}
}

// An allotment renews itself at each opening. What was under way at the earliest opening counts for the
// new instance.
func TestAllotmentRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		numbers := spend(t, m)
		if d, _ := m.Ask(time.Now(), limit.Demand{}); len(numbers) != 10 || time.Until(d.At) != 2*time.Second {
			t.Fatalf("it sent %d, and then is told %+v", len(numbers), d)
		}
		for _, n := range numbers[:6] {
			m.Observe(time.Now(), n, nil, true, time.Time{})
		}
		time.Sleep(1950 * time.Millisecond)
		for _, n := range numbers[6:9] { // they may have been counted after it opened
			m.Observe(time.Now(), n, nil, true, time.Time{})
		}
		if more := spend(t, m); len(more) > 0 {
			t.Errorf("before the latest opening it sent %d more", len(more))
		}
		time.Sleep(50 * time.Millisecond)
		if numbers = spend(t, m); len(numbers) != 6 {
			t.Errorf("after it, with 4 that may count, it sent %d more", len(numbers))
		}
		time.Sleep(7 * time.Second)
		if numbers = spend(t, m); len(numbers) != 3 { // all but one of the first ten are under way yet
			t.Errorf("some instances later, with 7 under way, it sent %d", len(numbers))
		}
	})
}

// The store may be away, and the ledger may be lost: an allotment stays.
func TestAllotmentNeedsNoStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		m.lose(time.Now())
		if n := len(spend(t, m)); n != 10 {
			t.Errorf("with the store away it sent %d", n)
		}
		m.failing = false
		m.apply(&report{Seq: 1}, reply{Inc: m.inc, Learn: true}, nil, time.Now(), time.Now())
		if m.allotment.term != 0 || m.allotment.kept != 10 {
			t.Errorf("while the ledger is rebuilt: %+v", m.allotment)
		}
		if d, shared := m.Ask(time.Now(), limit.Demand{}); !shared || d.Admits(time.Now()) {
			t.Errorf("with its allotment spent, it is told %+v, %v", d, shared)
		}
		time.Sleep(2*time.Second + 5*time.Millisecond)
		for n := range m.number {
			m.Observe(time.Now(), n+1, nil, true, time.Time{})
		}
		time.Sleep(2 * time.Second)
		if n := len(spend(t, m)); n != 10 {
			t.Errorf("while the ledger is rebuilt, it sent %d in another instance", n)
		}
		m.apply(&report{Seq: 2}, reply{Inc: m.inc}, nil, time.Now(), time.Now())
		if m.allotment.kept != 0 {
			t.Errorf("after that: %+v", m.allotment)
		}
	})
}

// Who could need more lowers its allotment to what is fair at the next opening; who does not, to what it
// needs, at once; none to less than it has spent.
func TestRecallOfAllotments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		numbers := spend(t, m)
		m.hear(&news{Recall: true, Term: 6, Fair: 4})
		if m.allotment.fair != 0 {
			t.Error("it heeds a recall of another term")
		}
		m.hear(&news{Recall: true, Term: 7, Fair: 4})
		if q := m.report(time.Now(), 20); q.Each != 10 || q.Term != 7 || q.Want != 30 {
			t.Errorf("with all spent, it reports %+v", q)
		}
		for _, n := range numbers {
			m.Observe(time.Now(), n, nil, true, time.Time{})
		}
		time.Sleep(2 * time.Second)
		if n := len(spend(t, m)); n != 4 {
			t.Errorf("after the next opening it sent %d", n)
		}
		if q := m.report(time.Now(), 20); q.Each != 4 {
			t.Errorf("then it reports %+v", q)
		}

		m = allotted(t)
		m.allotment.peak = 3
		m.Ask(time.Now(), limit.Demand{})
		m.Take(time.Now(), 1)
		m.hear(&news{Recall: true, Term: 7, Fair: 8})
		if q := m.report(time.Now(), 0); q.Each != 3 || q.Want != 0 {
			t.Errorf("who needs 3 reports %+v", q)
		}
		m.fleet.lease = time.Minute
		time.Sleep(time.Hour - time.Second)
		m.turn(time.Now())
		if q := m.report(time.Now(), 0); q.Each != 1 || q.Last != 1 { // a request is under way yet
			t.Errorf("idle, it reports %+v", q)
		}
	})
}

// A response that tells of less than the fleet may have spent ends the term.
func TestDoubtOfAnAllotment(t *testing.T) {
	for _, c := range []struct {
		remaining int
		reset     time.Duration
		want      bool
	}{{50, 2 * time.Second, false}, {9, 2 * time.Second, false}, {5, 2 * time.Second, true}, {90, 1500 * time.Millisecond, true}, {90, 3 * time.Second, true}} {
		synctest.Test(t, func(t *testing.T) {
			m := allotted(t)
			m.windows[0].name = m.fleet.name("a")[:16]
			number, reset := m.Take(time.Now(), 1), time.Now().Add(c.reset)
			m.Observe(time.Now(), number, []throttle.Announced{{Name: "a", Limit: 100, Remaining: c.remaining, Earliest: reset, Latest: reset}}, true, time.Time{})
			if q := m.report(time.Now(), 0); m.allotment.doubt != c.want || (q.Doubt > 0) != c.want {
				t.Errorf("%d remain, for %v: %+v, %+v", c.remaining, c.reset, m.allotment, q)
			}
		})
	}
}

// Once it is known when a fixed window opens, members have standing parts: nothing is refused, all is
// used, and the store is hardly called, not even where it is away for a while.
func TestStandingParts(t *testing.T) {
	for _, c := range []struct {
		limit  int
		per    time.Duration
		before int // windows that it may take to find out
	}{{400, 2 * time.Second, 10}, {20, 2 * time.Second, 10}, {600, 10 * time.Second, 6}} {
		if chance.Raced && c.limit > 100 {
			continue // the others send requests in the same ways
		}
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Fixed(c.limit, c.per), clienttest.Draft8())
			time.Sleep(c.per * 3 / 10)
			var least, most int64
			w.play(t, time.Duration(c.before+20)*c.per-c.per*3/10, busy, func() {
				time.Sleep(time.Until(time.Now().Truncate(c.per).Add(time.Duration(c.before)*c.per - time.Millisecond)))
				before, calls := w.api.Counts(), w.store.calls.Load()
				var done [8]int64
				for i := range done {
					done[i] = w.done[i].Load()
				}
				time.Sleep(8 * c.per)
				w.store.down.Store(true)
				time.Sleep(c.per)
				w.store.down.Store(false)
				time.Sleep(8 * c.per)
				after := w.api.Counts()
				admitted, refused := after.Admitted-before.Admitted, after.Refused-before.Refused
				if refused > 0 || 1000*admitted < 995*17*c.limit {
					t.Errorf("%d in %v: %d admitted, %d refused", c.limit, c.per, admitted, refused)
				}
				share := float64(w.store.calls.Load()-calls) / float64(admitted)
				if share > 0.02 && c.limit >= 100 || share > 0.3 {
					t.Errorf("%d in %v: %.3f calls a request", c.limit, c.per, share)
				}
				least, most = 1<<40, 0
				for i := range done {
					n := w.done[i].Load() - done[i]
					least, most = min(least, n), max(most, n)
				}
				if part := int64(17 * c.limit / 8); 10*least < 8*part-10 || 10*most > 13*part {
					t.Errorf("%d in %v: of %d, one had %d, another %d", c.limit, c.per, part, least, most)
				}
			})
		})
	}
}

// One busy member beside nearly idle ones has what they do not need.
func TestStandingPartOfOneBusyMember(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		const per = 10 * time.Second
		w := newWorld(t, 8, clienttest.Fixed(1000, per), clienttest.Draft8())
		time.Sleep(per * 3 / 10)
		w.play(t, 20*per-per*3/10, oneBusy, func() {
			time.Sleep(time.Until(time.Now().Truncate(per).Add(8*per - time.Millisecond)))
			before, calls := w.api.Counts(), w.store.calls.Load()
			time.Sleep(10 * per)
			admitted, refused := w.api.Counts().Admitted-before.Admitted, w.api.Counts().Refused-before.Refused
			share := float64(w.store.calls.Load()-calls) / float64(admitted)
			if t.Logf("%d of 10,000 admitted, %d refused, %.3f calls a request", admitted, refused, share); admitted < 9850 || refused > 0 || share > 0.02 {
				t.Error("that is not enough")
			}
		})
	})
}

// So it is from the first windows on, while units are granted, and where a window is small beside what the idle
// ones once asked for; nor do those wait for long.
func TestOneBusyMemberOfSmallWindows(t *testing.T) {
	const per, windows = 2 * time.Second, 11
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(400, per), exact(), clienttest.Latency(5*time.Millisecond, 15*time.Millisecond))
		w.play(t, windows*per-10*time.Millisecond, oneBusy, nil)
		w.expect(t, windows*400*995/1000, 0, 0.06)
		for i := range w.done {
			if n := w.done[i].Load(); n < 4 {
				t.Errorf("member %d had %d", i, n)
			}
		}
	})
}

// exact tells resets to the millisecond, and no lengths of windows.
func exact() clienttest.Option {
	return clienttest.Announce(func(h http.Header, now time.Time, windows []clienttest.Window) {
		w := windows[0]
		h.Set("X-RateLimit-Limit", strconv.Itoa(w.Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(w.Remaining))
		h.Set("X-RateLimit-Reset", strconv.FormatFloat(w.Reset.Sub(now).Seconds(), 'f', 3, 64))
	})
}

// Who is idle gives back what it has not spent, once; what it has, in the next instance.
func TestIdleMemberGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		m.windows[0].period = time.Hour
		number := spend(t, m)[0]
		m.allotment.each = 15
		m.used = m.used.Add(-m.fleet.lease)
		if call, _ := m.plan(time.Now(), 0); !call {
			t.Error("it gives nothing back")
		}
		if q := m.report(time.Now(), 0); q.Each != 10 || q.Last != 1 {
			t.Errorf("it reports %+v", q)
		}
		if call, _ := m.plan(time.Now(), 0); call {
			t.Error("it calls again and again")
		}
		time.Sleep(time.Hour)
		m.Observe(time.Now(), number, nil, true, time.Time{})
		if m.allotment.each != 0 {
			t.Errorf("in the next instance it has %d", m.allotment.each)
		}
	})
}

// A hold is told by the member whose request was refused, and by it once: else it would grow by what
// clocks differ, with each that tells it.
func TestHoldIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		until := time.Now().Add(time.Minute)
		m.hear(&news{Hold: until.UnixMilli()})
		if q := m.report(time.Now(), 0); q.Hold != 0 || !m.hold.After(time.Now()) {
			t.Errorf("held by another until %v, it reports %+v", m.hold, q)
		}
		number := m.Take(time.Now(), 1)
		m.Observe(time.Now(), number, nil, true, until.Add(time.Minute))
		q := m.report(time.Now(), 0)
		if q.Hold == 0 {
			t.Error("it does not tell of its own")
		}
		m.hear(&news{Hold: q.Hold})
		m.apply(q, reply{Inc: m.inc, Hold: q.Hold + 1}, nil, time.Now(), time.Now())
		if q = m.report(time.Now(), 0); q.Hold != 0 {
			t.Errorf("it tells of it once more: %+v", q)
		}
	})
}

// What is sent while the term ends is of what is kept.
func TestAllotmentEndsInFlight(t *testing.T) {
	for _, inc := range []string{"", "new"} {
		synctest.Test(t, func(t *testing.T) {
			m := allotted(t)
			m.Ask(time.Now(), limit.Demand{})
			m.Take(time.Now(), 1)
			q := m.report(time.Now(), 5)
			for range 3 {
				m.Ask(time.Now(), limit.Demand{})
				m.Take(time.Now(), 1)
			}
			m.apply(q, reply{Inc: inc, Granted: q.Granted + 9}, nil, time.Now(), time.Now())
			if n := m.held(); n != 6 || q.Spent != 1 {
				t.Errorf("with 4 of 10 sent, 1 of them before the report (%+v), it holds %d", q, n)
			}
		})
	}
}
