package breaker_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
)

func answer(status int) backoff.Attempt {
	return backoff.Attempt{Response: &http.Response{StatusCode: status}}
}

func report(t *testing.T, b *breaker.Breaker, n int, a backoff.Attempt) {
	t.Helper()
	for range n {
		done, err := b.Allow()
		require.NoError(t, err)
		done(a)
	}
}

func defaultBreaker(t *testing.T) *breaker.Breaker {
	t.Helper()
	b, err := breaker.New(breaker.Defaults())
	require.NoError(t, err)
	return b
}

func TestOpensAtHalfOfTwentyAndProbesAfterTheCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := defaultBreaker(t)
		report(t, b, 10, answer(200))
		report(t, b, 9, answer(503))
		assert.Equal(t, "closed", b.Stats().State)
		report(t, b, 1, answer(503))
		assert.Equal(t, "open", b.Stats().State)

		_, err := b.Allow()
		var open *breaker.OpenError
		require.ErrorAs(t, err, &open)
		assert.Equal(t, "breaker: open until 2000-01-01T00:00:05Z", err.Error())

		time.Sleep(time.Until(open.Until) - 1)
		_, err = b.Allow()
		require.ErrorAs(t, err, &open, "nothing passes before the time that was named")
		time.Sleep(time.Nanosecond)
		probe, err := b.Allow()
		require.NoError(t, err, "the probe passes at the time that was named")

		_, err = b.Allow()
		require.ErrorAs(t, err, &open)
		assert.Zero(t, open.Until, "a probe is in flight for an unknown time")
		assert.Equal(t, "breaker: half-open, a probe is in flight", err.Error())
		probe(answer(200))
		report(t, b, 1, answer(200))
		assert.Equal(t, breaker.Stats{State: "closed", Successes: 1, Trips: 1, Rejected: 3}, b.Stats())
	})
}

func TestReopensWhenTheProbeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := defaultBreaker(t)
		report(t, b, 20, backoff.Attempt{Err: errors.New("connection reset")})
		time.Sleep(5*time.Second + 1)
		report(t, b, 1, answer(500))
		assert.Equal(t, breaker.Stats{State: "open", Trips: 2}, b.Stats())
	})
}

func TestSeveralProbesMustSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := breaker.Defaults()
		c.Probes = 2
		b, err := breaker.New(c)
		require.NoError(t, err)
		report(t, b, 20, answer(500))
		time.Sleep(5*time.Second + 1)
		report(t, b, 1, answer(200))
		assert.Equal(t, "half-open", b.Stats().State)
		report(t, b, 1, answer(200))
		assert.Equal(t, "closed", b.Stats().State)
	})
}

func TestOldFailuresLeaveTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := defaultBreaker(t)
		report(t, b, 19, answer(500))
		time.Sleep(11 * time.Second)
		report(t, b, 19, answer(500))
		assert.Equal(t, breaker.Stats{State: "closed", Failures: 19}, b.Stats())
	})
}

func TestWindowRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := defaultBreaker(t)
		time.Sleep(9 * time.Second)
		report(t, b, 10, answer(500))
		time.Sleep(2 * time.Second)
		report(t, b, 10, answer(500))
		assert.Equal(t, "open", b.Stats().State, "20 failures within 2 seconds")
	})
}

func TestOutcome(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	ended := (&http.Request{}).WithContext(canceled)
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	overdue := (&http.Request{}).WithContext(late)

	const success, failure, aside = "success", "failure", "set aside"
	refusal := answer(503)
	refusal.Refused = true
	for name, c := range map[string]struct {
		attempt backoff.Attempt
		want    string
	}{
		"200":                         {answer(200), success},
		"404":                         {answer(404), success},
		"429":                         {answer(429), aside},
		"500":                         {answer(500), failure},
		"501":                         {answer(501), success},
		"503":                         {answer(503), failure},
		"503 for want of quota":       {refusal, aside},
		"nothing known":               {backoff.Attempt{}, aside},
		"network error":               {backoff.Attempt{Err: errors.New("reset")}, failure},
		"attempt's own timeout":       {backoff.Attempt{Err: context.DeadlineExceeded}, failure},
		"caller's deadline passed":    {backoff.Attempt{Err: context.DeadlineExceeded, Request: overdue}, failure},
		"cancelled":                   {backoff.Attempt{Err: context.Canceled}, aside},
		"cancelled, seen as an error": {backoff.Attempt{Err: errors.New("closed"), Request: ended}, aside},
	} {
		t.Run(name, func(t *testing.T) {
			b := defaultBreaker(t)
			report(t, b, 1, c.attempt)
			got := b.Stats()
			assert.Equal(t, c.want == success, got.Successes == 1, "success")
			assert.Equal(t, c.want == failure, got.Failures == 1, "failure")
		})
	}
}

func TestRefusalsNeverOpenOrClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := defaultBreaker(t)
		report(t, b, 1000, answer(429))
		assert.Equal(t, "closed", b.Stats().State)
		report(t, b, 20, answer(500))
		time.Sleep(6 * time.Second)
		report(t, b, 100, answer(429))
		assert.Equal(t, "half-open", b.Stats().State)
	})
}

func TestNewRefusesBadSettings(t *testing.T) {
	for name, change := range map[string]func(*breaker.Config){
		"share 0":         func(c *breaker.Config) { c.Share = 0 },
		"share above 1":   func(c *breaker.Config) { c.Share = 1.1 },
		"share NaN":       func(c *breaker.Config) { c.Share = math.NaN() },
		"least 0":         func(c *breaker.Config) { c.MinRequests = 0 },
		"window 0":        func(c *breaker.Config) { c.Window = 0 },
		"window 9 ns":     func(c *breaker.Config) { c.Window = 9 },
		"cooldown 0":      func(c *breaker.Config) { c.Cooldown = 0 },
		"probes 0":        func(c *breaker.Config) { c.Probes = 0 },
		"too many probes": func(c *breaker.Config) { c.Probes = math.MaxInt32 },
	} {
		t.Run(name, func(t *testing.T) {
			c := breaker.Defaults()
			change(&c)
			b, err := breaker.New(c)
			require.ErrorIs(t, err, breaker.ErrInvalid)
			assert.Contains(t, err.Error(), "breaker: invalid parameter: ")
			assert.Nil(t, b)
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	b := defaultBreaker(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 100 {
				if done, err := b.Allow(); err == nil {
					done(answer(500))
				}
				b.Stats()
			}
		})
	}
	wg.Wait()
	got := b.Stats()
	assert.Equal(t, "open", got.State)
	assert.EqualValues(t, 1, got.Trips)
	assert.Positive(t, got.Rejected)
}
