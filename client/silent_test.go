package client_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
)

// A silentAPI tells nothing of its limits: it refuses, with a bare status.
type silentAPI struct {
	mu     sync.Mutex
	rng    *rand.Rand
	status int                      // of a refusal
	named  string                   // the wait that it names, in seconds; empty is none
	admits func(now time.Time) bool // whether it serves a request that arrives
	body   func() io.ReadCloser     // of a response; nil is an empty one
}

func (s *silentAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	there, back := s.way(), s.way()
	s.mu.Unlock()
	if err := pause(req.Context(), there); err != nil {
		return nil, err
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
	s.mu.Lock()
	switch {
	case !s.admits(time.Now()):
		resp.StatusCode = s.status
		if s.named != "" {
			resp.Header.Set("Retry-After", s.named)
		}
	case s.body != nil:
		resp.Body, resp.ContentLength = s.body(), -1
	}
	s.mu.Unlock()
	if err := pause(req.Context(), back); err != nil {
		return nil, err
	}
	return resp, nil
}

// way returns how long a request or a response travels.
func (s *silentAPI) way() time.Duration {
	return 40*time.Millisecond + time.Duration(s.rng.Int64N(int64(40*time.Millisecond)))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aSecond admits so many requests in each second of the clock.
func aSecond(n int) func(time.Time) bool {
	var second int64
	var used int
	return func(now time.Time) bool {
		if s := now.Unix(); s != second {
			second, used = s, 0
		}
		used++
		return used <= n
	}
}

// streams admits so many requests whose bodies are open. Each takes from 2.5 to 10 seconds to read.
func streams(s *silentAPI, n int) {
	open := 0
	s.admits = func(time.Time) bool { return open < n }
	s.body = func() io.ReadCloser {
		open++
		return &streamedBody{left: 5 + s.rng.IntN(15), over: sync.OnceFunc(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			open--
		})}
	}
}

type streamedBody struct {
	left int
	over func()
}

func (b *streamedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.over()
		return 0, io.EOF
	}
	b.left--
	time.Sleep(500 * time.Millisecond)
	return copy(p, "."), nil
}

func (b *streamedBody) Close() error {
	b.over()
	return nil
}

// gets returns how many calls of so many callers get done in a while, each with such a timeout.
func gets(t testing.TB, c *http.Client, callers int, timeout, span time.Duration) (done int) {
	c.Timeout = timeout
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(span, cancel)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/items", nil)
				require.NoError(t, err)
				resp, err := c.Do(req)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if ctx.Err() != nil {
					return
				}
				if err != nil || resp.StatusCode != http.StatusOK {
					time.Sleep(100 * time.Millisecond)
					continue
				}
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return done
}

// Of a limit of which nothing is told a program gets as much done as with a client that only retries.
func TestSilentLimitsBesideARetryingClient(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("these are figures of many minutes")
	}
	for name, c := range map[string]struct {
		status  int
		limit   func(*silentAPI)
		callers int
		timeout time.Duration
		least   float64 // of what the other client gets done, on average of three draws
	}{
		"five open streams":             {429, func(s *silentAPI) { streams(s, 5) }, 30, 0, .8},
		"ten a second, a timeout":       {429, func(s *silentAPI) { s.admits = aSecond(10) }, 50, 5 * time.Second, .88},
		"one a second, bare 503, alone": {503, func(s *silentAPI) { s.admits = aSecond(1) }, 1, 0, .9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const draws = 3
			var share float64
			for seed := range uint64(draws) {
				run := func(client func(*testing.T, http.RoundTripper) *http.Client) (done int) {
					synctest.Test(t, func(t *testing.T) {
						s := &silentAPI{rng: rand.New(rand.NewPCG(seed, 5)), status: c.status}
						c.limit(s)
						time.Sleep(time.Duration(s.rng.Int64N(int64(time.Second)))) // somewhere in a second
						done = gets(t, client(t, s), c.callers, c.timeout, 10*time.Minute)
						time.Sleep(time.Hour) // until all are over
					})
					return done
				}
				plain := run(func(_ *testing.T, base http.RoundTripper) *http.Client { return retrying(base) })
				ours := run(func(t *testing.T, base http.RoundTripper) *http.Client {
					return &http.Client{Transport: transport(t, base)}
				})
				t.Logf("seed %d: %d, go-retryablehttp %d", seed, ours, plain)
				share += float64(ours) / float64(plain) / draws
			}
			assert.GreaterOrEqual(t, share, c.least)
		})
	}
}

// Where open streams are limited, those that nobody closes do not hold others back for ever.
func TestStreamsThatNobodyCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silentAPI{rng: rand.New(rand.NewPCG(1, 5)), status: 429}
		streams(s, 5)
		c := &http.Client{Transport: transport(t, s)}
		require.Positive(t, gets(t, c, 30, 0, 5*time.Minute))
		time.Sleep(time.Minute)
		s.admits = func(time.Time) bool { return true }
		s.body = func() io.ReadCloser { return io.NopCloser(strings.NewReader("all at once")) }
		began := time.Now()
		for range 40 {
			resp, err := c.Get("https://api.test/items")
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, resp.StatusCode)
		}
		assert.Less(t, time.Since(began), 10*time.Minute)
	})
}

// A program that makes many calls at once now and then, such as a cron job, waits hardly longer for a silent limit than
// with a client that only retries: what was not sent in between says nothing of the limit.
func TestSilentLimitOfBursts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		run := func(client func(*testing.T, http.RoundTripper) *http.Client) (late time.Duration, served int) {
			synctest.Test(t, func(t *testing.T) {
				s := &silentAPI{rng: rand.New(rand.NewPCG(seed, 5)), status: http.StatusTooManyRequests, admits: aSecond(5)}
				c := client(t, s)
				var waits []time.Duration
				var mu sync.Mutex
				for range 36 {
					var calls sync.WaitGroup
					for range 20 {
						calls.Go(func() {
							began := time.Now()
							resp, err := c.Get("https://api.test/items")
							require.NoError(t, err)
							defer resp.Body.Close()
							mu.Lock()
							defer mu.Unlock()
							if resp.StatusCode == http.StatusOK {
								waits = append(waits, time.Since(began))
							}
						})
					}
					calls.Wait()
					time.Sleep(5*time.Minute + time.Duration(s.rng.Int64N(int64(time.Second))))
				}
				slices.Sort(waits)
				late, served = waits[len(waits)*95/100], len(waits)
			})
			return late, served
		}
		plain, _ := run(func(_ *testing.T, base http.RoundTripper) *http.Client { return retrying(base) })
		ours, served := run(func(t *testing.T, base http.RoundTripper) *http.Client {
			return &http.Client{Transport: transport(t, base)}
		})
		t.Logf("seed %d: 95 of 100 calls within %v, go-retryablehttp %v", seed, ours, plain)
		assert.Equal(t, 36*20, served)
		assert.LessOrEqual(t, ours, 2*plain, seed)
	}
}
