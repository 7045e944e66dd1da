package client_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// counted is an API that announces the same limit everywhere, and counts each group of
// requests apart.
func counted(limit int, per time.Duration, group func(*http.Request) string) (*routed, *int) {
	models, served := map[string]ratemodel.Model{}, new(int)
	return &routed{answer: func(r *http.Request) *http.Response {
		m := models[group(r)]
		if m == nil {
			window := ratemodel.NewFixed(limit, per)
			window.FromFirst = limit == 1 // so that the windows of the groups begin at different times
			m = window
			models[group(r)] = m
		}
		now, status := time.Now(), 200
		if !m.Admit(now) {
			status = 429
		} else {
			*served++
		}
		w := m.Windows(nil, now)[0]
		return respond(r, status, "X-RateLimit-Limit", strconv.Itoa(limit), "X-RateLimit-Remaining", strconv.Itoa(w.Remaining),
			"X-RateLimit-Reset-After", fmt.Sprintf("%.3f", w.Reset.Sub(now).Seconds()))
	}}, served
}

// callAll has callers send for ten minutes.
func callAll(t testing.TB, rt http.RoundTripper, callers int, request func(ctx context.Context, caller, n int) *http.Request) {
	callFor(t, rt, 10*time.Minute, callers, request)
}

// callFor has callers send for so long.
func callFor(t testing.TB, rt http.RoundTripper, d time.Duration, callers int, request func(ctx context.Context, caller, n int) *http.Request) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if resp, err := rt.RoundTrip(request(ctx, c, n)); err != nil {
					time.Sleep(time.Second)
				} else {
					_ = resp.Body.Close()
				}
			}
		})
	}
	all.Wait()
}

// The same limit, counted apart for each route, method or thing in the path, is found by
// what is left, and used in full.
func TestSameLimitCountedApart(t *testing.T) {
	figures(t)
	for name, c := range map[string]struct {
		limit    int
		per      time.Duration
		groups   int
		callers  int
		group    func(*http.Request) string
		request  func(ctx context.Context, caller, n int) *http.Request
		possible int
	}{
		"each route": {15, 30 * time.Second, 2, 10, func(r *http.Request) string { return r.URL.Path },
			func(ctx context.Context, caller, _ int) *http.Request {
				return get(ctx, "/1.1/"+[]string{"friends", "followers"}[caller%2])
			}, 2 * 15 * 20},
		"each channel": {5, 5 * time.Second, 20, 60, func(r *http.Request) string { return r.URL.Path[:14] },
			func(ctx context.Context, caller, n int) *http.Request {
				return get(ctx, fmt.Sprintf("/channels/%04d/messages/%d", 1000+caller%20, 100000+n))
			}, 20 * 5 * 120},
		"each account": {15, 30 * time.Second, 5, 20, func(r *http.Request) string { return r.URL.Query().Get("account_id") },
			func(ctx context.Context, caller, n int) *http.Request {
				return get(ctx, fmt.Sprintf("/payments?page=%d&account_id=%d", n, 7000+caller%5))
			}, 5 * 15 * 20},
		"each tenant": {10, 30 * time.Second, 3, 20, func(r *http.Request) string { return r.Header.Get("X-Tenant-Id") },
			func(ctx context.Context, caller, n int) *http.Request {
				r := get(ctx, "/things")
				r.Header.Set("X-Tenant-Id", strconv.Itoa((caller+n)%3))
				return r
			}, 3 * 10 * 20},
		"each method": {30, 30 * time.Second, 2, 10, func(r *http.Request) string { return r.Method },
			func(ctx context.Context, caller, _ int) *http.Request {
				r := get(ctx, "/things")
				r.Method = []string{http.MethodGet, http.MethodDelete}[caller%2]
				return r
			}, 2 * 30 * 20},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				api, served := counted(c.limit, c.per, c.group)
				rt := transport(t, api)
				callAll(t, rt, c.callers, c.request)
				rt.Close()
				t.Log(*served, "of", c.possible, "refused", api.refusals)
				assert.GreaterOrEqual(t, *served, c.possible*9/10)
				assert.LessOrEqual(t, api.refusals, c.possible/100)
			})
		})
	}
}

// What is left of a bucket may be the same after each request, because it refills, and says little of who counts.
// Each object has a bucket of its own, which its share of the requests does not empty: so none has to wait.
func TestBucketOfEachObject(t *testing.T) {
	t.Parallel()
	for _, reset := range []ratemodel.ResetRule{ratemodel.ResetNext, ratemodel.ResetFull} {
		if chance.Raced && reset == ratemodel.ResetFull {
			continue // the others send requests in the same ways
		}
		chance.Bubble(t, func(t testing.TB) {
			buckets, served := map[string]ratemodel.Model{}, 0
			api := &routed{answer: func(r *http.Request) *http.Response {
				m, now, status := buckets[r.URL.Path], time.Now(), 200
				if m == nil {
					bucket := ratemodel.NewBucket(40, 200, time.Minute)
					bucket.Reset, m = reset, bucket
					buckets[r.URL.Path] = m
				}
				if m.Admit(now) {
					served++
				} else {
					status = 429
				}
				w := m.Windows(nil, now)[0]
				return respond(r, status, "RateLimit-Limit", "40", "RateLimit-Remaining", strconv.Itoa(w.Remaining),
					"RateLimit-Reset", strconv.Itoa(int(math.Ceil(w.Reset.Sub(now).Seconds()))))
			}}
			rt := transport(t, api)
			callFor(t, rt, 30*time.Second, 40, func(ctx context.Context, _, _ int) *http.Request {
				return get(ctx, fmt.Sprintf("/orders/%d", 1000+rand.IntN(300)))
			})
			rt.Close()
			t.Log(served, "refused", api.refusals)
			assert.GreaterOrEqual(t, served, 40*20*30*95/100)
			assert.LessOrEqual(t, api.refusals, 20)
		})
	}
}

// Of a limit of one request each response says that nothing remains, whoever counts. Requests of other paths
// test that: where each chat has a limit of its own, all are used; where all share one, hardly any
// test is refused.
func TestLimitOfOneRequest(t *testing.T) {
	chat := func(r *http.Request) string { return r.URL.Path }
	for name, c := range map[string]struct {
		group         func(*http.Request) string
		least, refuse int
	}{
		"each chat":  {chat, 5 * 600 * 8 / 10, 5 * 600 / 25},
		"all share":  {func(*http.Request) string { return "" }, 600 * 8 / 10, 600 / 25},
		"each route": {func(r *http.Request) string { return r.URL.Path[:6] }, 600 * 8 / 10, 600 / 25},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				api, served := counted(1, time.Second, c.group)
				rt := transport(t, api)
				callAll(t, rt, 10, func(ctx context.Context, caller, _ int) *http.Request {
					return get(ctx, fmt.Sprintf("/chats/%d/messages", 555000+caller%5))
				})
				rt.Close()
				t.Log(*served, "refused", api.refusals)
				assert.GreaterOrEqual(t, *served, c.least)
				assert.LessOrEqual(t, api.refusals, c.refuse)
			})
		})
	}
}

// One counter for very many paths stays one limit, and they cost no memory.
func TestManyPathsOfOneCounter(t *testing.T) {
	t.Parallel()
	chance.Bubble(t, func(t testing.TB) {
		limit := 30_000
		if chance.Raced {
			limit /= 10
		}
		api, served := counted(limit, time.Minute, func(*http.Request) string { return "" })
		rt := transport(t, api)
		callAll(t, rt, 50, func(ctx context.Context, caller, n int) *http.Request {
			return get(ctx, fmt.Sprintf("/orders/%d", 1000+n*50+caller))
		})
		assert.Len(t, rt.Snapshot(), 1)
		rt.Close()
		t.Log(*served, api.refusals)
		assert.Zero(t, api.refusals)
		assert.GreaterOrEqual(t, *served, 10*limit*59/60)
	})
}

// One of two routes is exhausted, and the other is not kept waiting for it.
func TestExhaustedRouteHoldsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := counted(15, 15*time.Minute, func(r *http.Request) string { return r.URL.Path })
		rt := transport(t, api, client.WithPacing(client.Burst))
		for range 4 {
			took(t, rt, t.Context(), "/a")
			took(t, rt, t.Context(), "/b")
		}
		for range 11 {
			took(t, rt, t.Context(), "/a")
		}
		assert.Less(t, took(t, rt, t.Context(), "/b"), time.Second)
	})
}
