package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A routed is an API whose answer depends on the route. It answers after 50 ms.
type routed struct {
	mu       sync.Mutex
	answer   func(r *http.Request) *http.Response
	sent     map[string]int
	refused  map[string]int
	refusals int
}

func (a *routed) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(25 * time.Millisecond)
	a.mu.Lock()
	resp := a.answer(r)
	if a.sent == nil {
		a.sent, a.refused = map[string]int{}, map[string]int{}
	}
	a.sent[r.URL.Path]++
	if resp.StatusCode != http.StatusOK {
		a.refused[r.URL.Path]++
		a.refusals++
	}
	a.mu.Unlock()
	time.Sleep(25 * time.Millisecond)
	return resp, nil
}

// took sends a request and returns how long it took.
func took(t testing.TB, rt http.RoundTripper, ctx context.Context, path string) time.Duration {
	t.Helper()
	began := time.Now()
	resp, err := rt.RoundTrip(get(ctx, path))
	if assert.NoError(t, err, path) {
		_, _ = io.Copy(io.Discard, resp.Body)
		assert.NoError(t, resp.Body.Close())
	}
	return time.Since(began)
}

// A refusal that names no limit holds the route that it answered, whatever the others
// announce. A server that is overloaded is asked by each for itself.
func TestRefusalHoldsItsRoute(t *testing.T) {
	announced := []string{"X-RateLimit-Limit", "6000", "X-RateLimit-Remaining", "5000", "X-RateLimit-Reset", "60"}
	for name, c := range map[string]struct {
		status         int
		fields, others []string
	}{
		"silent":                       {429, []string{"Retry-After", "600"}, nil},
		"others announce":              {429, []string{"Retry-After", "600"}, announced},
		"a broken route":               {503, []string{"Retry-After", "600"}, announced},
		"plenty left, it says":         {429, append([]string{"Retry-After", "600"}, announced...), announced},
		"its resource is busy for all": {429, []string{"Retry-After", "600", "X-RateLimit-Scope", "shared"}, nil},
	} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", others known: ", known), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api := &routed{answer: func(r *http.Request) *http.Response {
						if r.URL.Path == "/exports" {
							return respond(r, c.status, c.fields...)
						}
						return respond(r, 200, c.others...)
					}}
					rt := transport(t, api)
					if known {
						took(t, rt, t.Context(), "/orders/1")
					}
					once := client.NoRetry(t.Context())
					took(t, rt, once, "/exports")
					var waits sync.WaitGroup
					for range 3 { // these wait, and keep nobody waiting
						waits.Go(func() { _, _ = rt.RoundTrip(get(once, "/exports")) })
					}
					synctest.Wait()
					for i := range 100 {
						assert.Less(t, took(t, rt, t.Context(), "/orders/"+strconv.Itoa(i)), time.Second)
					}
					if c.status == http.StatusTooManyRequests {
						assert.Equal(t, 1, api.sent["/exports"], "its own wait is kept")
					}
					rt.Close()
					waits.Wait()
				})
			})
		}
	}
}

// What is said to be about the account or the address holds all routes.
func TestGlobalRefusalHoldsAll(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		fields []string
	}{
		"scope":    {429, "", []string{"X-RateLimit-Scope", "global"}},
		"flag":     {429, "", []string{"X-RateLimit-Global", "true"}},
		"body":     {429, `{"message": "You are being rate limited.", "retry_after": 60, "global": true}`, nil},
		"banned":   {418, "", nil},
		"IP in it": {429, `{"code":-1003,"msg":"Too many requests; IP banned until 1700000000000."}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := &routed{}
				api.answer = func(r *http.Request) *http.Response {
					if r.URL.Path == "/b" && api.sent["/b"] == 0 {
						resp := respond(r, c.status, append(c.fields, "Retry-After", "60", "Content-Type", "application/json")...)
						resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
						return resp
					}
					return respond(r, 200)
				}
				rt := transport(t, api)
				took(t, rt, t.Context(), "/a")
				took(t, rt, client.NoRetry(t.Context()), "/b")
				assert.Greater(t, took(t, rt, t.Context(), "/a"), 59*time.Second)
			})
		})
	}
}

// silent is an API that limits a key as a whole and says so only when it refuses.
func silent(model ratemodel.Model) *routed {
	return &routed{answer: func(r *http.Request) *http.Response {
		if now := time.Now(); !model.Admit(now) {
			return respond(r, 429, "Retry-After", strconv.Itoa(int(model.Next(now).Sub(now)/time.Second)+1))
		}
		return respond(r, 200)
	}}
}

// load has twenty callers send to so many routes for a while.
func load(t testing.TB, api *routed, routes int, run time.Duration) (served, refused int) {
	rt := transport(t, api)
	time.Sleep(17*time.Second + 240*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), run)
	defer cancel()
	var callers sync.WaitGroup
	for c := range 20 {
		callers.Go(func() {
			for n := c; ctx.Err() == nil; n++ {
				resp, err := rt.RoundTrip(get(ctx, "/route"+string(rune('a'+n*7%routes))))
				if err != nil {
					time.Sleep(time.Second)
					continue
				}
				_ = resp.Body.Close()
			}
		})
	}
	callers.Wait()
	for _, n := range api.sent {
		served += n
	}
	rt.Close()
	return served - api.refusals, api.refusals
}

// Most APIs that say nothing limit the key as a whole. That is noticed at the second
// route that is refused, and remembered: ten routes are refused hardly more than one.
func TestSilentLimitOfAllRoutes(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many hours")
	}
	for name, model := range map[string]func() ratemodel.Model{
		"fixed":   func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) },
		"rolling": func() ratemodel.Model { return ratemodel.NewSlidingLog(300, time.Minute) },
		"bucket":  func() ratemodel.Model { return ratemodel.NewBucket(20, 300, time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			share := map[int]float64{}
			for _, routes := range []int{1, 2, 10} {
				// About one draw in a hundred takes a route for one with a limit of its own.
				var shares, all []float64
				for range 3 {
					chance.Bubble(t, func(t testing.TB) {
						served, refused := load(t, silent(model()), routes, time.Hour)
						shares, all = append(shares, float64(refused)/float64(served+refused)), append(all, float64(served))
						t.Logf("%d routes: %d served, %d refused", routes, served, refused)
					})
				}
				slices.Sort(shares)
				slices.Sort(all)
				share[routes] = shares[1]
				assert.Greater(t, all[1], 17_500.)
			}
			// Which routes are refused together is left to chance: mostly it makes no
			// difference, and at worst some hundred requests an hour.
			assert.Less(t, share[10], share[1]+.03)
			assert.Less(t, share[2], share[1]+.035)
		})
	}
}

// What all routes share does not make a refusal of one route for an hour, or for ever,
// one of all.
func TestOneRouteIsRefusedAfterAllWere(t *testing.T) {
	figures(t)
	for name, fields := range map[string][]string{"for an hour": {"Retry-After", "3600"}, "for ever, without a word": nil} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				api := silent(ratemodel.NewFixed(300, time.Minute))
				limited := api.answer
				api.answer = func(r *http.Request) *http.Response {
					if r.URL.Path == "/exports" {
						return respond(r, 429, fields...)
					}
					return limited(r)
				}
				rt := transport(t, api)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				var callers sync.WaitGroup
				for c := range 10 {
					callers.Go(func() {
						for n := c; ctx.Err() == nil; n++ {
							path := "/route" + string(rune('a'+n%10))
							if c == 0 && n%50 == 49 {
								path = "/exports"
							}
							resp, err := rt.RoundTrip(get(client.NoRetry(ctx), path))
							if err != nil {
								time.Sleep(time.Second)
								continue
							}
							_ = resp.Body.Close()
						}
					})
				}
				callers.Wait()
				rt.Close()
				served := -api.refusals
				for _, n := range api.sent {
					served += n
				}
				require.NotZero(t, api.sent["/exports"])
				t.Log(served, api.refusals, api.sent["/exports"])
				assert.Greater(t, served, 300*57)
			})
		})
	}
}

// Routes with silent limits of their own, all in use, do not hold each other.
func TestSilentLimitOfEachRoute(t *testing.T) {
	figures(t)
	chance.Bubble(t, func(t testing.TB) {
		limits := map[string]ratemodel.Model{
			"/routea": ratemodel.NewFixed(20, time.Minute), "/routeb": ratemodel.NewSlidingLog(100, time.Minute),
			"/routec": ratemodel.NewFixed(600, time.Minute),
		}
		api := &routed{answer: func(r *http.Request) *http.Response {
			return silent(limits[r.URL.Path]).answer(r)
		}}
		rt := transport(t, api)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var callers sync.WaitGroup
		for c := range 30 {
			callers.Go(func() {
				for ctx.Err() == nil {
					resp, err := rt.RoundTrip(get(ctx, "/route"+string(rune('a'+c%3))))
					if err != nil {
						time.Sleep(time.Second)
						continue
					}
					_ = resp.Body.Close()
				}
			})
		}
		callers.Wait()
		rt.Close()
		t.Log(api.sent, api.refused)
		assert.Greater(t, api.sent["/routea"]-api.refused["/routea"], 20*55)
		assert.Greater(t, api.sent["/routeb"]-api.refused["/routeb"], 100*55)
		assert.Greater(t, api.sent["/routec"]-api.refused["/routec"], 600*55)
	})
}
