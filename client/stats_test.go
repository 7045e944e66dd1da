package client_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// What was decided about retries can be counted.
func TestRetriesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := transport(t, &recorder{answer: sequence(503, 200, 404, 503)})
		req := get(t.Context(), "/")
		for range 3 {
			_, err := rt.RoundTrip(req)
			require.NoError(t, err)
		}
		stats := rt.Retries()
		assert.EqualValues(t, 1+4, stats.Retries)
		assert.Equal(t, map[backoff.Reason]uint64{backoff.StopVerdict: 1, backoff.StopRetries: 1}, stats.Stopped)
		assert.Equal(t, backoff.BudgetStats{Free: math.MaxInt}, rt.Budget(req), "there is none unless asked for")
	})
}

// WithRetryBudget bounds the retries of each key by itself.
func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503)}
		rt := transport(t, base, client.WithRetryBudget(0, 5, time.Minute))
		send := func(key string) int {
			base.times = nil
			for range 10 {
				resp, err := rt.RoundTrip(get(client.WithKey(t.Context(), key), "/"))
				require.NoError(t, err)
				require.Equal(t, 503, resp.StatusCode)
			}
			return len(base.times)
		}
		assert.Equal(t, 10+5, send("a"))
		assert.Equal(t, 10+5, send("b"))
		assert.EqualValues(t, 5, rt.Budget(get(client.WithKey(t.Context(), "a"), "/")).Allowed)
		assert.EqualValues(t, 9, rt.Budget(get(client.WithKey(t.Context(), "a"), "/")).Denied)
		assert.Zero(t, rt.Budget(get(client.WithKey(t.Context(), "c"), "/")).Allowed)

		rt = transport(t, base, client.WithRetryBudget(0, 0, time.Minute))
		assert.Equal(t, 10, send("a"))
		rt = transport(t, base, client.WithRetryBudget(0, math.MaxInt, time.Minute))
		assert.Equal(t, 50, send("a"))
	})
}

// A retry that was not sent after all costs the budget nothing.
func TestRetryBudgetIsRefunded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := client.WithRetryBudget(0, 1, time.Hour)
		free := func(rt *client.Transport) int { return rt.Budget(get(t.Context(), "/")).Free }

		cancelled := transport(t, &recorder{answer: sequence(503)}, one)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := cancelled.RoundTrip(get(ctx, "/"))
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, free(cancelled))

		guarded := transport(t, &recorder{answer: sequence(503)}, one, touchy())
		_, err = guarded.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err, "the circuit is open, and the 503 is the answer")
		assert.Equal(t, 1, free(guarded))

		sent := transport(t, &recorder{answer: sequence(503, 200)}, one)
		_, err = sent.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		assert.Zero(t, free(sent))

		refused := transport(t, &recorder{answer: sequence(429)}, one, client.WithMaxElapsed(1500*time.Millisecond))
		_, err = refused.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		assert.Equal(t, backoff.BudgetStats{Requests: 1, Free: 1}, refused.Budget(get(t.Context(), "/")), "it was never charged")
	})
}

// WithMaxElapsed ends the retries of a request that failed for too long.
func TestMaxElapsed(t *testing.T) {
	every, err := backoff.New(backoff.Constant(10 * time.Second))
	require.NoError(t, err)
	for _, c := range []struct {
		most     time.Duration
		attempts int
	}{
		{5 * time.Second, 1},
		{15 * time.Second, 2},
		{25 * time.Second, 3},
		{time.Hour, 11},
		{0, 11},
	} {
		synctest.Test(t, func(t *testing.T) {
			base := &recorder{answer: sequence(503)}
			rt := transport(t, base, client.WithBackoff(every), client.WithRetries(10), client.WithMaxElapsed(c.most))
			resp, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			require.Equal(t, 503, resp.StatusCode)
			require.Len(t, base.times, c.attempts)
		})
	}
}

// The time that attempts take counts.
func TestMaxElapsedCountsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			return respond(req, 503), nil
		}}
		rt := transport(t, base, client.WithMaxElapsed(time.Minute))
		_, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Len(t, base.times, 1)
	})
}

// A retry does not wait longer in the queue than is left, however long the queue is.
func TestMaxElapsedBoundsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var given client.Event
		base := &recorder{answer: sequence(503)}
		hourly := queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(1)}}
		rt := transport(t, base, client.WithRule(hourly), client.WithMaxWait(0), client.WithMaxElapsed(time.Minute), client.WithObserver(func(e client.Event) { given = e }))
		began := time.Now()
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		e, ok := errors.AsType[*client.Error](given.Err)
		require.True(t, ok)
		require.ErrorIs(t, e, client.ErrMaxWait)
		require.Equal(t, 1, e.Attempts)
		require.Equal(t, 503, e.Status)
		require.False(t, e.Until.Before(began.Add(time.Hour)))
		require.Less(t, time.Since(began), time.Minute)
	})
}

// What was waited for already counts.
func TestMaxElapsedShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503)}
		slow := queue.Rule{Name: "slow", Limits: []queue.Quota{queue.Every(50 * time.Second)}}
		rt := transport(t, base, client.WithRule(slow), client.WithMaxElapsed(90*time.Second))
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.Len(t, base.times, 2)
	})
}

// Where more time is left than a request may wait, that bound holds for a retry too.
func TestMaxWaitBoundsRetryInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503, 200)}
		slow := queue.Rule{Name: "slow", Limits: []queue.Quota{queue.Every(5 * time.Minute)}}
		rt := transport(t, base, client.WithRule(slow), client.WithMaxWait(time.Minute))
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.Len(t, base.times, 1)
	})
}

// By default there is room for two full waits.
func TestDefaultMaxElapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			return respond(req, 429, "Retry-After", "1100"), nil
		}}
		resp, err := transport(t, base).RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, 429, resp.StatusCode)
		require.Len(t, base.times, 3)
	})
}

// A quota that responses tell to be used up for a day, as they show that they count, is an error for the next request,
// at once, and says until when. A caller that may wait finds out, after a while, that it is not.
func TestExhaustedQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := 24 * time.Hour
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			return respond(req, 200, "X-RateLimit-Limit-Day", "5", "X-RateLimit-Remaining-Day", fmt.Sprint(max(2-n, 0)), "X-RateLimit-Reset-Day", fmt.Sprint(day.Seconds())), nil
		}}
		rt := transport(t, base)
		_, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		_, err = rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		began := time.Now()
		_, err = rt.RoundTrip(get(t.Context(), "/"))
		require.ErrorIs(t, err, client.ErrMaxWait)
		require.Zero(t, time.Since(began))
		e, _ := errors.AsType[*client.Error](err)
		assert.Equal(t, "day", e.Limit)
		assert.WithinRange(t, e.Until, began.Add(day), began.Add(day+2*time.Second))
		assert.Len(t, base.times, 2)

		patient := transport(t, base, client.WithMaxWait(0))
		for range 2 {
			_, err = patient.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
		}
		assert.GreaterOrEqual(t, time.Since(began), time.Minute)
	})
}

func TestBadRetryOptions(t *testing.T) {
	for name, opt := range map[string]client.Option{
		"elapsed":         client.WithMaxElapsed(-1),
		"budget, share":   client.WithRetryBudget(2, 1, time.Second),
		"budget, floor":   client.WithRetryBudget(.2, -1, time.Second),
		"budget, window":  client.WithRetryBudget(.2, 1, 0),
		"attempt timeout": client.WithAttemptTimeout(-1),
		"breaker":         client.WithBreaker(nil),
		"body buffer":     client.WithBodyBuffer(-1),
	} {
		_, err := client.New(opt)
		assert.Error(t, err, name)
	}
	_, err := client.New(client.WithMaxElapsed(math.MaxInt64), client.WithAttemptTimeout(math.MaxInt64), client.WithBodyBuffer(math.MaxInt64))
	assert.NoError(t, err)
}

// Bounds that are as good as none are none.
func TestHugeBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503, 200)}
		rt := transport(t, base,
			client.WithMaxWait(math.MaxInt64), client.WithMaxElapsed(math.MaxInt64), client.WithAttemptTimeout(math.MaxInt64), client.WithBodyBuffer(math.MaxInt64))
		req := post(t.Context(), "text")
		req.Method, req.GetBody = http.MethodPut, nil
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, []string{"text", "text"}, base.texts)
	})
}
