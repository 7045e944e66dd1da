package adaptive_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/queue/adaptive"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A slowServer never refuses. It answers in base while no more than capacity requests are
// in it, and the more slowly the more there are; beyond crash times the capacity it spends
// its time on switching between them.
type slowServer struct {
	base     time.Duration
	capacity float64
	crash    float64 // 0 is never
	tail     bool    // times are spread as an exponential distribution
	random   *rand.Rand

	mu       sync.Mutex
	inside   int
	most     int
	took     []time.Duration
	timedOut int
}

func (s *slowServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.inside++
	s.most = max(s.most, s.inside)
	load := max(1, float64(s.inside)/s.capacity)
	if s.crash > 0 && load > s.crash {
		load *= load / s.crash
	}
	spread := .8 + .4*s.random.Float64()
	if s.tail {
		spread = s.random.ExpFloat64()
	}
	takes := time.Duration(float64(s.base) * load * spread)
	s.mu.Unlock()
	timer := time.NewTimer(takes)
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
	case <-r.Context().Done():
		err = r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside--
	if err != nil {
		s.timedOut++
		return nil, err
	}
	s.took = append(s.took, takes)
	return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// quantile returns how long that share of the requests took at most.
func (s *slowServer) quantile(share float64) time.Duration {
	slices.Sort(s.took)
	if len(s.took) == 0 {
		return 0
	}
	return s.took[int(share*float64(len(s.took)-1))]
}

// load has callers make requests in a closed loop for a while, each attempt with a
// timeout, if that is not 0. It returns how many were served.
func load(t *testing.T, s *slowServer, callers int, span, timeout time.Duration, opts ...client.Option) (served int) {
	if timeout > 0 {
		opts = append(opts, client.WithAttemptTimeout(timeout))
	}
	rt, err := client.NewTransport(s, append(opts, client.WithRetries(0))...)
	require.NoError(t, err)
	defer rt.Close()
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := rt.RoundTrip(req)
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				mu.Lock()
				served++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return served
}

// Servers of all sizes are used as well as without a limit, with little waiting in them;
// those that break down under load are used where they were not.
func TestSlowServers(t *testing.T) {
	for _, c := range []struct {
		name     string
		base     time.Duration
		capacity float64
		crash    float64
		tail     bool
		callers  int
		span     time.Duration
		timeout  time.Duration
		served   float64 // at least, of what is served without the limit
		slower   float64 // at most, than the base
	}{
		{name: "10 at once", base: 100 * time.Millisecond, capacity: 10, callers: 200, served: .95, slower: 3},
		{name: "100 at once", base: 100 * time.Millisecond, capacity: 100, callers: 400, span: time.Minute, served: .9, slower: 2.5},
		{name: "2 at once", base: 500 * time.Millisecond, capacity: 2, callers: 50, span: 10 * time.Minute, served: .9, slower: 4},
		{name: "no limit", base: 100 * time.Millisecond, capacity: math.Inf(1), callers: 200, span: time.Minute, served: .95, slower: 1.3},
		{name: "long tail", base: 100 * time.Millisecond, capacity: math.Inf(1), tail: true, callers: 200, span: time.Minute, served: .9, slower: 1.3},
		{name: "long tail, 10 at once", base: 100 * time.Millisecond, capacity: 10, tail: true, callers: 200, served: .9, slower: 3},
		{name: "few callers", base: 100 * time.Millisecond, capacity: 50, callers: 5, served: .98, slower: 1.3},
		{name: "breaks down", base: 100 * time.Millisecond, capacity: 10, crash: 4, callers: 200, served: 2, slower: 3},
		{name: "times out", base: 100 * time.Millisecond, capacity: 10, callers: 300, timeout: 2 * time.Second, served: 10, slower: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			span := cmp.Or(c.span, 2*time.Minute)
			if chance.Raced {
				span /= 10 // the detector looks for faults; the figures take too long
			}
			server := func() *slowServer {
				return &slowServer{base: c.base, capacity: c.capacity, crash: c.crash, tail: c.tail, random: rand.New(rand.NewPCG(1, 2))}
			}
			var plain, limited *slowServer
			var without, with int
			synctest.Test(t, func(t *testing.T) {
				plain = server()
				without = load(t, plain, c.callers, span, c.timeout)
			})
			synctest.Test(t, func(t *testing.T) {
				limited = server()
				with = load(t, limited, c.callers, span, c.timeout, client.WithQueue(adaptive.WithConcurrency(adaptive.Config{})))
			})
			row := func(n int, s *slowServer) string {
				return fmt.Sprintf("served %d, timed out %d, half of the responses within %v, 99 %% within %v, at most %d inside",
					n, s.timedOut, s.quantile(.5).Round(time.Millisecond), s.quantile(.99).Round(time.Millisecond), s.most)
			}
			t.Logf("without: %s", row(without, plain))
			t.Logf("with:    %s", row(with, limited))
			if chance.Raced {
				return
			}
			require.GreaterOrEqual(t, float64(with), c.served*float64(without))
			require.LessOrEqual(t, limited.quantile(.5).Seconds(), c.slower*c.base.Seconds())
		})
	}
}

// A server that becomes ten times as slow for good is measured anew.
func TestServersThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowServer{base: 50 * time.Millisecond, capacity: 20, random: rand.New(rand.NewPCG(1, 2))}
		time.AfterFunc(time.Minute, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.base, s.took = 500*time.Millisecond, nil
		})
		opt := client.WithQueue(adaptive.WithConcurrency(adaptive.Config{}))
		load(t, s, 100, 3*time.Minute, 0, opt)
		const possible = 2 * 60 * 2 * 20
		require.GreaterOrEqual(t, len(s.took), possible*85/100)
	})
}

// Each host has a limit of its own, and a request that is not sent leaves its place.
func TestHostsAndPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := queue.New(adaptive.WithConcurrency(adaptive.Config{Min: 1, Initial: 2}))
		require.NoError(t, err)
		defer q.Close()
		get := func(host string) (queue.Permit, error) {
			return q.Acquire(t.Context(), &queue.Request{Key: "key", Host: host, NoWait: true})
		}
		first, err := get("a")
		require.NoError(t, err)
		second, err := get("a")
		require.NoError(t, err)
		_, err = get("a")
		require.ErrorContains(t, err, adaptive.Name)
		_, err = get("b")
		require.NoError(t, err)
		second.Cancel()
		_, err = get("a")
		require.NoError(t, err)
		first.Release()
		_, err = get("a")
		require.NoError(t, err)
	})
}

func TestIdle(t *testing.T) {
	l, err := adaptive.New(adaptive.Config{})
	require.NoError(t, err)
	now := time.Unix(1e9, 0)
	l.Take(now, limit.Demand{})
	require.False(t, l.Idle(now.Add(time.Hour)), "one is under way")
	l.Done(now.Add(time.Second), now, limit.Demand{})
	require.False(t, l.Idle(now.Add(time.Minute)))
	require.True(t, l.Idle(now.Add(time.Hour)))
	require.Zero(t, l.Forecast(now, 5, limit.Demand{}))
}

func TestConfig(t *testing.T) {
	for _, bad := range []adaptive.Config{
		{Min: -1}, {Min: 10, Initial: 5}, {Initial: 20, Max: 10}, {Max: 1 << 30}, {Tolerance: .5}, {Tolerance: math.NaN()}, {Tolerance: math.Inf(1)},
	} {
		_, err := client.New(client.WithQueue(adaptive.WithConcurrency(bad)))
		require.ErrorContains(t, err, "adaptive: ", "%+v", bad)
		_, err = adaptive.New(bad)
		require.Error(t, err)
	}
	_, err := client.New(client.WithQueue(adaptive.WithConcurrency(adaptive.Config{Min: 2000})))
	require.NoError(t, err)
	_, err = queue.New(adaptive.WithConcurrency(adaptive.Config{PerKey: true, Max: 3}))
	require.NoError(t, err)
}
