package fleet

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

func TestEqualMembers(t *testing.T) {
	for _, c := range []struct {
		limit    int
		per      time.Duration
		admitted int
		calls    float64
	}{{400, 2 * time.Second, 4350, 0.08}, {4000, 2 * time.Second, 40000, 0.03}, {600, 10 * time.Second, 1750, 0.1}} {
		if chance.Raced && c.limit > 1000 {
			continue
		}
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Fixed(c.limit, c.per), clienttest.XRateLimitDelta())
			w.play(t, 22*time.Second, busy, nil)
			w.expect(t, c.admitted, 5, c.calls)
			w.level(t, 0.7)
		})
	}
}

// The reset is told in whole seconds here, so that the fleet looks for it a few times.
func TestLimitOfFew(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(20, 2*time.Second), clienttest.XRateLimitDelta())
		w.play(t, 42*time.Second, func(int) (int, time.Duration) { return 3, 0 }, nil)
		w.expect(t, 410, 10, 1.2)
		w.level(t, 0.5)
	})
}

func TestOneBusyMember(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), clienttest.XRateLimitDelta())
		w.play(t, 22*time.Second, func(i int) (int, time.Duration) {
			if i == 0 {
				return 160, 0
			}
			return 1, 4 * time.Second
		}, nil)
		w.expect(t, 4280, 5, 0.1)
	})
}

// The store is away for a while: nobody waits for it, and all goes on after.
func TestStoreAway(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), clienttest.XRateLimitDelta())
		before := int64(0)
		w.play(t, 32*time.Second, busy, func() {
			time.Sleep(7 * time.Second)
			w.store.down.Store(true)
			time.Sleep(3 * time.Second)
			if !w.fleets[0].Status()[0].Away {
				t.Error("nothing says that the store is away")
			}
			w.store.down.Store(false)
			w.store.Flush()
			time.Sleep(6 * time.Second)
			s := w.fleets[0].Status()[0]
			if s.Away || !s.Shared || s.Members != 8 {
				t.Errorf("six seconds after: %+v", s)
			}
			before = w.store.calls.Load()
		})
		if before == 0 {
			t.Error("the store was not called")
		}
		w.expect(t, 5500, 400, 0.3) // while it is away, each goes on as without a fleet
	})
}

// The store is not there at first.
func TestStoreAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4, clienttest.Fixed(100, time.Second), clienttest.Draft8())
		w.store.down.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.clients[0].Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for _, f := range w.fleets {
			_ = f.Close(t.Context()) // it cannot give anything back
		}
	})
}

// A window that rolls is shared by what left it, and little is refused.
func TestRolling(t *testing.T) {
	for _, c := range []struct {
		dialect  clienttest.Option
		admitted int
	}{{clienttest.XRateLimitDelta(), 2000}, {clienttest.Draft8(), 2000}, {clienttest.XRateLimit(), 1300}} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 4, clienttest.Rolling(200, 2*time.Second), c.dialect)
			w.play(t, 30*time.Second, busy, nil)
			w.expect(t, c.admitted, 600, 0.6)
		})
	}
}

// A refusal that one member gets holds all of them within 50 milliseconds.
func TestHoldIsShared(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 4, clienttest.Fixed(1000, time.Minute), clienttest.XRateLimitDelta())
		held := make(chan time.Time, 1)
		w.play(t, 20*time.Second, func(int) (int, time.Duration) { return 2, 100 * time.Millisecond }, func() {
			time.Sleep(5 * time.Second)
			w.api.Next(1, func(rw http.ResponseWriter, _ *http.Request) {
				held <- time.Now().Add(90 * time.Millisecond) // with its way, and that of requests that were sent before
				rw.Header().Set("X-RateLimit-Limit", "1000")
				rw.Header().Set("X-RateLimit-Remaining", "0")
				rw.Header().Set("X-RateLimit-Reset", "5")
				rw.Header().Set("Retry-After", "5")
				rw.WriteHeader(http.StatusTooManyRequests)
			})
		})
		early, from := 0, <-held
		for _, r := range w.api.Requests() {
			if r.Time.After(from) && r.Time.Before(from.Add(4*time.Second)) {
				early++
			}
		}
		if early > 0 {
			t.Errorf("%d requests were sent although one was told to stay away", early)
		}
	})
}

// Where a window has less than one request for each member, they take turns.
func TestTurnsInTheSmallestWindows(t *testing.T) {
	exact := clienttest.Announce(func(h http.Header, now time.Time, windows []clienttest.Window) {
		h.Set("X-RateLimit-Limit", strconv.Itoa(windows[0].Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(windows[0].Remaining))
		h.Set("X-RateLimit-Reset", strconv.FormatFloat(windows[0].Reset.Sub(now).Seconds(), 'f', 3, 64))
	})
	for name, dialect := range map[string]clienttest.Option{"draft8": clienttest.Draft8(), "delta": clienttest.XRateLimitDelta(), "moment": clienttest.XRateLimit(), "exact": exact} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Fixed(5, time.Second), dialect)
			w.play(t, 42*time.Second, func(int) (int, time.Duration) { return 3, 0 }, nil)
			w.expect(t, 200, 3, 5)
			for i := range w.done {
				if n := w.done[i].Load(); n < 22 { // 88 % of its part
					t.Errorf("%s: member %d had %d", name, i, n)
				}
			}
		})
	}
}

// Where resets are told in whole seconds and windows are much longer, nobody looks whether one opened before the
// moment that most servers mean, and little is lost by that.
func TestNobodyLooksEarlyIntoLongWindows(t *testing.T) {
	for name, c := range map[string]struct {
		dialect  clienttest.Option
		limits   []clienttest.Option
		per      time.Duration
		possible int
	}{
		"10 s":       {clienttest.XRateLimit(), []clienttest.Option{clienttest.Fixed(400, 10*time.Second)}, 10 * time.Second, 2000},
		"a minute":   {clienttest.XRateLimit(), []clienttest.Option{clienttest.Fixed(400, time.Minute)}, time.Minute, 2000},
		"1 s in 5 s": {clienttest.Draft8(), []clienttest.Option{clienttest.Fixed(50, time.Second), clienttest.Fixed(200, 5*time.Second)}, 5 * time.Second, 1000},
	} {
		chance.Bubble(t, func(t testing.TB) {
			time.Sleep(c.per * 3 / 10)
			w := newWorld(t, 8, append(c.limits, c.dialect)...)
			w.play(t, 5*c.per-c.per*3/10, busy, nil)
			if n := w.api.Counts(); n.Refused > 0 || 100*n.Admitted < 93*c.possible {
				t.Errorf("%s: %d refused, %d of %d admitted", name, n.Refused, n.Admitted, c.possible)
			}
		})
	}
}
