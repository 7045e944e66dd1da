package fleet

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue"
)

// ruled returns a world whose API says nothing, and whose members are told its limit by a rule of the fleet.
func ruled(t testing.TB, members int, api clienttest.Option, q queue.Quota, opts ...Option) *world {
	t.Helper()
	w := newWorld(t, 0, api)
	w.rule(t, members, q, opts...)
	return w
}

// rule adds members that are told the limit.
func (w *world) rule(t testing.TB, members int, q queue.Quota, opts ...Option) {
	t.Helper()
	w.grow(members)
	for range members {
		f, err := New(w.wrap(w.store), []byte("0123456789abcdef"), opts...)
		if err != nil {
			t.Fatal(err)
		}
		hc, err := client.Wrap(w.api.Client(), client.WithFleet(f), client.WithRetries(0), client.WithObserver(w.observe),
			client.WithRule(queue.Rule{Name: "told", Scope: queue.Global, Limits: []queue.Quota{q}, Fleet: true}))
		if err != nil {
			t.Fatal(err)
		}
		w.fleets, w.clients = append(w.fleets, f), append(w.clients, hc)
	}
}

// What a rule says holds for all members together, and all of it is used.
func TestRuleOfTheFleet(t *testing.T) {
	for _, c := range []struct {
		name     string
		api      clienttest.Limit
		quota    queue.Quota
		callers  int
		admitted int
		level    float64
		calls    float64
	}{
		{"rolling", clienttest.Rolling(400, 2*time.Second), queue.Per(400, 2*time.Second), 20, 5600, 0.8, 0.06},
		{"few", clienttest.Rolling(20, 2*time.Second), queue.Per(20, 2*time.Second), 5, 250, 0.5, 1},
		{"one", clienttest.Rolling(1, 500*time.Millisecond), queue.Every(500 * time.Millisecond), 5, 40, 0.5, 20},
		{"bucket", clienttest.Bucket(40, 200, time.Second), queue.PerSecond(200).TokenBucket(40), 20, 5000, 0.7, 0.1},
		{"fixed", clienttest.Fixed(400, 2*time.Second), queue.Per(400, 2*time.Second).FixedWindow(nil).Slack(100 * time.Millisecond), 20, 5200, 0.7, 0.06},
		{"counter", clienttest.SlidingCounter(400, 2*time.Second), queue.Per(400, 2*time.Second).SlidingCounter(), 20, 4500, 0.7, 0.06},
	} {
		if chance.Raced && c.admitted > 1000 && c.name != "fixed" {
			continue // the others send requests in the same ways
		}
		t.Run(c.name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				w := ruled(t, 8, c.api, c.quota)
				w.play(t, 30*time.Second, func(int) (int, time.Duration) { return c.callers, 0 }, nil)
				w.expect(t, c.admitted, 0, c.calls)
				w.level(t, c.level)
			})
		})
	}
}

// A busy member has what the idle ones leave, and they get their part back once they want it.
func TestRuleOneBusyMember(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := ruled(t, 8, clienttest.Rolling(400, 2*time.Second), queue.Per(400, 2*time.Second))
		w.play(t, 40*time.Second, func(i int) (int, time.Duration) {
			if i == 0 {
				return 100, 0
			}
			return 1, 4 * time.Second
		}, nil)
		w.expect(t, 7400, 0, 0.1)
	})
}

// While the store is away, for less or for more than a lease, members keep to their parts; no less is used, and
// no more; and the same after it lost all it knew.
func TestRuleStoreAway(t *testing.T) {
	for _, away := range []time.Duration{3 * time.Second, 60 * time.Second} {
		if chance.Raced && away > 10*time.Second {
			continue
		}
		chance.Bubble(t, func(t testing.TB) {
			w := ruled(t, 4, clienttest.Rolling(400, 2*time.Second), queue.Per(400, 2*time.Second), WithLease(10*time.Second))
			w.play(t, 40*time.Second+away, busy, func() {
				time.Sleep(15 * time.Second)
				w.store.down.Store(true)
				time.Sleep(away)
				w.store.down.Store(false)
				w.store.Flush()
			})
			w.expect(t, int((40*time.Second+away)/(2*time.Second))*400*90/100, 0, 0.1)
			// Each has a key and a rule. In three seconds there may be nothing to tell the store.
			if gone, back := w.events[client.EventStoreAway], w.events[client.EventStoreBack]; gone != back || away > 10*time.Second && gone != 8 {
				t.Errorf("events: %v", w.events)
			}
		})
	}
}

// A store that is not there at first holds no one back, and a limit holds all the same.
func TestRuleStoreAbsent(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := ruled(t, 4, clienttest.Rolling(400, 2*time.Second), queue.Per(400, 2*time.Second), WithMembers(4))
		w.store.down.Store(true)
		w.play(t, 30*time.Second, busy, func() {
			time.Sleep(10 * time.Second)
			if w.api.Counts().Admitted < 1200 {
				t.Errorf("%d were admitted without the store", w.api.Counts().Admitted)
			}
			w.store.down.Store(false)
		})
		w.expect(t, 5000, 0, 0.1)
	})
}

// kill ends a seat, which says nothing more.
func kill(s seat) {
	switch s := s.(type) {
	case *portion:
		s.Kill()
	case *member:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed = true
	}
}

// What a member held that is killed, or that ends, counts for as long as the API counts it, and is free then.
func TestRuleMembersGo(t *testing.T) {
	for name, end := range map[string]func(t testing.TB, f *Fleet, cancel context.CancelFunc){
		"killed": func(_ testing.TB, f *Fleet, cancel context.CancelFunc) {
			cancel()
			for _, s := range f.all() {
				kill(s)
			}
		},
		"ended": func(t testing.TB, f *Fleet, cancel context.CancelFunc) {
			cancel()
			if err := f.Close(context.Background()); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				w := ruled(t, 4, clienttest.Rolling(400, 2*time.Second), queue.Per(400, 2*time.Second), WithLease(2*time.Second))
				ctx, cancel := context.WithCancel(t.Context())
				gone := w.fleets[3]
				hc := w.clients[3]
				w.fleets, w.clients = w.fleets[:3], w.clients[:3]
				for range 20 {
					go func() {
						for ctx.Err() == nil {
							req, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL, nil)
							if resp, err := hc.Do(req); err == nil {
								_ = resp.Body.Close()
							}
						}
					}()
				}
				before := 0
				w.play(t, 40*time.Second, busy, func() {
					time.Sleep(10 * time.Second)
					end(t, gone, cancel)
					time.Sleep(10 * time.Second)
					before = w.api.Counts().Admitted
				})
				w.expect(t, 7000, 0, 0.1)
				if after := w.api.Counts().Admitted - before; after < 3800 {
					t.Errorf("%d were admitted in the last 20 s: its part did not come back", after)
				}
			})
		})
	}
}
