package fleet

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// alone has the processes of a world go on without a fleet.
func (w *world) alone(t testing.TB, opts ...client.Option) {
	t.Helper()
	w.rewrap(t, func(int) []client.Option { return opts })
}

// with gives the clients of a world more options.
func (w *world) with(t testing.TB, opts ...client.Option) {
	t.Helper()
	w.rewrap(t, func(i int) []client.Option { return append(opts, client.WithFleet(w.fleets[i])) })
}

func (w *world) rewrap(t testing.TB, opts func(i int) []client.Option) {
	t.Helper()
	for i := range w.clients {
		hc, err := client.Wrap(w.api.Client(), append(opts(i), client.WithRetries(0))...)
		if err != nil {
			t.Fatal(err)
		}
		w.clients[i] = hc
	}
}

// get sends one request of a member, and reports whether it was served.
func (w *world) get(ctx context.Context, t testing.TB, i int) (bool, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.clients[i].Do(req)
	if err != nil {
		return false, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK, nil
}

// leave ends the fleet of a world.
func (w *world) leave(t testing.TB) {
	t.Helper()
	for _, f := range w.fleets {
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A request that cannot wait for the fleet goes if it would go without one.
func TestRequestsThatCannotWait(t *testing.T) {
	for name, impatient := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"NoWait": func(ctx context.Context) (context.Context, context.CancelFunc) { return client.NoWait(ctx), func() {} },
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 150*time.Millisecond)
		},
	} {
		served := func(t testing.TB, fleet bool) (n int) {
			chance.Bubble(t, func(t testing.TB) {
				w := newWorld(t, 3, clienttest.Fixed(100, time.Minute), clienttest.XRateLimitDelta())
				if !fleet {
					w.alone(t)
				}
				for i := range w.clients {
					if ok, err := w.get(t.Context(), t, i); !ok {
						t.Fatal("a request was not served: ", err)
					}
				}
				var wg sync.WaitGroup
				for i := range 30 { // they will want as much again, and hold it
					wg.Go(func() { _, _ = w.get(t.Context(), t, i%2) })
				}
				wg.Wait()
				for range 20 {
					ctx, cancel := impatient(t.Context())
					if ok, err := w.get(ctx, t, 2); ok {
						n++
					} else if _, is := errors.AsType[*client.Error](err); err != nil && !is {
						t.Errorf("%s: %v", name, err)
					}
					cancel()
				}
				w.leave(t)
			})
			return n
		}
		chance.Test(t, func(t testing.TB) {
			alone, fleet := served(t, false), served(t, true)
			if t.Logf("%s: a fleet had %d served, without one %d", name, fleet, alone); fleet < alone || alone < 15 {
				t.Error("that is not enough")
			}
		})
	}
}

// A store that is slow costs no request its deadline.
func TestDeadlineBesideASlowStore(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 2, clienttest.Fixed(100, time.Minute), clienttest.XRateLimitDelta())
		w.store.trip = 2 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if ok, err := w.get(ctx, t, 0); !ok {
			t.Error("a request was not served: ", err)
		}
		for _, f := range w.fleets {
			_ = f.Close(t.Context()) // the store is too slow
		}
	})
}

// A program that spreads its requests over the window does so with what the fleet grants.
func TestPacingOfAShare(t *testing.T) {
	early := func(t testing.TB, opts ...client.Option) (n, all int) {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 3, clienttest.Fixed(300, 10*time.Second), clienttest.XRateLimitDelta())
			w.with(t, opts...)
			w.play(t, 62*time.Second, func(int) (int, time.Duration) { return 5, 0 }, nil)
			for _, r := range w.api.Requests() {
				if !r.Admitted {
					continue
				}
				if all++; r.Time.Sub(r.Time.Truncate(10*time.Second)) < 4*time.Second {
					n++
				}
			}
		})
		return n, all
	}
	chance.Test(t, func(t testing.TB) {
		bursts, inAll := early(t, client.WithPacing(client.Burst))
		even, all := early(t, client.WithPacing(client.Even))
		t.Logf("in the first part of their windows: with Burst %d of %d, with Even %d of %d", bursts, inAll, even, all)
		if 100*bursts < 95*inAll {
			t.Errorf("Burst sent %d of %d in the first part of its windows", bursts, inAll)
		}
		if 100*even > 80*all || 100*all < 85*inAll {
			t.Errorf("Even sent %d of %d in the first part of its windows", even, all)
		}
	})
}
