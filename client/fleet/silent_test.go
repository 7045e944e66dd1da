package fleet

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
)

// Where nothing is announced, members go on by themselves, minute after minute, and share
// what refusals say. Now and then their tests of the limit cost a window, as none of them knows of the
// tests of others; so it is the mean of some runs that counts.
func TestSilentLimit(t *testing.T) {
	const runs = 5
	admitted, refused, late := 0, 0, 0
	for range runs {
		synctest.Test(t, func(t *testing.T) {
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
			w.expect(t, 0, 400, 0.05)
			admitted, refused = admitted+w.api.Counts().Admitted, refused+w.api.Counts().Refused

			// Once one has been refused, the others stay away after 50 ms and what was under way.
			var first time.Time
			for _, r := range w.api.Requests() {
				begun := r.Time.Truncate(per)
				switch {
				case !r.Refused || begun.Sub(w.api.Requests()[0].Time) < 2*per: // they are yet to learn
				case first.Before(begun):
					first = r.Time
				case r.Time.Sub(first) > 130*time.Millisecond:
					late++
				}
			}
		})
	}
	if admitted/runs < 2700 || refused/runs > 330 || late > 15 {
		t.Errorf("in %d runs admitted %d, refused %d, %d of them long after the first of their window",
			runs, admitted, refused, late)
	}
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
