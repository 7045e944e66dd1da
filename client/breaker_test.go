package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// usual is the option for breakers with the settings that are usual.
func usual(t testing.TB) client.Option {
	perKey, err := breaker.PerKey(breaker.Defaults())
	require.NoError(t, err)
	return client.WithBreaker(perKey)
}

// A circuit opens for its key alone, is told, and closes after a probe.
func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 500
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			return respond(req, status), nil
		}}
		rt := transport(t, base, usual(t))
		req := get(client.NoRetry(t.Context()), "/")
		for range 20 {
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, 500, resp.StatusCode)
		}
		opened := time.Now()
		_, err := rt.RoundTrip(req)
		require.ErrorIs(t, err, client.ErrCircuitOpen)
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok)
		assert.WithinRange(t, e.Until, opened.Add(5*time.Second), opened.Add(5*time.Second+1))
		assert.Zero(t, e.Attempts)
		assert.Equal(t, "client: circuit open, not before 2000-01-01T00:00:05Z", e.Error())
		_, ok = errors.AsType[*breaker.OpenError](err)
		assert.True(t, ok, "the breaker's own error is the cause")
		assert.Len(t, base.times, 20, "nothing was sent")

		other := get(client.WithKey(req.Context(), "other"), "/")
		_, err = rt.RoundTrip(other)
		require.NoError(t, err, "another key")
		assert.Equal(t, "open", rt.Breaker(req).(*breaker.Breaker).Stats().State)
		assert.Equal(t, "closed", rt.Breaker(other).(*breaker.Breaker).Stats().State)

		time.Sleep(time.Until(e.Until))
		status = 200
		for range 2 {
			_, err = rt.RoundTrip(req)
			require.NoError(t, err)
		}
		assert.Equal(t, breaker.Stats{State: "closed", Successes: 1, Trips: 1, Rejected: 1}, rt.Breaker(req).(*breaker.Breaker).Stats())
	})
}

// A breaker that opens while a request waits for its retry is the end of it: the caller
// gets the answer that there was.
func TestCircuitOpensBeforeRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503)}
		var given client.Event
		resp, err := transport(t, base, touchy(), client.WithObserver(func(e client.Event) { given = e })).RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		require.Equal(t, client.EventGiveUp, given.Kind)
		require.ErrorIs(t, given.Err, client.ErrCircuitOpen)
		e, _ := errors.AsType[*client.Error](given.Err)
		assert.Equal(t, 1, e.Attempts)
		assert.Equal(t, 503, e.Status)
		assert.Equal(t, "client: circuit open, not before 2000-01-01T01:00:00Z, after 1 attempt, last status 503", e.Error())
	})
}

// However many refusals there are, the circuit stays closed.
func TestRefusalsDoNotOpenCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, answer := range map[string]func(int, *http.Request) (*http.Response, error){
			"429": sequence(429),
			"503 that refuses": func(_ int, req *http.Request) (*http.Response, error) {
				return respond(req, 503, "Retry-After", "1"), nil
			},
		} {
			rt := transport(t, &recorder{answer: answer}, touchy(), client.WithMaxWait(0))
			for range 10 {
				_, err := rt.RoundTrip(get(client.NoRetry(t.Context()), "/"))
				require.NoError(t, err, name)
			}
		}
	})
}

// A noted breaker remembers what it was asked and told.
type noted struct {
	refuses error
	asked   []time.Time
	told    []backoff.Attempt
}

func (n *noted) Allow() (func(backoff.Attempt), error) {
	n.asked = append(n.asked, time.Now())
	if n.refuses != nil {
		return nil, n.refuses
	}
	return func(a backoff.Attempt) { n.told = append(n.told, a) }, nil
}

// The breaker is asked at the end of the queue, for each attempt, and told what came.
func TestBreakerIsAskedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &noted{}
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return respond(req, 429, "Retry-After", "60"), nil
			case 2:
				return nil, &timeout{}
			}
			return respond(req, 200), nil
		}}
		keys := map[string]int{}
		rt := transport(t, base, client.WithBreaker(func(key string) backoff.Breaker { keys[key]++; return n }))
		req := get(t.Context(), "/")
		req.Header.Set("Authorization", "Bearer "+secret)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, base.times, n.asked, "when each was sent")
		require.Len(t, n.told, 3)
		assert.True(t, n.told[0].Refused)
		assert.Equal(t, 429, n.told[0].Response.StatusCode)
		assert.Error(t, n.told[1].Err)
		assert.Same(t, resp, n.told[2].Response)
		assert.Len(t, keys, 1)
		for key, made := range keys {
			assert.Equal(t, 1, made)
			assert.NotContains(t, key, secret)
		}
		_, _ = rt.RoundTrip(get(client.WithKey(t.Context(), "other"), "/"))
		assert.Len(t, keys, 2)
	})
}

// timeout is an error as the network makes them.
type timeout struct{}

func (*timeout) Error() string { return "i/o timeout" }
func (*timeout) Timeout() bool { return true }

// A breaker that is not ours may refuse with any error, and a panic of the base
// transport is told as nothing.
func TestOtherBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &noted{refuses: errOdd}
		opt := client.WithBreaker(func(string) backoff.Breaker { return n })
		_, err := transport(t, &recorder{}, opt).RoundTrip(get(t.Context(), "/"))
		require.ErrorIs(t, err, client.ErrCircuitOpen)
		require.ErrorIs(t, err, errOdd)
		e, _ := errors.AsType[*client.Error](err)
		require.Zero(t, e.Until)

		n.refuses = nil
		rt := transport(t, roundTripper(func(*http.Request) (*http.Response, error) { panic("base") }), opt)
		require.Panics(t, func() { _, _ = rt.RoundTrip(get(t.Context(), "/")) })
		require.Equal(t, []backoff.Attempt{{}}, n.told)
	})
}

// What a breaker refuses spends nothing of a quota.
func TestCircuitSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 10
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			left--
			status := 200
			if n == 1 {
				status = 500
			}
			return respond(req, status, "X-RateLimit-Limit", "10", "X-RateLimit-Remaining", fmt.Sprint(left), "X-RateLimit-Reset", "86400"), nil
		}}
		rt := transport(t, base, touchy(), client.WithPacing(client.Burst), client.WithMaxWait(0))
		send := func() error {
			_, err := rt.RoundTrip(get(client.NoWait(client.NoRetry(t.Context())), "/"))
			return err
		}
		require.NoError(t, send())
		for range 100 {
			require.ErrorIs(t, send(), client.ErrCircuitOpen)
		}
		time.Sleep(time.Hour + 1)
		for range 9 {
			require.NoError(t, send())
		}
		require.ErrorIs(t, send(), client.ErrNoWait)
	})
}

// What a breaker refuses spends nothing of a configured quota, and teaches nothing of how
// long the way is.
func TestCircuitSpendsNothingConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		three := queue.Rule{Name: "three", Limits: []queue.Quota{queue.PerDay(3)}}
		rt := transport(t, &recorder{answer: sequence(500, 200)}, touchy(), client.WithRule(three), client.WithMaxWait(0))
		send := func() error {
			_, err := rt.RoundTrip(get(client.NoWait(client.NoRetry(t.Context())), "/"))
			return err
		}
		require.NoError(t, send())
		for range 100 {
			require.ErrorIs(t, send(), client.ErrCircuitOpen)
		}
		time.Sleep(time.Hour + 1)
		require.NoError(t, send())
		require.NoError(t, send())
		require.ErrorIs(t, send(), client.ErrNoWait)
	})
}

// A breaker is forgotten with its key.
func TestBreakerIsForgottenWithKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		rt := transport(t, &recorder{answer: sequence(200)}, client.WithMaxKeys(1),
			client.WithBreaker(func(string) backoff.Breaker { made++; return &noted{} }))
		for _, key := range []string{"a", "a", "b", "a"} {
			_, err := rt.RoundTrip(get(client.WithKey(t.Context(), key), "/"))
			require.NoError(t, err)
		}
		require.Equal(t, 3, made)
	})
}

func TestNoBreaker(t *testing.T) {
	rt := transport(t, &recorder{})
	require.Nil(t, rt.Breaker(get(context.Background(), "/")))
}
