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
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// A world is an API and the processes that call it, in virtual time.
type world struct {
	api      *clienttest.Server
	store    *slowStore
	fleets   []*Fleet
	clients  []*http.Client
	done     []atomic.Int64
	errs     atomic.Int64
	err      atomic.Value
	priority func(ctx context.Context, member int) context.Context
	mu       sync.Mutex
	events   map[client.EventKind]int
	wrap     func(*slowStore) Store
}

// observe counts what is told of the store.
func (w *world) observe(e client.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Request == nil {
		w.events[e.Kind]++
	}
}

// grow makes room for the counts of more members.
func (w *world) grow(members int) { w.done = make([]atomic.Int64, len(w.clients)+members) }

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

func newWorld(t testing.TB, members int, opts ...clienttest.Option) *world {
	t.Helper()
	w := &world{api: clienttest.NewInMemory(append([]clienttest.Option{clienttest.Latency(20*time.Millisecond, 40*time.Millisecond)}, opts...)...), store: &slowStore{trip: 300 * time.Microsecond}, events: make(map[client.EventKind]int), wrap: func(s *slowStore) Store { return s },
		priority: func(ctx context.Context, _ int) context.Context { return ctx }}
	t.Cleanup(w.api.Close)
	w.grow(members)
	for range members {
		w.add(t)
	}
	return w
}

func (w *world) add(t testing.TB, opts ...Option) {
	t.Helper()
	w.addTo(t, w.store, opts...)
}

func (w *world) addTo(t testing.TB, store Store, opts ...Option) {
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
				req, _ := http.NewRequestWithContext(w.priority(ctx, i), http.MethodGet, w.api.URL, nil)
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
func (w *world) play(t testing.TB, d time.Duration, callers func(i int) (int, time.Duration), during func()) {
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
func (w *world) expect(t testing.TB, admitted, refused int, calls float64) {
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
func (w *world) level(t testing.TB, part float64) {
	t.Helper()
	least, most := w.done[0].Load(), w.done[0].Load()
	for i := range w.done {
		least, most = min(least, w.done[i].Load()), max(most, w.done[i].Load())
	}
	if float64(least) < part*float64(most) {
		t.Errorf("one member got %d, another %d", least, most)
	}
}
