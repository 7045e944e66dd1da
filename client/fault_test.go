package client_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A recorder is a base transport that answers by a function and remembers when
// which attempt came.
type recorder struct {
	answer func(n int, req *http.Request) (*http.Response, error) // n counts from 1

	mu    sync.Mutex // guards the fields below
	times []time.Time
	texts []string // of the request bodies
	idle  int      // how often the idle connections were closed
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var text []byte
	if req.Body != nil {
		text, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	r.mu.Lock()
	r.times, r.texts = append(r.times, time.Now()), append(r.texts, string(text))
	n := len(r.times)
	r.mu.Unlock()
	return r.answer(n, req)
}

func (r *recorder) CloseIdleConnections() { r.idle++ }

// respond makes a response without a body.
func respond(req *http.Request, status int, fields ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: req, ProtoMajor: 1, ProtoMinor: 1}
}

// sequence answers with one status after the other, the last again and again.
func sequence(statuses ...int) func(int, *http.Request) (*http.Response, error) {
	return func(n int, req *http.Request) (*http.Response, error) {
		return respond(req, statuses[min(n, len(statuses))-1]), nil
	}
}

func transport(t testing.TB, base http.RoundTripper, opts ...client.Option) *client.Transport {
	rt, err := client.NewTransport(base, opts...)
	require.NoError(t, err)
	t.Cleanup(rt.Close)
	return rt
}

// transportOf returns ours over a base, or that of a client that only retries.
func transportOf(t testing.TB, base http.RoundTripper, ours bool) http.RoundTripper {
	t.Helper()
	if ours {
		return transport(t, base)
	}
	return retrying(base).Transport
}

// figures leaves a test of figures to runs without the race detector, under which it takes too long. Others
// send requests in the same ways.
func figures(t *testing.T) {
	t.Helper()
	if chance.Raced {
		t.Skip("the figures take too long")
	}
}

// retrying returns a client that only retries.
func retrying(base http.RoundTripper) *http.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient.Transport, c.Logger = base, nil
	return c.StandardClient()
}

func post(ctx context.Context, text string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.test/items", strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	return req
}

// A POST that the server may have executed is sent once; with a key against
// repetition it is sent again.
func TestPostIsNotRepeated(t *testing.T) {
	failures := map[string]func(int, *http.Request) (*http.Response, error){
		"500": sequence(500, 200), "502": sequence(502, 200), "503": sequence(503, 200), "504": sequence(504, 200), "408": sequence(408, 200),
		"broken off": func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return nil, io.ErrUnexpectedEOF
			}
			return respond(req, 200), nil
		},
	}
	for name, answer := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: answer}
				rt := transport(t, base)
				_, _ = rt.RoundTrip(post(t.Context(), "once"))
				assert.Equal(t, []string{"once"}, base.texts)
				keyed := post(t.Context(), "keyed")
				keyed.Header.Set("Idempotency-Key", "7")
				base.times, base.texts = nil, nil
				resp, err := rt.RoundTrip(keyed)
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Equal(t, []string{"keyed", "keyed"}, base.texts, "the whole body each time")
			})
		})
	}
}

// never is a wait that nobody sits out.
const never = time.Duration(math.MaxInt64)

// However a server words a wait, no attempt comes before it is over; a wait without
// a meaning is no reason to come back at once either.
func TestRetryIsNotEarly(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		wait   time.Duration // at least
		most   time.Duration
	}{
		{"seconds", []string{"Retry-After", "30"}, 30 * time.Second, 33 * time.Second},
		{"date, clocks agree", []string{"Date", at(0), "Retry-After", at(30 * time.Second)}, 30 * time.Second, 33 * time.Second},
		{"date, no Date", []string{"Retry-After", at(30 * time.Second)}, 30 * time.Second, 33 * time.Second},
		{"date, clock ahead", []string{"Date", at(time.Hour), "Retry-After", at(time.Hour + 30*time.Second)}, 30 * time.Second, 33 * time.Second},
		{"date, clock behind", []string{"Date", at(-time.Hour), "Retry-After", at(-time.Hour + 30*time.Second)}, 30 * time.Second, 33 * time.Second},
		{"date in the past", []string{"Date", at(0), "Retry-After", at(-time.Hour)}, 20 * time.Millisecond, 3 * time.Second},
		{"milliseconds", []string{"Retry-After-Ms", "1500"}, 1500 * time.Millisecond, 3 * time.Second},
		{"repeated", []string{"Retry-After", "5", "Retry-After", "30"}, 30 * time.Second, 33 * time.Second},
		{"two fields", []string{"Retry-After", "5", "X-RateLimit-Reset-After", "30", "X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "5"}, 5 * time.Second, 33 * time.Second},
		{"overflows as a duration", []string{"Retry-After", "9223372037"}, never, 0},
		{"years", []string{"Retry-After", "40000000"}, never, 0},
		{"overflows as an integer", []string{"Retry-After", "99999999999999999999"}, time.Second, 3 * time.Second},
		{"negative", []string{"Retry-After", "-1"}, time.Second, 3 * time.Second},
		{"zero", []string{"Retry-After", "0"}, 20 * time.Millisecond, 3 * time.Second},
		{"empty", []string{"Retry-After", ""}, time.Second, 3 * time.Second},
		{"words", []string{"Retry-After", "soon"}, time.Second, 3 * time.Second},
		{"not a number", []string{"Retry-After", "NaN"}, time.Second, 3 * time.Second},
	} {
		for _, status := range []int{429, 503} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
						if n == 1 {
							return respond(req, status, c.fields...), nil
						}
						return respond(req, 200), nil
					}}
					resp, err := transport(t, base).RoundTrip(get(t.Context(), "/"))
					if c.wait == never {
						require.NoError(t, err)
						require.Equal(t, status, resp.StatusCode)
						require.Len(t, base.times, 1)
						return
					}
					require.NoError(t, err)
					require.Equal(t, 200, resp.StatusCode)
					took := base.times[1].Sub(base.times[0])
					least := c.wait
					if least == time.Second {
						least = 250 * time.Millisecond // without a time, the policy decides
					}
					assert.GreaterOrEqual(t, took, least)
					assert.LessOrEqual(t, took, c.most)
				})
			})
		}
	}
}

// at is a moment after the beginning of a synctest bubble, as a header tells it.
func at(d time.Duration) string {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
}

// A failure that is no refusal is retried soon, whatever time it names, as other clients
// do. Only a server that is overloaded or away is left alone for as long as it says.
func TestFailureNamesTheWait(t *testing.T) {
	for _, status := range []int{500, 502, 504, 408, 503, 529} {
		synctest.Test(t, func(t *testing.T) {
			base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
				if n == 1 {
					return respond(req, status, "Retry-After", "30"), nil
				}
				return respond(req, 200), nil
			}}
			_, err := transport(t, base).RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			after := base.times[1].Sub(base.times[0])
			if status == 503 || status == 529 {
				assert.GreaterOrEqual(t, after, 30*time.Second, status)
			} else {
				assert.Less(t, after, time.Second, status)
			}
		})
	}
}

// One caller who gives up does not cost the others their connections.
func TestGivingUpClosesNoConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: sequence(503)}
		rt := transport(t, base)
		ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
		defer cancel()
		_, _ = rt.RoundTrip(get(ctx, "/"))
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := rt.RoundTrip(get(ctx, "/"))
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, base.idle)
		rt.CloseIdleConnections()
		require.Equal(t, 1, base.idle, "on demand it does")
	})
}

// The first request of a key has nothing to wait for, by a clock that runs too.
func TestFirstRequestDoesNotWait(t *testing.T) {
	rt := transport(t, &recorder{answer: sequence(200)})
	for i := range 100 {
		ctx := client.NoWait(client.WithKey(t.Context(), strconv.Itoa(i)))
		_, err := rt.RoundTrip(get(ctx, "/"))
		require.NoError(t, err)
	}
}

// Of twenty workers who were refused together, one comes back to see, and the others
// follow as its answer allows.
func TestWorkersDoNotWakeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open time.Time
		left := 50
		base := &recorder{}
		base.answer = func(_ int, req *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			if now := time.Now(); now.Before(open) {
				return respond(req, 429, "Retry-After", "5"), nil
			}
			left--
			return respond(req, 200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", strconv.Itoa(left), "X-RateLimit-Reset", "60"), nil
		}
		rt := transport(t, base)
		warm, err := rt.RoundTrip(get(t.Context(), "/")) // so that all go at once
		require.NoError(t, err)
		require.Equal(t, 200, warm.StatusCode)
		open, left = time.Now().Add(5*time.Second), 3
		base.times = nil
		var workers sync.WaitGroup
		for range 20 {
			workers.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				_, _ = rt.RoundTrip(get(ctx, "/"))
			})
		}
		workers.Wait()
		first := base.times[0]
		back := slices.IndexFunc(base.times, func(at time.Time) bool { return at.Sub(first) > 2*time.Second })
		require.Equal(t, 20, back, "refused together")
		woken := base.times[back:]
		together := 0
		for _, at := range woken {
			if at.Sub(woken[0]) < 50*time.Millisecond {
				together++
			}
		}
		require.Equal(t, 1, together, "in the first moment")
		require.LessOrEqual(t, len(woken), 3, "no more than the answer said remained")
	})
}

// A success that asks all to stay away for a while is obeyed by the next request.
func TestPauseOnSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n == 1 {
				return respond(req, http.StatusOK, "Backoff", "10"), nil
			}
			return respond(req, http.StatusOK), nil
		}}
		rt := transport(t, base)
		for range 3 {
			_, err := rt.RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
		}
		gaps := gaps(base.times)
		assert.GreaterOrEqual(t, gaps[0], 10*time.Second)
		assert.LessOrEqual(t, gaps[0], 11*time.Second)
		assert.Zero(t, gaps[1])
	})
}
