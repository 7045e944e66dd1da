package client_test

import (
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// An outage of any length up to 15 seconds, with any number of callers, is no error.
func TestOutageOfSecondsIsNoError(t *testing.T) {
	for _, length := range []time.Duration{50 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second, 14900 * time.Millisecond} {
		for _, kind := range []string{"500", "502", "504", "503", "503 5", "refused", "reset", "not found", "odd"} {
			o := ordeal{
				seed: 1, run: 40 * time.Second, callers: 20, pause: time.Second,
				outages: []outage{{5 * time.Second, 5*time.Second + length, 1, kind}},
			}
			toll := o.endure(t, false)
			assert.Zero(t, toll.errors, "%v of %s", length, kind)
			assert.NotZero(t, toll.requests)
		}
	}
}

// Where a fifth of all requests fails, one in some thousands still does after all retries.
func TestFailuresAtRandom(t *testing.T) {
	o := ordeal{seed: 1, run: 5 * time.Minute, callers: 50, pause: 200 * time.Millisecond, outages: []outage{{0, time.Hour, .2, "500"}}}
	toll := o.endure(t, false)
	expected := math.Pow(.2, 5) * float64(toll.requests)
	t.Logf("%+v, %.1f errors expected", toll, expected)
	require.Greater(t, toll.requests, 20_000)
	assert.LessOrEqual(t, float64(toll.errors), expected+4*math.Sqrt(expected))
}

// In a long outage a server is asked no more often than go-retryablehttp asks it, a
// request and a second, and callers are told about as soon.
func TestLongOutage(t *testing.T) {
	figures(t)
	for _, open := range []bool{false, true} {
		for _, kind := range []string{"500", "503 1", "refused"} {
			o := ordeal{seed: 1, run: 3 * time.Minute, callers: 20, pause: time.Second, open: open, outages: []outage{{2 * time.Second, time.Hour, 1, kind}}}
			forbear, plain := o.endure(t, false), o.endure(t, true)
			rate := func(a toll) float64 { return float64(a.attempts) / float64(a.requests) }
			t.Logf("%s, open %v: %.2f attempts a request in all %d, go-retryablehttp %.2f in %d; told after %v, %v",
				kind, open, rate(forbear), forbear.attempts, rate(plain), plain.attempts, forbear.slowest, plain.slowest)
			assert.LessOrEqual(t, rate(forbear), rate(plain))
			assert.LessOrEqual(t, float64(forbear.attempts), 1.01*float64(plain.attempts))
			late := 1300 * time.Millisecond
			if kind == "503 1" {
				late = 10 * time.Second // all stay away for a while
			}
			assert.LessOrEqual(t, forbear.slowest, plain.slowest+late)
		}
	}
}

// What bounds the retries of a request does so in an outage too.
func TestOutageWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		opts     []client.Option
		attempts int
		most     time.Duration
	}{
		"defaults":  {nil, 5, 16200 * time.Millisecond},
		"one retry": {[]client.Option{client.WithRetries(1)}, 2, 750 * time.Millisecond},
		"seven":     {[]client.Option{client.WithRetries(7)}, 8, 107 * time.Second},
		"none":      {[]client.Option{client.WithRetries(0)}, 1, 0},
		"elapsed":   {[]client.Option{client.WithMaxElapsed(5 * time.Second)}, 3, 3250 * time.Millisecond},
		"budget":    {[]client.Option{client.WithRetryBudget(0, 2, time.Hour)}, 3, 3250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			base := &recorder{answer: sequence(500)}
			began := time.Now()
			resp, err := transport(t, base, c.opts...).RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err, name)
			assert.Equal(t, 500, resp.StatusCode, name)
			assert.Len(t, base.times, c.attempts, name)
			assert.LessOrEqual(t, time.Since(began), c.most, name)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(500)}
		_, err := transport(t, base).RoundTrip(get(client.NoRetry(t.Context()), "/"))
		require.NoError(t, err)
		assert.Len(t, base.times, 1)
	})
}

// A failure of any kind is made good, of every request that may be repeated: also of a
// POST without a key, where the server surely has not executed it.
func TestFailureOfEveryKind(t *testing.T) {
	unexecuted := map[string]bool{"503 1": true, "503 3": true, "refused": true, "not found": true, "999": true}
	for _, kind := range append(outageKinds, "505", "507", "508", "511", "526", "999") {
		for _, method := range []string{"GET", "POST with a key", "POST"} {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
					if n == 1 {
						return outage{kind: kind}.fail(req)
					}
					return respond(req, 200), nil
				}}
				req := get(t.Context(), "/")
				if method != "GET" {
					req = post(t.Context(), "text")
				}
				if method == "POST with a key" {
					req.Header.Set("Idempotency-Key", "k")
				}
				resp, err := transport(t, base).RoundTrip(req)
				again := method != "POST" || unexecuted[kind]
				assert.Equal(t, again, err == nil && resp.StatusCode == 200, "%s, %s", kind, method)
				assert.Equal(t, again, len(base.times) == 2, "%s, %s", kind, method)
			})
		}
	}
}
