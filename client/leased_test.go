package client

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/header"
)

func TestAProgramInAHurryTakesLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, f := inAHurry(t)
		defer tr.Close()
		req := requestOf(t.Context(), "/")
		left := tr.LeftOf(req)
		require.Positive(t, left)
		for n := range left {
			require.Equal(t, left-n, tr.LeftOf(req))
			succeeds(t, tr, requestOf(NoWait(NoRetry(t.Context())), "/"+strconv.Itoa(n)))
		}
		require.Zero(t, tr.LeftOf(req))
		succeeds(t, tr, req)
		require.Positive(t, tr.LeftOf(req), "there is another one")

		// All is counted, whichever way it went.
		status, err := tr.Status(req)
		require.NoError(t, err)
		assert.Equal(t, int(f.left.Load()), status.Windows[0].Credit)
		assert.Zero(t, status.InFlight)
		assert.InDelta(t, 100+left+1, tr.Budget(req).Requests, 1)
		assert.Zero(t, tr.Line().Stats().InFlight)
		assert.Zero(t, f.open.Load())
	})
}

func TestWhoGoesWithoutALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, f := inAHurry(t)
		defer tr.Close()
		req := requestOf(t.Context(), "/")
		for name, ctx := range map[string]context.Context{
			"costly":         WithCost(t.Context(), 2),
			"scoped":         WithScope(t.Context(), "search"),
			"of another key": WithKey(t.Context(), "another"),
		} {
			for tr.LeftOf(req) == 0 {
				succeeds(t, tr, req)
			}
			before := tr.leaseOf(req).lease
			had := before.Left()
			succeeds(t, tr, requestOf(ctx, "/"))
			assert.Contains(t, []int{0, had}, before.Left(), name)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		sent := f.left.Load()
		_, err := tr.RoundTrip(requestOf(gone, "/"))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, sent, f.left.Load(), "it is not sent")
	})
	for name, opt := range map[string]Option{
		"watched":  WithObserver(func(Event) {}),
		"breaking": WithBreaker(func(string) backoff.Breaker { return nil }),
		"ruled":    WithLine(queue.WithRule(queue.Rule{MaxInFlight: 1})),
		"even":     WithPacing(Even),
	} {
		synctest.Test(t, func(t *testing.T) {
			tr, _ := inAHurry(t, opt)
			defer tr.Close()
			assert.Nil(t, tr.leaseOf(requestOf(t.Context(), "/")), name)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		tr, _ := inAHurry(t)
		defer tr.Close()
		req := requestOf(t.Context(), "/")
		time.Sleep(time.Second)
		assert.Zero(t, tr.LeftOf(req), "time goes by")
		for range 200 {
			succeeds(t, tr, requestOf(WithCost(t.Context(), 2), "/"))
			require.Zero(t, tr.LeftOf(req), "who cannot use it takes none")
		}
		for range 60 {
			time.Sleep(2 * time.Millisecond)
			succeeds(t, tr, req)
		}
		assert.Zero(t, tr.LeftOf(req), "no hurry")
	})
}

var errReset = &net.OpError{Op: "read", Err: syscall.ECONNRESET}

// Whatever comes back that was not to be expected, the line hears of it, and no more go
// with the lease.
func TestSurprisesEndALease(t *testing.T) {
	type next = func(*fake, *http.Request) (*http.Response, error)
	for name, c := range map[string]struct {
		next    next
		failed  bool
		credit  int // at most
		lost    int // requests that may still be under way
		retried bool
	}{
		"little is left": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				f.left.Store(700_000)
				return f.answer(http.StatusOK, 700_000), nil
			}, credit: 700_000,
		},
		"refused": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				return f.answer(http.StatusTooManyRequests, 900_000, "Retry-After", "7"), nil
			}, credit: 1_000_000, retried: true,
		},
		"refused without a word": {
			next:   func(f *fake, _ *http.Request) (*http.Response, error) { return f.answer(429, 900_000), nil },
			credit: 1_000_000, retried: true,
		},
		"switched": {
			next:   func(f *fake, _ *http.Request) (*http.Response, error) { return f.answer(101, 700_000), nil },
			credit: 700_000, failed: true,
		},
		"broken": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				return f.answer(http.StatusBadGateway, 900_000), nil
			},
			credit: 1_000_000, retried: true,
		},
		"not found": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				return f.answer(http.StatusNotFound, 700_000), nil
			},
			credit: 700_000, failed: true,
		},
		"bidden to pause": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				return f.answer(http.StatusOK, f.left.Add(-1), "Backoff", "10"), nil
			}, credit: 1_000_000,
		},
		"no answer": {
			next:   func(*fake, *http.Request) (*http.Response, error) { return nil, errReset },
			credit: 1_000_000, retried: true, lost: 1,
		},
		"nothing at all": {
			next:   func(*fake, *http.Request) (*http.Response, error) { return nil, nil },
			credit: 1_000_000, failed: true, lost: 1,
		},
		"an answer and an error": {
			next: func(f *fake, _ *http.Request) (*http.Response, error) {
				return f.answer(http.StatusOK, f.left.Load()), errReset
			}, credit: 1_000_000, retried: true, lost: 1,
		},
		"a panic": {
			next:   func(*fake, *http.Request) (*http.Response, error) { panic("oh") },
			credit: 1_000_000, failed: true, lost: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr, f := inAHurry(t)
				defer tr.Close()
				req := requestOf(t.Context(), "/")
				s := tr.leaseOf(req)
				require.Positive(t, s.lease.Left())
				var during int
				surprise := func(r *http.Request) (*http.Response, error) {
					during = s.lease.Left()
					return c.next(f, r)
				}
				f.next.Store(&surprise)
				began := time.Now()
				resp, err := func() (resp *http.Response, err error) {
					defer func() {
						if recover() != nil {
							err = errReset
						}
					}()
					return tr.RoundTrip(req)
				}()
				assert.Positive(t, during, "it went with the lease")
				assert.Zero(t, s.lease.Left(), "which ended")
				assert.Equal(t, c.failed, err != nil || resp.StatusCode != http.StatusOK, err)
				assert.Equal(t, c.retried, time.Since(began) > 0, "after %v", time.Since(began))
				if resp != nil {
					require.NoError(t, resp.Body.Close())
				}
				assert.Zero(t, f.open.Load(), "bodies")
				status, err := tr.Status(req)
				require.NoError(t, err)
				assert.LessOrEqual(t, status.Windows[0].Credit, c.credit)
				assert.LessOrEqual(t, status.InFlight, c.lost)
				assert.Zero(t, tr.Line().Stats().InFlight)
				if name == "bidden to pause" {
					assert.GreaterOrEqual(t, status.Hold.Sub(began), 10*time.Second)
				}
			})
		})
	}
}

// What was sent with a lease is waited for.
func TestShutdownWaitsForWhatWentWithALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, f := inAHurry(t)
		req := requestOf(t.Context(), "/")
		slow := func(*http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return f.answer(http.StatusOK, f.left.Load()), nil
		}
		f.next.Store(&slow)
		go func() {
			resp, err := tr.RoundTrip(req)
			if assert.NoError(t, err) {
				assert.NoError(t, resp.Body.Close())
			}
		}()
		synctest.Wait()
		assert.Equal(t, 1, tr.Line().Stats().InFlight)
		began := time.Now()
		require.NoError(t, tr.Line().Shutdown(t.Context()))
		assert.Equal(t, 3*time.Second, time.Since(began))
		_, err := tr.RoundTrip(req)
		require.ErrorIs(t, err, ErrClosed)
	})
}

// What is wrong with a dialect of the caller's leaves nothing open.
func TestADialectPanicsOnALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		angry := false
		tr, f := inAHurry(t, WithDialects(header.Dialect{
			Hosts: []string{"api.test"}, Bodies: true,
			Body: func(int, []byte) (time.Duration, bool, bool) {
				if angry {
					panic("angry")
				}
				return 0, false, false
			},
		}))
		defer tr.Close()
		req := requestOf(t.Context(), "/")
		s := tr.leaseOf(req)
		left := s.lease.Left()
		require.Positive(t, left)
		succeeds(t, tr, req)
		require.Equal(t, left-1, s.lease.Left())
		angry = true
		require.PanicsWithValue(t, "angry", func() { _, _ = tr.RoundTrip(req) })
		assert.Zero(t, f.open.Load())
		assert.Zero(t, tr.Line().Stats().InFlight)
	})
}

// What was sent with a lease before routes were told apart may be counted by any part:
// the parts wait for it.
func TestLeasesBeforeASplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, f := inAHurry(t)
		defer tr.Close()
		req := requestOf(t.Context(), "/")
		for range 3 {
			slow := func(*http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return f.answer(http.StatusOK, f.left.Load()), nil
			}
			f.next.Store(&slow)
			go func() {
				if resp, err := tr.RoundTrip(req); assert.NoError(t, err) {
					assert.NoError(t, resp.Body.Close())
				}
			}()
			synctest.Wait()
		}
		l := tr.learned(req)
		require.Equal(t, 3, l.flying)
		for _, scope := range []string{"items", "search"} {
			named := func(*http.Request) (*http.Response, error) {
				return f.answer(http.StatusOK, 900_000, "X-Ratelimit-Resource", scope), nil
			}
			f.next.Store(&named)
			succeeds(t, tr, requestOf(t.Context(), "/"+scope))
		}
		require.NotNil(t, l.before)
		assert.Equal(t, 3, l.stray)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Zero(t, tr.Line().Stats().InFlight)
		assert.Zero(t, l.stray)
		for range 200 {
			succeeds(t, tr, req)
			require.Zero(t, tr.LeftOf(req), "there are no more leases")
		}
	})
}

// While routes show different limits, as they do when a plan changes, none goes with a
// lease.
func TestLeasesAfterAChangeOfPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, f := inAHurry(t)
		defer tr.Close()
		limit := "1000000"
		call := func(path string) int {
			changed := func(*http.Request) (*http.Response, error) {
				resp := f.answer(http.StatusOK, f.left.Add(-1))
				resp.Header.Set("X-Ratelimit-Limit", limit)
				return resp, nil
			}
			f.next.Store(&changed)
			succeeds(t, tr, requestOf(t.Context(), path))
			return tr.LeftOf(requestOf(t.Context(), path))
		}
		often := func(path string) (leases bool) {
			for range 200 {
				leases = call(path) > 0 || leases
			}
			return leases
		}
		require.True(t, often("/items"))
		require.True(t, often("/search"))
		limit = "2000000"
		for seen := false; !seen; {
			seen = call("/items") == 0
		}
		assert.False(t, often("/items"), "searches still have the old one")
		call("/search")
		assert.True(t, often("/items"), "nor do they any more")
	})
}

// However requests overtake each other, fail and are given up, each is counted once.
func TestLeasesUnderLoad(t *testing.T) {
	f := new(fake)
	f.left.Store(1 << 40)
	tr, err := NewTransport(f, WithRetries(0))
	require.NoError(t, err)
	defer tr.Close()
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(n)))
			for range 4000 {
				if random.IntN(100) == 0 {
					f.next.CompareAndSwap(nil, new(func(*http.Request) (*http.Response, error) { return nil, errReset }))
				}
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(50) == 0 {
					cancel()
				}
				if resp, err := tr.RoundTrip(requestOf(ctx, "/")); err == nil {
					_ = resp.Body.Close()
				}
				cancel()
			}
		})
	}
	callers.Wait()
	assert.Zero(t, tr.Line().Stats().InFlight)
	assert.Zero(t, f.open.Load())
	req := requestOf(t.Context(), "/")
	assert.NotNil(t, tr.leaseOf(req), "there were leases")
	require.Eventually(t, func() bool { // lost requests count as under way for a while
		s, err := tr.Status(req)
		return err == nil && s.InFlight == 0
	}, 10*time.Second, 10*time.Millisecond)
}
