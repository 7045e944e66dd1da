package backoff

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A script is a transport that answers attempts in order, and records their times and
// bodies.
type script struct {
	steps  []func(*http.Request) (*http.Response, error)
	begin  time.Time
	times  []time.Duration
	bodies []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	s.times = append(s.times, time.Since(s.begin))
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		s.bodies = append(s.bodies, r.Method+" "+string(body))
	} else {
		s.bodies = append(s.bodies, r.Method)
	}
	return s.steps[len(s.times)-1](r)
}

func answer(status int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		resp := response(status, header...)
		resp.Body, resp.Request = http.NoBody, r
		return resp, nil
	}
}

func fail(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// readSeconds reads a Retry-After of whole seconds.
func readSeconds(r *http.Response) (wait time.Duration, known, refused bool) {
	d, err := time.ParseDuration(r.Header.Get("Retry-After") + "s")
	return d, err == nil, r.Header.Get("X-Refused") != ""
}

func retryable(t *testing.T, rt http.RoundTripper) *retryablehttp.Client {
	s := strategy(t, func(c *Config) { c.Read = readSeconds })
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient = &http.Client{Transport: rt}
	client.CheckRetry = s.CheckRetry
	client.Backoff = s.Backoff
	client.RetryMax = 3
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return client
}

func TestGoRetryableHTTP(t *testing.T) {
	const s = time.Second
	type steps = []func(*http.Request) (*http.Response, error)
	for name, c := range map[string]struct {
		method string
		header []string
		steps  steps
		status int // of the last response; 0 for an error
		times  []time.Duration
	}{
		"first attempt passes":      {"GET", nil, steps{answer(200)}, 200, []time.Duration{0}},
		"the policy's waits":        {"GET", nil, steps{answer(500), fail(io.EOF), answer(200)}, 200, []time.Duration{0, s, 3 * s}},
		"the last answer is handed": {"GET", nil, steps{answer(500), answer(502), answer(503), answer(504)}, 504, []time.Duration{0, s, 3 * s, 7 * s}},
		"the last error is handed":  {"GET", nil, steps{fail(io.EOF), fail(io.EOF), fail(io.EOF), fail(io.EOF)}, 0, []time.Duration{0, s, 3 * s, 7 * s}},
		"POST is not repeated":      {"POST", nil, steps{answer(500)}, 500, []time.Duration{0}},
		"POST, connection lost":     {"POST", nil, steps{fail(io.EOF)}, 0, []time.Duration{0}},
		"POST with a key":           {"POST", []string{"Idempotency-Key", "a"}, steps{answer(500), answer(200)}, 200, []time.Duration{0, s}},
		"POST refused":              {"POST", nil, steps{answer(429), answer(200)}, 200, []time.Duration{0, s}},
		"POST refused with 403":     {"POST", nil, steps{answer(403, "X-Refused", "1"), answer(200)}, 200, []time.Duration{0, s}},
		"403":                       {"POST", nil, steps{answer(403)}, 403, []time.Duration{0}},
		"exhausted":                 {"GET", nil, steps{answer(429, "Retry-After", "3600")}, 429, []time.Duration{0}},
		"POST redirected to a GET":  {"POST", nil, steps{answer(303, "Location", "/b"), answer(500)}, 500, []time.Duration{0, 0}},
		"GET redirected":            {"GET", nil, steps{answer(302, "Location", "/b"), answer(500), answer(200)}, 200, []time.Duration{0, 0, s}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &script{steps: c.steps}
				req, err := retryablehttp.NewRequestWithContext(t.Context(), c.method, "http://api.test/a", nil)
				require.NoError(t, err)
				for i := 0; i < len(c.header); i += 2 {
					req.Header.Set(c.header[i], c.header[i+1])
				}
				resp, err := retryable(t, rt).Do(req)
				if c.status == 0 {
					require.ErrorIs(t, err, io.EOF)
				} else {
					require.NoError(t, err)
					resp.Body.Close()
					assert.Equal(t, c.status, resp.StatusCode)
				}
				assert.Equal(t, c.times, rt.times)
			})
		})
	}
}

func TestGoRetryableHTTPWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []func(*http.Request) (*http.Response, error){
			answer(429, "Retry-After", "60"), answer(503, "Retry-After", "0"), answer(200),
		}}
		req, err := retryablehttp.NewRequestWithContext(t.Context(), "PUT", "http://api.test/", strings.NewReader("body"))
		require.NoError(t, err)
		resp, err := retryable(t, rt).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.GreaterOrEqual(t, rt.times[1], time.Minute)
		assert.LessOrEqual(t, rt.times[1], time.Minute+time.Second)
		assert.Equal(t, 2*time.Second, rt.times[2]-rt.times[1], "a wait of zero is the policy's")
		assert.Equal(t, []string{"PUT body", "PUT body", "PUT body"}, rt.bodies)
	})
}

func TestGoRetryableHTTPTakesTheCallersWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []func(*http.Request) (*http.Response, error){fail(io.EOF), answer(200)}}
		req, err := retryablehttp.NewRequestWithContext(WithIdempotent(t.Context(), true), "POST", "http://api.test/", nil)
		require.NoError(t, err)
		resp, err := retryable(t, rt).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Len(t, rt.times, 2)
	})
}

func TestGoRetryableHTTPDoesNotWaitPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rt := &script{steps: []func(*http.Request) (*http.Response, error){answer(429, "Retry-After", "60")}}
		req, err := retryablehttp.NewRequestWithContext(ctx, "GET", "http://api.test/", nil)
		require.NoError(t, err)
		resp, err := retryable(t, rt).Do(req)
		require.NoError(t, err, "a response is not an error")
		resp.Body.Close()
		assert.Equal(t, 429, resp.StatusCode)
		assert.Zero(t, time.Since(begin))
	})
}

func TestCheckRetryWhenTheContextHasEnded(t *testing.T) {
	s := strategy(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	again, err := s.CheckRetry(ctx, response(429), nil)
	assert.False(t, again)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestCheckRetryOfAnUnknownRequest(t *testing.T) {
	s := strategy(t, nil)
	for name, c := range map[string]struct {
		resp *http.Response
		err  error
		want bool
	}{
		"refused":                  {response(429), nil, true},
		"server error":             {response(500), nil, false},
		"connection lost":          {nil, io.EOF, false},
		"never sent":               {nil, errRefused[0], true},
		"response handler's error": {response(429), errors.New("x"), false},
		"nothing":                  {nil, nil, false},
	} {
		got, err := s.CheckRetry(t.Context(), c.resp, c.err)
		assert.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
}

func TestCheckRetryShowsNoResponseBesideAnError(t *testing.T) {
	var seen Attempt
	s := strategy(t, func(c *Config) {
		c.Read = readSeconds
		c.Check = func(a Attempt) Verdict { seen = a; return No }
	})
	_, err := s.CheckRetry(t.Context(), response(429, "Retry-After", "1", "X-Refused", "1"), io.EOF)
	require.NoError(t, err)
	assert.Nil(t, seen.Response)
	assert.Equal(t, io.EOF, seen.Err)
	assert.False(t, seen.WaitKnown || seen.Refused)
}

func TestBackoffOfAPolicyWithMemory(t *testing.T) {
	p := seeded(t, Decorrelated(time.Second), Cap(time.Minute))
	s := strategy(t, func(c *Config) { c.Policy = p })
	const runs = 5000
	var first, third float64
	for range runs {
		first += s.Backoff(0, 0, 0, nil).Seconds() / runs
		third += s.Backoff(0, 0, 2, nil).Seconds() / runs
	}
	assert.InDelta(t, 2, first, 0.05)
	assert.InDelta(t, 5.75, third, 0.25)
	assert.LessOrEqual(t, s.Backoff(0, 0, 1<<30, nil), time.Minute, "and it ends")
}
