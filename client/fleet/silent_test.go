package fleet

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// Where nothing is announced, members go on by themselves, minute after minute, and share
// what refusals say. Now and then their tests of the limit cost a window, as none of them knows of the
// tests of others.
func TestSilentLimit(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		const per = 30 * time.Second
		w := newWorld(t, 4, clienttest.Fixed(300, per))
		before := make([]int64, 4)
		w.play(t, 10*per, busy, func() {
			for minute := range 5 {
				time.Sleep(2 * per)
				for i := range w.done {
					if n := w.done[i].Load(); n == before[i] {
						t.Errorf("member %d had nothing in minute %d", i, minute)
					} else {
						before[i] = n
					}
				}
			}
		})
		w.expect(t, 2700, 330, 0.05)

		// Once one has been refused, the others stay away after 50 ms and what was under way.
		var refused time.Time
		late := 0
		for _, r := range w.api.Requests() {
			begun := r.Time.Truncate(per)
			switch {
			case !r.Refused || begun.Sub(w.api.Requests()[0].Time) < 2*per: // they are yet to learn
			case refused.Before(begun):
				refused = r.Time
			case r.Time.Sub(refused) > 130*time.Millisecond:
				late++
			}
		}
		if late > 0 {
			t.Errorf("%d requests were refused long after the first of their window", late)
		}
	})
}

// What was asked for when nothing is shared is forgotten, so that it is asked for again once something is.
func TestAskedWhileNothingIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 1)
		m.mu.Lock()
		m.openTo, m.asked = time.Now().Add(time.Second), true
		m.mu.Unlock()
		m.kick()
		time.Sleep(2 * time.Second)
		m.Ask(time.Now(), 1)
		time.Sleep(time.Second)
		if d, shared := m.Ask(time.Now(), 1); !shared || !d.Admits(time.Now()) {
			t.Errorf("a second after it asked the ledger: %+v, %v", d, shared)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whatever is wrong with the store: requests wait for a second, and then go on as without a fleet.
func TestNothingIsHeardOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var woken atomic.Int64
		f, m := join(t, func() { woken.Add(1) }, 1)
		m.mu.Lock()
		m.busy = true // a call that never ends
		m.mu.Unlock()
		if d, shared := m.Ask(time.Now(), 1); !shared || !d.Unknown {
			t.Errorf("at first: %+v, %v", d, shared)
		}
		time.Sleep(2 * time.Second)
		if d, shared := m.Ask(time.Now(), 1); shared || woken.Load() == 0 {
			t.Errorf("after two seconds, woken %d times: %+v, %v", woken.Load(), d, shared)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
