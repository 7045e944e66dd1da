package fleet

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// A world is an API and the processes that call it, in virtual time.
type world struct {
	api     *clienttest.Server
	store   *slowStore
	fleets  []*Fleet
	clients []*http.Client
	done    []atomic.Int64
	errs    atomic.Int64
	err     atomic.Value
}

// A slowStore takes some time, and fails when it is told to.
type slowStore struct {
	Memory
	calls atomic.Int64
	down  atomic.Bool
	trip  time.Duration
}

func (s *slowStore) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	s.calls.Add(1)
	time.Sleep(s.trip / 2)
	if s.down.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	reply, err := s.Memory.Exchange(ctx, key, report)
	time.Sleep(s.trip / 2)
	return reply, err
}

func newWorld(t *testing.T, members int, opts ...clienttest.Option) *world {
	t.Helper()
	w := &world{api: clienttest.NewInMemory(append(opts, clienttest.Latency(20*time.Millisecond, 40*time.Millisecond))...), store: &slowStore{trip: 300 * time.Microsecond}}
	t.Cleanup(w.api.Close)
	w.done = make([]atomic.Int64, members)
	for range members {
		w.add(t)
	}
	return w
}

func (w *world) add(t *testing.T, opts ...Option) {
	t.Helper()
	w.addTo(t, w.store, opts...)
}

func (w *world) addTo(t *testing.T, store Store, opts ...Option) {
	t.Helper()
	f, err := New(store, []byte("0123456789abcdef"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	hc, err := client.Wrap(w.api.Client(), client.WithFleet(f), client.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	w.fleets, w.clients = append(w.fleets, f), append(w.clients, hc)
}

// run has callers[i] goroutines of member i call the API for a while; think is the pause between
// the calls of each.
func (w *world) run(ctx context.Context, wg *sync.WaitGroup, i, callers int, think time.Duration) {
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL, nil)
				resp, err := w.clients[i].Do(req)
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						w.done[i].Add(1)
					}
				}
				if err != nil && ctx.Err() == nil {
					w.errs.Add(1)
					w.err.Store(err)
					time.Sleep(100 * time.Millisecond)
				}
				if think > 0 {
					select {
					case <-ctx.Done():
					case <-time.After(time.Duration(float64(think) * (0.5 + rand.Float64()))):
					}
				}
			}
		})
	}
}

func (w *world) String() string {
	c := w.api.Counts()
	total := c.Admitted + c.Refused
	s := fmt.Sprintf("%d admitted, %d refused, %.4f calls a request;", c.Admitted, c.Refused, float64(w.store.calls.Load())/float64(max(total, 1)))
	for i := range w.done {
		s += fmt.Sprint(" ", w.done[i].Load())
	}
	if n := w.errs.Load(); n > 0 {
		s += fmt.Sprintf("; %d errors, such as %v", n, w.err.Load())
	}
	return s
}

// play has a world run for a while, and ends it.
func (w *world) play(t *testing.T, d time.Duration, callers func(i int) (int, time.Duration), during func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for i := range w.clients {
		n, think := callers(i)
		w.run(ctx, &wg, i, n, think)
	}
	if during != nil {
		during()
	}
	wg.Wait()
	for _, f := range w.fleets {
		if err := f.Close(t.Context()); err != nil && !w.store.down.Load() {
			t.Error(err)
		}
	}
	t.Log(w)
}

func busy(int) (int, time.Duration) { return 20, 0 }

// expect checks how many were admitted at least, and refused at most.
func (w *world) expect(t *testing.T, admitted, refused int, calls float64) {
	t.Helper()
	c := w.api.Counts()
	if c.Admitted < admitted || c.Refused > refused {
		t.Errorf("admitted %d, want %d; refused %d, want at most %d", c.Admitted, admitted, c.Refused, refused)
	}
	if share := float64(w.store.calls.Load()) / float64(c.Admitted); share > calls {
		t.Errorf("%.3f calls to the store a request, want at most %.3f", share, calls)
	}
}

// level reports an error if a member got less than the given part of what another got.
func (w *world) level(t *testing.T, part float64) {
	t.Helper()
	least, most := w.done[0].Load(), w.done[0].Load()
	for i := range w.done {
		least, most = min(least, w.done[i].Load()), max(most, w.done[i].Load())
	}
	if float64(least) < part*float64(most) {
		t.Errorf("one member got %d, another %d", least, most)
	}
}

func TestEqualMembers(t *testing.T) {
	for _, c := range []struct {
		limit    int
		per      time.Duration
		admitted int
		calls    float64
	}{{400, 2 * time.Second, 4200, 0.2}, {4000, 2 * time.Second, 33000, 0.06}, {600, 10 * time.Second, 1750, 0.2}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 8, clienttest.Fixed(c.limit, c.per), clienttest.XRateLimitDelta())
			w.play(t, 22*time.Second, busy, nil)
			w.expect(t, c.admitted, 5, c.calls)
			w.level(t, 0.7)
		})
	}
}

// The reset is told in whole seconds here, so that the fleet looks for it a few times.
func TestLimitOfFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 8, clienttest.Fixed(20, 2*time.Second), clienttest.XRateLimitDelta())
		w.play(t, 42*time.Second, func(int) (int, time.Duration) { return 3, 0 }, nil)
		w.expect(t, 400, 10, 4)
		w.level(t, 0.5)
	})
}

func TestOneBusyMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), clienttest.XRateLimitDelta())
		w.play(t, 22*time.Second, func(i int) (int, time.Duration) {
			if i == 0 {
				return 160, 0
			}
			return 1, 4 * time.Second
		}, nil)
		w.expect(t, 3700, 5, 0.15)
	})
}

// The store is away for a while: nobody waits for it, and all goes on after.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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

// A window that rolls is shared as long as it looks like a fixed one, and otherwise left to what each
// member does alone. In both cases little is refused.
func TestRolling(t *testing.T) {
	for _, c := range []struct {
		dialect  clienttest.Option
		admitted int
	}{{clienttest.XRateLimitDelta(), 2000}, {clienttest.Draft8(), 2000}, {clienttest.XRateLimit(), 1300}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 4, clienttest.Rolling(200, 2*time.Second), c.dialect)
			w.play(t, 30*time.Second, busy, nil)
			w.expect(t, c.admitted, 600, 0.4)
		})
	}
}

// A refusal that one member gets holds all of them.
func TestHoldIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4, clienttest.Fixed(1000, time.Minute), clienttest.XRateLimitDelta())
		var held time.Time
		w.play(t, 20*time.Second, func(int) (int, time.Duration) { return 2, 100 * time.Millisecond }, func() {
			time.Sleep(5 * time.Second)
			w.api.Next(1, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("X-RateLimit-Limit", "1000")
				rw.Header().Set("X-RateLimit-Remaining", "0")
				rw.Header().Set("X-RateLimit-Reset", "5")
				rw.Header().Set("Retry-After", "5")
				rw.WriteHeader(http.StatusTooManyRequests)
			})
			time.Sleep(250 * time.Millisecond)
			held = time.Now()
		})
		early := 0
		for _, r := range w.api.Requests() {
			if r.Time.After(held) && r.Time.Before(held.Add(4*time.Second)) {
				early++
			}
		}
		if early > 0 {
			t.Errorf("%d requests were sent although one was told to stay away", early)
		}
	})
}
