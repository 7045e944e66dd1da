package fleet

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Where nothing is announced, members share what refusals teach: after two windows each has its part, and
// one of them tries now and then for all whether more is admitted.
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
		w.expect(t, 2900, 170, 0.05)
		w.level(t, 0.8)

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

// In the long run next to nothing is refused: a lone process with as many callers has as many refused.
func TestSilentLimitInTheLongRun(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures of many windows")
	}
	for _, c := range []struct {
		limit    int
		per      time.Duration
		members  int
		refused  int
		calls    float64
		admitted int
	}{
		{300, 30 * time.Second, 4, 180, 0.04, 17700}, {300, 30 * time.Second, 8, 350, 0.08, 17700},
		{60, time.Minute, 4, 320, 0.4, 1760}, {60, time.Minute, 8, 280, 0.7, 1760},
	} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, c.members, clienttest.Fixed(c.limit, c.per))
			w.play(t, 30*time.Minute, busy, nil)
			w.expect(t, c.admitted, c.refused, c.calls)
			w.level(t, 0.5)
		})
	}
}

// A limit that is raised is found by trials, and one that is lowered by refusals.
func TestSilentLimitChanges(t *testing.T) {
	for _, c := range []struct{ before, after, served, refused int }{{300, 600, 9500, 450}, {300, 100, 1700, 1100}} {
		chance.Bubble(t, func(t testing.TB) {
			const per = 30 * time.Second
			counts, w := counter{limit: c.before, per: per}, newWorld(t, 4)
			for i := range w.clients {
				hc, err := client.Wrap(&http.Client{Transport: &counts}, client.WithFleet(w.fleets[i]), client.WithRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				w.clients[i] = hc
			}
			var served int
			w.play(t, 20*time.Minute, busy, func() {
				time.Sleep(10 * time.Minute)
				served = counts.change(c.after)
			})
			served = counts.change(0) - served
			if t.Logf("from %d to %d: %d served after that, %d refused in all", c.before, c.after, served, counts.refused); served < c.served || counts.refused > c.refused {
				t.Errorf("%d served, want %d; %d refused, want at most %d", served, c.served, counts.refused, c.refused)
			}
		})
	}
}

// A counter is an API that counts requests in fixed windows, and announces nothing.
type counter struct {
	per time.Duration

	mu                     sync.Mutex
	limit, served, refused int
	begun                  time.Time
	left                   int
}

// change sets another limit, and returns how many requests were served yet.
func (c *counter) change(limit int) (served int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = limit
	return c.served
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	const trip = 30 * time.Millisecond
	time.Sleep(trip / 2)
	defer time.Sleep(trip / 2)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if begun := now.Truncate(c.per); begun.After(c.begun) {
		c.begun, c.left = begun, c.limit
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: make(http.Header), Body: http.NoBody, Request: req}
	if c.left == 0 {
		c.refused++
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", strconv.Itoa(int(c.begun.Add(c.per).Sub(now).Seconds())+1))
		return resp, nil
	}
	c.left--
	c.served++
	return resp, nil
}

// What was asked for when nothing is shared is forgotten, so that it is asked for again once something is.
func TestAskedWhileNothingIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := join(t, func() {}, 1)
		m.mu.Lock()
		m.openTo, m.asked = time.Now().Add(time.Second), true
		m.loop.Kick()
		m.mu.Unlock()
		time.Sleep(2 * time.Second)
		m.Ask(time.Now(), limit.Demand{})
		time.Sleep(time.Second)
		if d, shared := m.Ask(time.Now(), limit.Demand{}); !shared || !d.Admits(time.Now()) {
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
		m.loop.Stop() // a call that never ends
		m.mu.Unlock()
		if d, shared := m.Ask(time.Now(), limit.Demand{}); !shared || !d.Unknown {
			t.Errorf("at first: %+v, %v", d, shared)
		}
		time.Sleep(2 * time.Second)
		if d, shared := m.Ask(time.Now(), limit.Demand{}); shared || woken.Load() == 0 {
			t.Errorf("after two seconds, woken %d times: %+v, %v", woken.Load(), d, shared)
		}
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
