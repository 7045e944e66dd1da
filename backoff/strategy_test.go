package backoff

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func strategy(t testing.TB, change func(*Config)) *Strategy {
	t.Helper()
	c := Defaults()
	p, err := New(Exponential(time.Second, 2))
	require.NoError(t, err)
	c.Policy = p
	if change != nil {
		change(&c)
	}
	s, err := NewStrategy(c)
	require.NoError(t, err)
	return s
}

func TestNextGrantsTheRetriesOneByOne(t *testing.T) {
	s := strategy(t, nil)
	a := Attempt{Request: request(t, "GET", ""), Response: response(503)}
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		a.Number = i + 1
		wait, err := s.Next(start, a, nil)
		require.NoError(t, err)
		assert.Equal(t, want, wait)
	}
	a.Number = 5
	_, err := s.Next(start, a, nil)
	require.EqualError(t, err, "backoff: no retry after attempt 5: all retries are used (status 503)")
	assert.Equal(t, Stats{Retries: 4, Stopped: map[Reason]uint64{StopRetries: 1}}, s.Stats())
}

func TestNextTakesTheServersWait(t *testing.T) {
	s := strategy(t, nil)
	for wait, bounds := range map[time.Duration][2]time.Duration{
		100 * time.Millisecond: {100 * time.Millisecond, 110 * time.Millisecond},
		time.Minute:            {time.Minute, time.Minute + time.Second},
		0:                      {300 * time.Millisecond, 450 * time.Millisecond}, // soon
		-time.Hour:             {300 * time.Millisecond, 450 * time.Millisecond},
	} {
		a := Attempt{Number: 2, Response: response(429), Wait: wait, WaitKnown: true}
		got, err := s.Next(start, a, nil)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, got, bounds[0], "%v", wait)
		assert.LessOrEqual(t, got, bounds[1], "%v", wait)

		a.WaitKnown, a.Wait = false, a.Wait+time.Hour
		got, err = s.Next(start, a, nil)
		require.NoError(t, err)
		assert.Equal(t, 2*time.Second, got, "a wait that is not known is not looked at")
	}
}

func TestNextPassesThePreviousWait(t *testing.T) {
	s := strategy(t, func(c *Config) {
		c.Policy = policyFunc(func(n int, prev time.Duration) time.Duration { return prev + 1 })
	})
	wait, err := s.Next(start, Attempt{Number: 2, Response: response(429), Previous: 41}, nil)
	require.NoError(t, err)
	assert.EqualValues(t, 42, wait)
}

type policyFunc func(int, time.Duration) time.Duration

func (p policyFunc) Delay(n int, prev time.Duration) time.Duration { return p(n, prev) }

func TestNextOfABadPolicyIsNotNegative(t *testing.T) {
	s := strategy(t, func(c *Config) { c.Policy = policyFunc(func(int, time.Duration) time.Duration { return -1 }) })
	wait, err := s.Next(start, Attempt{Response: response(429)}, nil)
	require.NoError(t, err)
	assert.Zero(t, wait)
	assert.Zero(t, s.Backoff(0, 0, 0, nil))
}

func TestNextStops(t *testing.T) {
	stream := request(t, "POST", "x", "Idempotency-Key", "a")
	stream.GetBody = nil
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	// A deadline far ahead of the real clock, so that only the time passed in counts.
	deadline := at(10)
	dated, cancelDated := context.WithDeadline(t.Context(), deadline)
	defer cancelDated()
	empty, err := NewBudget(0, 0, time.Second)
	require.NoError(t, err)
	get := request(t, "GET", "")
	lost := io.ErrUnexpectedEOF

	for name, c := range map[string]struct {
		attempt Attempt
		now     time.Time
		budget  *Budget
		reason  Reason
		text    string
		matches error
		wait    time.Duration
	}{
		"context cancelled": {
			attempt: Attempt{Request: get.WithContext(cancelled), Err: lost}, now: start,
			reason: StopContext, matches: context.Canceled,
			text: "backoff: no retry after attempt 1: the request's context has ended: unexpected EOF",
		},
		"deadline reached": {
			attempt: Attempt{Request: get.WithContext(dated), Response: response(429)}, now: deadline,
			reason: StopContext, matches: context.DeadlineExceeded,
			text: "backoff: no retry after attempt 1: the request's context has ended (status 429)",
		},
		"verdict no": {
			attempt: Attempt{Number: 2, Request: request(t, "POST", "x"), Err: lost}, now: start,
			reason: StopVerdict, matches: lost,
			text: "backoff: no retry after attempt 2: the failure is not retryable: unexpected EOF",
		},
		"no opinion": {
			attempt: Attempt{Request: get, Response: response(404)}, now: start,
			reason: StopVerdict,
			text:   "backoff: no retry after attempt 1: the failure is not retryable (status 404)",
		},
		"stream": {
			attempt: Attempt{Request: stream, Err: lost}, now: start,
			reason: StopBody, matches: lost,
			text: "backoff: no retry after attempt 1: the request body cannot be replayed: unexpected EOF",
		},
		"stream, and nothing to retry": {
			attempt: Attempt{Request: stream, Response: response(404)}, now: start,
			reason: StopVerdict,
			text:   "backoff: no retry after attempt 1: the failure is not retryable (status 404)",
		},
		"retries, and the server's time is kept": {
			attempt: Attempt{Number: 5, Request: get, Response: response(429), Wait: time.Minute, WaitKnown: true}, now: start,
			reason: StopRetries, wait: time.Minute,
			text: "backoff: no retry after attempt 5: all retries are used (status 429)",
		},
		"exhausted": {
			attempt: Attempt{Request: get, Response: response(429), Wait: 24 * time.Hour, WaitKnown: true}, now: start,
			reason: StopExhausted, wait: 24 * time.Hour,
			text: "backoff: no retry after attempt 1: the quota is exhausted until 2030-01-02T00:00:00Z (status 429)",
		},
		"exhausted for ever": {
			attempt: Attempt{Request: get, Response: response(429), Wait: math.MaxInt64, WaitKnown: true}, now: start,
			reason: StopExhausted, wait: math.MaxInt64,
			text: "backoff: no retry after attempt 1: the quota is exhausted until 2322-04-12T23:47:16Z (status 429)",
		},
		"elapsed": {
			attempt: Attempt{Number: 2, Request: get, Response: response(500), Elapsed: 45*time.Minute - time.Second}, now: start,
			reason: StopElapsed, wait: 2 * time.Second,
			text: "backoff: no retry after attempt 2: waiting 2s would exceed the elapsed time allowed (status 500)",
		},
		"deadline": {
			attempt: Attempt{Request: get.WithContext(dated), Err: lost}, now: at(9),
			reason: StopDeadline, matches: context.DeadlineExceeded, wait: time.Second,
			text: "backoff: no retry after attempt 1: waiting 1s would exceed the context's deadline: unexpected EOF",
		},
		"budget": {
			attempt: Attempt{Request: get, Err: lost}, now: start, budget: empty,
			reason: StopBudget, matches: lost,
			text: "backoff: no retry after attempt 1: the retry budget is spent: unexpected EOF",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := strategy(t, nil)
			wait, err := s.Next(c.now, c.attempt, c.budget)
			assert.Zero(t, wait)
			require.EqualError(t, err, c.text)
			stop, ok := errors.AsType[*StopError](err)
			require.True(t, ok)
			assert.Equal(t, c.reason, stop.Reason)
			assert.Equal(t, max(1, c.attempt.Number), stop.Attempts)
			assert.Equal(t, c.attempt.Err, stop.Err)
			if c.attempt.Err != nil {
				assert.ErrorIs(t, err, c.attempt.Err)
			}
			if c.matches != nil {
				assert.ErrorIs(t, err, c.matches)
			}
			assert.Equal(t, c.wait, stop.Wait)
			if c.wait == 0 {
				assert.Zero(t, stop.Until)
			} else {
				assert.Equal(t, c.now.Add(c.wait), stop.Until)
			}
			assert.Equal(t, Stats{Stopped: map[Reason]uint64{c.reason: 1}}, s.Stats())
		})
	}
}

func TestNextAtTheEdgeOfEachLimit(t *testing.T) {
	s := strategy(t, nil)
	deadline := at(10)
	dated, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	for name, c := range map[string]struct {
		attempt Attempt
		now     time.Time
	}{
		"last retry":               {Attempt{Number: 3, Response: response(429)}, start},
		"first attempt, no number": {Attempt{Number: -5, Response: response(429)}, start},
		"longest passing wait":     {Attempt{Response: response(429), Wait: 20 * time.Minute, WaitKnown: true}, start},
		"elapsed to the moment":    {Attempt{Response: response(429), Elapsed: 45*time.Minute - time.Second}, start},
		"elapsed negative":         {Attempt{Response: response(429), Elapsed: math.MinInt64}, start},
		"just before the deadline": {
			Attempt{Request: request(t, "GET", "").WithContext(dated), Response: response(429)},
			deadline.Add(-time.Second - 1),
		},
	} {
		_, err := s.Next(c.now, c.attempt, nil)
		assert.NoError(t, err, name)
	}
}

// The retries of a request that is refused as lastingly as all others end when they would have
// ended without the wait for the others.
func TestNextOfALastingRefusal(t *testing.T) {
	s := strategy(t, nil) // 1, 2, 4 and 8 seconds
	for _, c := range []struct {
		number        int
		wait, elapsed time.Duration
		again         bool
	}{
		{1, 0, 0, true},
		{1, 0, 15 * time.Second, true},
		{1, 0, 16 * time.Second, false},
		{4, 0, 7 * time.Second, true},
		{4, 0, 9 * time.Second, false},
		{1, time.Minute, 3 * time.Minute, true},
		{1, time.Minute, 4 * time.Minute, false},
		{1, math.MaxInt64 / 2, 0, false},
	} {
		a := Attempt{Number: c.number, Response: response(429), Wait: c.wait, WaitKnown: c.wait > 0, Elapsed: c.elapsed, Lasting: true}
		_, err := s.Next(start, a, nil)
		assert.Equal(t, c.again, err == nil, "%+v: %v", c, err)
		a.Lasting = false
		if _, err = s.Next(start, a, nil); c.wait < time.Hour {
			assert.NoError(t, err, "%+v", c)
		}
	}
	endless, err := New(Constant(math.MaxInt64))
	require.NoError(t, err)
	s = strategy(t, func(c *Config) { c.Policy, c.MaxElapsed = endless, 0 })
	_, err = s.Next(start, Attempt{Response: response(429), Lasting: true}, nil)
	assert.NoError(t, err, "the sum of the waits must not overflow")
}

func TestZeroLimits(t *testing.T) {
	s := strategy(t, func(c *Config) { c.MaxElapsed, c.MaxServerWait = 0, 0 })
	a := Attempt{Response: response(429), Elapsed: math.MaxInt64, Wait: 1000 * time.Hour, WaitKnown: true}
	wait, err := s.Next(start, a, nil)
	require.NoError(t, err, "zero means no limit")
	assert.GreaterOrEqual(t, wait, 1000*time.Hour)
	assert.False(t, s.Exhausted(math.MaxInt64))

	s = strategy(t, func(c *Config) { c.Retries = 0 })
	_, err = s.Next(start, Attempt{Response: response(429)}, nil)
	require.ErrorContains(t, err, "all retries are used")
}

func TestRefusalsTakeNothingFromTheBudget(t *testing.T) {
	s := strategy(t, nil)
	var b Budget
	for range 100 {
		_, err := s.Next(start, Attempt{Response: response(429)}, &b)
		require.NoError(t, err)
	}
	assert.Equal(t, 10, b.Stats(start).Free)
	refused := Attempt{Response: response(503), Refused: true}
	_, err := s.Next(start, refused, &b)
	require.NoError(t, err)
	assert.Equal(t, 10, b.Stats(start).Free)

	failed := Attempt{Request: request(t, "GET", ""), Response: response(503)}
	_, err = s.Next(start, failed, &b)
	require.NoError(t, err)
	assert.Equal(t, 9, b.Stats(start).Free)

	lost := Attempt{Request: failed.Request, Err: io.EOF, Refused: true, Response: response(429)}
	_, err = s.Next(start, lost, &b)
	require.NoError(t, err)
	assert.Equal(t, 8, b.Stats(start).Free, "an error is no refusal, whatever stands beside it")
}

func TestOnlyAGrantedRetryTakesFromTheBudget(t *testing.T) {
	s := strategy(t, nil)
	var b Budget
	get := request(t, "GET", "")
	for _, a := range []Attempt{
		{Number: 5, Request: get, Response: response(503)},
		{Request: get, Response: response(404)},
		{Request: get, Response: response(503), Wait: time.Hour, WaitKnown: true},
		{Request: get, Response: response(503), Elapsed: time.Hour},
	} {
		_, err := s.Next(start, a, &b)
		require.Error(t, err)
	}
	assert.Equal(t, 10, b.Stats(start).Free)
}

func TestCustomCheckCannotReplayAStream(t *testing.T) {
	stream := request(t, "POST", "x")
	stream.GetBody = nil
	var seen []*http.Request
	s := strategy(t, func(c *Config) {
		c.Check = func(a Attempt) Verdict { seen = append(seen, a.Request); return Yes }
	})
	_, err := s.Next(start, Attempt{Request: stream, Err: io.EOF}, nil)
	stop, ok := errors.AsType[*StopError](err)
	require.True(t, ok)
	assert.Equal(t, StopBody, stop.Reason)
	require.Len(t, seen, 1)
	assert.NotSame(t, stream, seen[0])
	assert.NotNil(t, stream.Body, "the caller's request is not touched")
}

func TestNewStrategyRefusesNegativeNumbers(t *testing.T) {
	for name, c := range map[string]Config{
		"retries":   {Retries: -1},
		"elapsed":   {MaxElapsed: -1},
		"exhausted": {MaxServerWait: -1},
	} {
		s, err := NewStrategy(c)
		require.ErrorIs(t, err, ErrInvalid, name)
		assert.Nil(t, s, name)
	}
}

func TestStrategyServesManyAtOnce(t *testing.T) {
	s := strategy(t, nil)
	var b Budget
	get := request(t, "GET", "")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 50 {
				s.Next(start, Attempt{Request: get, Response: response(500)}, &b)
				s.Stats()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, Stats{Retries: 10, Stopped: map[Reason]uint64{StopBudget: 990}}, s.Stats())
}

func BenchmarkNext(b *testing.B) {
	s := strategy(b, nil)
	a := Attempt{Number: 1, Request: request(b, "GET", ""), Response: response(429), Wait: time.Second, WaitKnown: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Next(start, a, nil); err != nil {
			b.Fatal(err)
		}
	}
}
