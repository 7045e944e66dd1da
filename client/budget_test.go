package client_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// steady sends a request every 10 ms for ten seconds, and returns how many of the
// callers got a 200 and how many attempts there were.
func steady(t testing.TB, answer func(int, *http.Request) (*http.Response, error), opts ...client.Option) (good, attempts int) {
	base := &recorder{answer: answer}
	rt := transport(t, base, opts...)
	var all sync.WaitGroup
	var mu sync.Mutex // guards good
	for i := range 1000 {
		time.Sleep(10 * time.Millisecond)
		all.Go(func() {
			resp, err := rt.RoundTrip(get(t.Context(), "/"+strconv.Itoa(i)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil && resp.StatusCode == 200 {
				good++
			}
		})
	}
	all.Wait()
	return good, len(base.times)
}

// fifth allows a fifth of the traffic and ten.
var fifth = client.WithRetryBudget(.2, 10, 10*time.Second)

// A key with much traffic may retry much: a tenth of failures is made good.
func TestBudgetGrowsWithTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed sync.Map
		good, attempts := steady(t, func(_ int, req *http.Request) (*http.Response, error) {
			if _, again := failed.LoadOrStore(req.URL.Path, true); !again && strings.HasSuffix(req.URL.Path, "5") {
				return respond(req, 500), nil
			}
			return respond(req, 200), nil
		}, fifth)
		require.Equal(t, 1000, good)
		require.Equal(t, 1100, attempts)
	})
}

// A server that fails for all gets a fifth more requests and a few, not five times
// as many.
func TestBudgetBoundsStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, attempts := steady(t, sequence(500), fifth)
		require.Zero(t, good)
		require.Greater(t, attempts, 1050)
		require.LessOrEqual(t, attempts, 1000+1000/5+20+10)
	})
}

// Refusals were not executed, and cost no budget.
func TestBudgetIsNotForRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n%2 == 1 {
				resp := respond(req, 429, "Retry-After-Ms", "10")
				wide(resp.Header)
				return resp, nil
			}
			return respond(req, 200), nil
		}}
		rt := transport(t, base, fifth)
		for range 25 { // more than the floor of the budget
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
		}
		require.Len(t, base.times, 50)
	})
}
