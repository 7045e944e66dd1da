package fleet

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// While the store is away, members go on with the parts that they had: hardly anything is refused, and
// hardly anything stays unused, however roughly the resets are told.
func TestOutageKeepsParts(t *testing.T) {
	for _, c := range []struct {
		name              string
		dialect           clienttest.Option
		admitted, refused int // of 2,000 while it is away; alone it is 1,600 to 2,000, and 200
	}{
		{"delta", clienttest.XRateLimitDelta(), 1960, 5}, {"moment", clienttest.XRateLimit(), 1960, 5}, {"draft8", clienttest.Draft8(), 1960, 5},
	} {
		if chance.Raced && c.name != "moment" {
			continue // the others send requests in the same ways
		}
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), c.dialect)
			w.play(t, 40*time.Second, busy, func() {
				time.Sleep(15 * time.Second)
				before := w.api.Counts()
				w.store.down.Store(true)
				time.Sleep(10 * time.Second)
				after := w.api.Counts()
				w.store.down.Store(false)
				w.store.Flush()
				if admitted, refused := after.Admitted-before.Admitted, after.Refused-before.Refused; refused > c.refused || admitted < c.admitted {
					t.Errorf("%s: admitted %d, refused %d", c.name, admitted, refused)
				}
			})
			w.expect(t, 6800, 200, 0.2) // of 8,000
		})
	}
}

// So it is after two or three windows, before it is proved when they open; alone, or if members knew
// nothing then, it is a tenth of what they send. Where a reset is known to no better than a second or so,
// they wait for the latest it may be, which costs some of the window in which the store went away.
func TestOutageAfterTwoWindows(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures of many windows")
	}
	for _, c := range []struct {
		name    string
		dialect clienttest.Option
		least   int
	}{
		{"delta", clienttest.XRateLimitDelta(), 2900}, {"draft8", clienttest.Draft8(), 2900}, {"moment", clienttest.XRateLimit(), 2000},
	} {
		chance.Test(t, func(t testing.TB) {
			admitted, refused := 0, 0
			for i := range 4 {
				chance.Bubble(t, func(t testing.TB) {
					w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), c.dialect)
					time.Sleep(600 * time.Millisecond)
					w.play(t, 12*time.Second, busy, func() {
						time.Sleep(5*time.Second + time.Duration(i)*500*time.Millisecond)
						before := w.api.Counts()
						w.store.down.Store(true)
						time.Sleep(4 * time.Second)
						after := w.api.Counts()
						admitted, refused = admitted+after.Admitted-before.Admitted, refused+after.Refused-before.Refused
						w.store.down.Store(false)
						w.store.Flush()
					})
				})
			}
			if t.Logf("%s: admitted %d of 3,200, refused %d", c.name, admitted, refused); refused > 60 || admitted < c.least {
				t.Errorf("%s: admitted %d, refused %d", c.name, admitted, refused)
			}
		})
	}
}

// Where it is only likely when a window opens, one request finds out; what it is told may end the belief.
func TestLikelyOpening(t *testing.T) {
	for name, c := range map[string]struct {
		refused bool
		reset   time.Duration // after the opening
		alone   bool
	}{
		"it opened":       {false, 2 * time.Second, false},
		"it is refused":   {true, 2 * time.Second, true},
		"it ends earlier": {false, time.Second, true},
		"it ends later":   {false, 3 * time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := allotted(t)
			w := m.windows[0]
			w.name, w.sure, w.limit = m.fleet.name("w")[:16], false, 100
			m.allotment, m.members, m.trip = allotment{}, 4, 30*time.Millisecond
			m.lose(time.Now())
			time.Sleep(2 * time.Second)
			now := time.Now()
			if d, shared := m.Ask(now, limit.Demand{}); !shared || !d.Admits(now) {
				t.Fatalf("%s: at the opening: %+v, %v", name, d, shared)
			}
			n := m.Take(now, 1)
			if d, shared := m.Ask(now, limit.Demand{}); !shared || d.Admits(now) {
				t.Errorf("%s: before the first response: %+v, %v", name, d, shared)
			}
			opened := now
			time.Sleep(30 * time.Millisecond)
			now = time.Now()
			if c.refused {
				m.Refuse(n, time.Time{})
			}
			reset := opened.Add(c.reset)
			m.Observe(now, n, []throttle.Announced{{Name: "w", Limit: 100, Remaining: 96, Earliest: reset, Latest: reset}}, true, time.Time{})
			if c.alone {
				if d, shared := m.Ask(now, limit.Demand{}); shared {
					t.Errorf("%s: it is told %+v", name, d)
				}
				return
			}
			if n := len(spend(t, m)); n != 24 {
				t.Errorf("%s: after its first request it sent %d more of its part of 25", name, n)
			}
		})
	}
}

// lose has a member believe for an hour that the store is away.
func (m *member) lose(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing, m.since, m.retry = true, now, now.Add(time.Hour)
}

// Whoever hears another member's news while the store seems to be away calls it at once.
func TestNewsEndsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 0)
		m.Ask(time.Now(), limit.Demand{})
		synctest.Wait()
		m.lose(time.Now())
		time.Sleep(time.Second)
		m.hear(&news{Roll: true})
		synctest.Wait()
		if m.Status(time.Now()).Away {
			t.Error("it did not call the store")
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The part of a busy process is not cut down to an equal one.
func TestOutageOfOneBusyMember(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(400, 10*time.Second), clienttest.XRateLimitDelta())
		var got int64
		w.play(t, 52*time.Second, oneBusy, func() {
			time.Sleep(25 * time.Second)
			w.store.down.Store(true)
			time.Sleep(4 * time.Second)
			before := w.done[0].Load()
			time.Sleep(20 * time.Second)
			got = w.done[0].Load() - before
			w.store.down.Store(false)
		})
		if got < 500 {
			t.Errorf("in two windows of 400 it had %d; an equal part is 100", got)
		}
	})
}

// oneBusy has all members but the first send little.
func oneBusy(i int) (int, time.Duration) {
	if i == 0 {
		return 100, 0
	}
	return 1, 4 * time.Second
}

// An outage that outlasts the lease holds nothing back any more: the others may be gone.
func TestOutageEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 0)
		now := time.Now()
		m.lease, m.failing, m.members = now.Add(time.Second), true, 8
		m.windows = []*window{{name: "w", limit: 400, opened: now, period: 10 * time.Second, sure: true}}
		m.sent, m.granted = 50, 50
		if d, shared := m.outage(now, 1); !shared || d.Admits(now) {
			t.Errorf("with its part spent, it is told %+v, %v", d, shared)
		}
		if d, shared := m.outage(now.Add(time.Second), 1); shared {
			t.Errorf("after the lease, it is told %+v", d)
		}
		if err := f.Close(t.Context()); err != nil && !errors.Is(err, errStale) {
			t.Error(err)
		}
	})
}

func TestPart(t *testing.T) {
	const members = 4
	fresh := part{}
	if n := fresh.of(100, members); n != 25 {
		t.Errorf("a part of which nothing is known is %d, want 25", n)
	}
	for _, c := range []struct{ own, all, least, most int64 }{
		{30, 100, 25, 25}, // about as much as others
		{38, 100, 25, 25}, // somewhat more, by chance
		{15, 100, 25, 25}, // somewhat less
		{50, 100, 48, 52}, // three times as much as each of the others
		{90, 100, 85, 94}, // nearly everything
		{100, 100, 93, 95},
		{1, 100, 6, 6}, // next to nothing
	} {
		var p part
		finished, all := int64(0), int64(0)
		p.observe(0, 0, true)
		for range 40 {
			finished, all = finished+c.own, all+c.all
			p.observe(finished, all, true)
		}
		p.observe(finished, 5, false) // a new ledger counts anew
		if n := p.of(100, members); n < c.least || n > c.most {
			t.Errorf("who spent %d of %d has a part of %d, want %d to %d", c.own, c.all, n, c.least, c.most)
		}
		if n := p.of(0, members); n != 0 {
			t.Errorf("a part of nothing is %d", n)
		}
		if n := p.of(1, members); n != 1 {
			t.Errorf("a part of one is %d", n)
		}
	}
}

// When the store goes away before the fleet knows when windows open, members have no less than if
// they had always been alone.
func TestEarlyOutageIsNoWorseThanAlone(t *testing.T) {
	chance.Test(t, func(t testing.TB) {
		outages := 8
		if chance.Raced {
			outages = 2
		}
		var alone, fleet int
		for _, dialect := range []clienttest.Option{clienttest.Draft8(), clienttest.XRateLimitDelta(), clienttest.XRateLimit()} {
			for i := range outages {
				alone += earlyOutage(t, dialect, i, false)
				fleet += earlyOutage(t, dialect, i, true)
			}
		}
		t.Logf("admitted from the first reset in the outage on: %d, alone %d", fleet, alone)
		if 100*fleet < 90*alone {
			t.Errorf("admitted %d, those who were always alone %d", fleet, alone)
		}
	})
}

// earlyOutage returns how many requests of two processes are admitted in the five windows that follow
// an outage after two or three.
func earlyOutage(t testing.TB, dialect clienttest.Option, i int, fleet bool) (admitted int) {
	t.Helper()
	chance.Bubble(t, func(t testing.TB) {
		const per = 2 * time.Second
		w := newWorld(t, 2, clienttest.Fixed(100, per), dialect)
		if !fleet {
			w.alone(t)
		}
		time.Sleep(time.Duration(i) * per / 8)
		w.play(t, 18*time.Second, busy, func() {
			time.Sleep(4300 * time.Millisecond)
			w.store.down.Store(true)
			time.Sleep(time.Until(time.Now().Truncate(per).Add(per)))
			before := w.api.Counts().Admitted
			time.Sleep(5 * per)
			admitted = w.api.Counts().Admitted - before
		})
	})
	return admitted
}

// While the ledger is rebuilt members wait to be heard, where it is not known when the window opens:
// going on alone they would spend what others hold. They do not where the store is away.
func TestRebuildingIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		m.allotment, m.windows[0].period, m.learning = allotment{}, 0, true
		if d, shared := m.Ask(time.Now(), limit.Demand{}); !shared || !d.Unknown {
			t.Errorf("while it is rebuilt: %+v, %v", d, shared)
		}
		time.Sleep(time.Second)
		if d, shared := m.Ask(time.Now(), limit.Demand{}); shared {
			t.Errorf("after a second of that: %+v", d)
		}
		m.failing, m.unknown = true, time.Time{}
		if d, shared := m.Ask(time.Now(), limit.Demand{}); shared {
			t.Errorf("with the store away: %+v", d)
		}
	})
}
