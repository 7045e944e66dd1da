package client_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// twoRoutes is an API that limits searches apart from items.
func twoRoutes(t testing.TB, named bool) *apiserver.Server {
	rule := func(prefix string, limit int) apiserver.Rule {
		return apiserver.Rule{
			Match:   func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) },
			Model:   func(string) ratemodel.Model { return ratemodel.NewFixed(limit, time.Minute) },
			Dialect: xRateLimit,
		}
	}
	c := apiserver.Config{Rules: []apiserver.Rule{rule("/items", 300), rule("/search", 30)}}
	if named {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-RateLimit-Resource", strings.Split(r.URL.Path, "/")[1])
		})
	}
	s, err := apiserver.New(c)
	require.NoError(t, err)
	return s
}

// runRoutes loads both routes at once for ten minutes, and returns how many were
// admitted and refused on each.
func runRoutes(t testing.TB, s *apiserver.Server, do func(*http.Request) (*http.Response, error)) (admitted, refused map[string]int) {
	admitted, refused = map[string]int{}, map[string]int{}
	start := simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
	var callers sync.WaitGroup
	var mu sync.Mutex
	for _, path := range []string{"/items/4711", "/search"} {
		callers.Go(func() {
			r := simnet.Load{
				Server: s, Do: func(r *http.Request) (*http.Response, error) {
					resp, err := do(r)
					if err == nil {
						mu.Lock()
						defer mu.Unlock()
						if resp.StatusCode == http.StatusOK {
							admitted[path]++
						}
					}
					return resp, err
				},
				Start: start, Until: start.Add(10*time.Minute - into),
				NewRequest: func(ctx context.Context, _ string) *http.Request { return get(ctx, path) },
			}.Run(t.Context())
			mu.Lock()
			defer mu.Unlock()
			refused[path] = r.Counts.Refused // of both routes
		})
	}
	callers.Wait()
	return admitted, refused
}

// Routes with limits of their own are found out, and none slows the other down.
func TestRoutesWithLimitsOfTheirOwn(t *testing.T) {
	for name, c := range map[string]struct {
		named   bool
		refused int
	}{"named in the responses": {true, 5}, "shown by other limits": {false, 10}} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				s := twoRoutes(t, c.named)
				rt, err := client.NewTransport(simnet.New(s, 1))
				require.NoError(t, err)
				admitted, refused := runRoutes(t, s, rt.RoundTrip)
				t.Log(admitted, refused)
				require.GreaterOrEqual(t, admitted["/items/4711"], 2970)
				require.GreaterOrEqual(t, admitted["/search"], 297)
				require.LessOrEqual(t, refused["/search"], c.refused)
			})
		})
	}
}

// Most requests of this program are at routes that were never seen before, and few of
// them searches: none of these slows the others down, or makes them look like somebody
// else's.
func TestNewRoutesAreNoStrangers(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		s := twoRoutes(t, true)
		rt, err := client.NewTransport(simnet.New(s, 1))
		require.NoError(t, err)
		start := simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
		var count atomic.Int64
		r := simnet.Load{
			Server: s, Do: rt.RoundTrip, Start: start, Until: start.Add(10*time.Minute - into),
			NewRequest: func(ctx context.Context, _ string) *http.Request {
				n := int(count.Add(1))
				if n%100 == 0 {
					return get(ctx, "/search")
				}
				name := strings.Map(func(digit rune) rune { return digit + 'a' - '0' }, strconv.Itoa(n))
				return get(ctx, "/items/"+name)
			},
		}.Run(t.Context())
		t.Log(r)
		require.Zero(t, r.Counts.Refused)
		require.Zero(t, r.Errors, r.First)
		require.GreaterOrEqual(t, r.Counts.Admitted, 2970)
		status, err := rt.Status(get(t.Context(), "/items/new"))
		require.NoError(t, err)
		require.False(t, status.Windows[0].Others)
	})
}

// Scopes that the caller names need not be found out.
func TestWithScope(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		s := twoRoutes(t, false)
		rt, err := client.NewTransport(simnet.New(s, 1))
		require.NoError(t, err)
		admitted, refused := runRoutes(t, s, func(r *http.Request) (*http.Response, error) {
			return rt.RoundTrip(r.WithContext(client.WithScope(r.Context(), strings.Split(r.URL.Path, "/")[1])))
		})
		t.Log(admitted, refused)
		require.GreaterOrEqual(t, admitted["/items/4711"], 2985)
		require.GreaterOrEqual(t, admitted["/search"], 298)
		require.Zero(t, refused["/search"])
	})
}

// A status tells what is left, without sending anything.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := twoRoutes(t, false)
		network := simnet.New(s, 1)
		rt, err := client.NewTransport(network)
		require.NoError(t, err)
		items := get(t.Context(), "/items/1")
		before, err := rt.Status(items)
		require.NoError(t, err)
		require.Empty(t, before.Windows)

		for range 3 {
			resp, err := rt.RoundTrip(items)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		after, err := rt.Status(items)
		require.NoError(t, err)
		require.Len(t, after.Windows, 1)
		require.Equal(t, 300, after.Windows[0].Limit)
		require.Equal(t, 297, after.Windows[0].Credit)
		require.False(t, after.Start.After(time.Now()))
		require.Equal(t, 3, s.Counts().Requests)

		// It is about the quota of this request, not of any.
		other, err := rt.Status(items.WithContext(client.WithKey(t.Context(), "another")))
		require.NoError(t, err)
		require.Empty(t, other.Windows)
		rt.Close()
		_, err = rt.Status(items)
		require.ErrorIs(t, err, client.ErrClosed)
	})
}
