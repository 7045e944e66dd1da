package client_test

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// arrivals sends n requests at once to an API that allows 20 a minute, and returns
// when those arrived that were admitted, counted from the start of a minute. None
// is refused.
func arrivals(t testing.TB, n int, opts ...client.Option) []time.Duration {
	var at []time.Duration
	start := time.Now()
	s, err := apiserver.New(apiserver.Config{
		Rules:   []apiserver.Rule{{Model: func(string) ratemodel.Model { return fixed(20)() }, Dialect: xRateLimit}},
		Observe: func(d apiserver.Decision) { at = append(at, d.Time.Sub(start)) },
	})
	require.NoError(t, err)
	rt := transport(t, simnet.New(s, 1), opts...)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			if assert.NoError(t, err) {
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	require.Zero(t, s.Counts().Refused)
	require.Len(t, at, n)
	return at
}

// within counts the moments before d.
func within(at []time.Duration, d time.Duration) (n int) {
	for _, a := range at {
		if a < d {
			n++
		}
	}
	return n
}

// Thresholds, reserves and pacings let so many of twenty requests go in the first
// second, in the first half of the window, and in all of it.
func TestPacing(t *testing.T) {
	for _, c := range []struct {
		name                     string
		opts                     []client.Option
		second, half, minute, of int
	}{
		{"default", nil, 18, 19, 20, 20},
		{"late", []client.Option{client.WithPacing(client.Burst), client.WithPacing(client.Late)}, 18, 19, 20, 20},
		{"burst", []client.Option{client.WithPacing(client.Burst)}, 20, 20, 20, 20},
		{"even", []client.Option{client.WithPacing(client.Even)}, 1, 10, 20, 20},
		{"threshold of half", []client.Option{client.WithThreshold(throttle.Share(.5))}, 10, 15, 20, 20},
		{"threshold of five requests", []client.Option{client.WithThreshold(throttle.Requests(5))}, 15, 17, 20, 20},
		{"no threshold", []client.Option{client.WithThreshold(throttle.Amount{})}, 20, 20, 20, 20},
		{"reserve of five requests", []client.Option{client.WithPacing(client.Burst), client.WithReserve(throttle.Requests(5))}, 15, 15, 15, 20},
		{"reserve of half", []client.Option{client.WithPacing(client.Burst), client.WithReserve(throttle.Share(.5))}, 10, 10, 10, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := arrivals(t, c.of, c.opts...)
				assert.InDelta(t, c.second, within(at, time.Second), 1, "in a second: %v", at)
				assert.InDelta(t, c.half, within(at, 30*time.Second), 1, "in half a minute: %v", at)
				assert.Equal(t, c.minute, within(at, time.Minute), "in a minute: %v", at)
			})
		})
	}
}

// WithRetries and WithBackoff say how often a request is sent, and when.
func TestRetriesAndBackoff(t *testing.T) {
	policy, err := backoff.New(backoff.Linear(time.Second, time.Second))
	require.NoError(t, err)
	for _, status := range []int{503, 429} {
		for _, retries := range []int{0, 1, 5} {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: sequence(status)}
				rt := transport(t, base, client.WithRetries(retries), client.WithBackoff(policy))
				resp, err := rt.RoundTrip(get(t.Context(), "/"))
				require.NoError(t, err)
				require.Equal(t, status, resp.StatusCode)
				require.Len(t, base.times, retries+1)
				for i := range retries {
					require.Equal(t, time.Duration(i+1)*time.Second, base.times[i+1].Sub(base.times[i]))
				}
			})
		}
	}
}

// WithCheck judges every answer, the good ones too.
func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine := func(a backoff.Attempt) backoff.Verdict {
			switch {
			case a.Response != nil && a.Response.Header.Get("X-Pending") != "":
				return backoff.Yes
			case a.Response != nil && a.Response.StatusCode == 503:
				return backoff.No
			}
			return backoff.NoOpinion
		}
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return respond(req, 202, "X-Pending", "1"), nil
			}
			return respond(req, 503), nil
		}}
		resp, err := transport(t, base, client.WithCheck(backoff.FirstOf(mine, backoff.DefaultCheck))).RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.Len(t, base.times, 2)
	})
}

// WithMaxWait bounds each wait; 0 means as long as it takes.
func TestMaxWait(t *testing.T) {
	for _, c := range []struct {
		most, wait time.Duration
		passes     bool
	}{
		{client.DefaultMaxWait, 19 * time.Minute, true},
		{client.DefaultMaxWait, 21 * time.Minute, false},
		{time.Minute, 50 * time.Second, true},
		{time.Minute, 61 * time.Second, false},
		{0, 25 * time.Hour, true},
		{math.MaxInt64, 25 * time.Hour, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
				if n == 1 {
					return respond(req, 429, "Retry-After-Ms", ms(c.wait)), nil
				}
				return respond(req, 200), nil
			}}
			rt := transport(t, base, client.WithMaxWait(c.most))
			began := time.Now()
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			if !c.passes {
				require.Equal(t, 429, resp.StatusCode)
				require.Zero(t, time.Since(began))
				return
			}
			require.Equal(t, 200, resp.StatusCode)
			require.GreaterOrEqual(t, time.Since(began), c.wait)
		})
	}
}

// WithQueue adds limits that no header tells.
func TestLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rule := queue.Rule{Pattern: "/items", Limits: []queue.Quota{queue.Every(2 * time.Second).Slack(0)}}
		base := &recorder{answer: sequence(200)}
		rt := transport(t, base, client.WithRule(rule))
		for _, path := range []string{"/items", "/items", "/other", "/items"} {
			_, err := rt.RoundTrip(get(t.Context(), path))
			require.NoError(t, err)
		}
		assert.Equal(t, []time.Duration{2 * time.Second, 0, 2 * time.Second}, gaps(base.times))
	})
}

// A key function decides alone, for all hosts; PerHost tells them apart.
func TestKeyFunc(t *testing.T) {
	tenant := func(r *http.Request) string { return r.Header.Get("X-Tenant") }
	for name, f := range map[string]client.KeyFunc{"hosts joined": tenant, "per host": client.PerHost(tenant)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
					if req.Header.Get("X-Tenant") == "a" && req.URL.Host == "api.test" {
						return respond(req, 429, "Retry-After", "60"), nil
					}
					return respond(req, 200), nil
				}}
				rt := transport(t, base, client.WithKeyFunc(f))
				send := func(ctx context.Context, host, tenant string) error {
					req := get(client.NoRetry(client.NoWait(ctx)), "/")
					req.URL.Host = host
					req.Header.Set("X-Tenant", tenant)
					_, err := rt.RoundTrip(req)
					return err
				}
				require.NoError(t, send(t.Context(), "api.test", "a"), "refused, which is a response")
				assert.ErrorIs(t, send(t.Context(), "api.test", "a"), client.ErrNoWait)
				assert.ErrorIs(t, send(t.Context(), "API.test:443", "a"), client.ErrNoWait, "the same host")
				assert.NoError(t, send(t.Context(), "api.test", "b"))
				assert.NoError(t, send(t.Context(), "api.testa", ""), "without a key it is the host's")
				if name == "per host" {
					assert.NoError(t, send(t.Context(), "other.test", "a"))
					assert.NoError(t, send(client.WithKey(t.Context(), "a"), "api.test", "b"), "another a")
					return
				}
				assert.ErrorIs(t, send(t.Context(), "other.test", "a"), client.ErrNoWait)
				assert.ErrorIs(t, send(client.WithKey(t.Context(), "a"), "third.test", "b"), client.ErrNoWait, "WithKey decides")
				assert.NoError(t, send(client.WithKey(t.Context(), "c"), "api.test", "a"), "WithKey decides")
				assert.ErrorIs(t, send(client.WithKey(t.Context(), ""), "api.test", "a"), client.ErrNoWait, "but not if it names none")
			})
		})
	}
}

// Hosts that share a key share its limits, each in its own dialect.
func TestOneQuotaOfSeveralHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		reset := time.Now().Add(30 * time.Second)
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			sent = append(sent, req.URL.Host)
			return respond(req, 200, "X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10)), nil
		}}
		rt := transport(t, base, client.WithKeyFunc(func(*http.Request) string { return "us" }))
		for _, host := range []string{"eu.api.test", "us.api.test"} {
			req := get(t.Context(), "/")
			req.URL.Host = host
			_, err := rt.RoundTrip(req)
			require.NoError(t, err)
		}
		assert.Equal(t, []string{"eu.api.test", "us.api.test"}, sent)
		require.Len(t, base.times, 2)
		assert.False(t, base.times[1].Before(reset), "the second host waits for what the first said")
	})
}

// A dialect of the caller's own tells what a field means.
func TestDialects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return respond(req, 429, "X-Again", "1500"), nil
			}
			return respond(req, 200), nil
		}}
		d := header.Dialect{Hosts: []string{"api.test"}, Fields: map[string]header.Field{"X-Again": {Role: header.RetryAfter, Unit: time.Millisecond}}}
		_, err := transport(t, base, client.WithDialects(d)).RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, gaps(base.times)[0], 1500*time.Millisecond)
	})
}

// What makes no sense is an error, and no panic, also later.
func TestBadOptions(t *testing.T) {
	for name, opt := range map[string]client.Option{
		"threshold":       client.WithThreshold(throttle.Share(2)),
		"threshold, NaN":  client.WithThreshold(throttle.Share(math.NaN())),
		"threshold below": client.WithThreshold(throttle.Requests(-1)),
		"reserve":         client.WithReserve(throttle.Share(1)),
		"pacing":          client.WithPacing(7),
		"retries":         client.WithRetries(-1),
		"backoff":         client.WithBackoff(nil),
		"check":           client.WithCheck(nil),
		"max wait":        client.WithMaxWait(-1),
		"key function":    client.WithKeyFunc(nil),
		"rule":            client.WithRule(queue.Rule{}),
		"max waiting":     client.WithMaxWaiting(-1, queue.RefuseNewest),
		"waiting per key": client.WithMaxWaitingPerKey(-1),
		"minimum share":   client.WithMinimumShare(.3),
		"max keys":        client.WithMaxKeys(0),
	} {
		_, err := client.New(opt)
		assert.Error(t, err, name)
		_, err = client.Wrap(&http.Client{}, opt)
		assert.Error(t, err, name)
		_, err = client.NewTransport(nil, opt)
		assert.Error(t, err, name)
	}
	_, err := client.NewTransport(nil, nil, client.WithRetries(1), nil)
	assert.NoError(t, err, "no option is no error")
	_, err = client.Wrap(nil)
	assert.Error(t, err)
}

// ms is a time in milliseconds.
func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// gaps are the times between moments.
func gaps(times []time.Time) []time.Duration {
	var g []time.Duration
	for i := 1; i < len(times); i++ {
		g = append(g, times[i].Sub(times[i-1]))
	}
	return g
}
