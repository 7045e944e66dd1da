package simnet

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func request(t *testing.T, ctx context.Context, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://api.test/a%20b?c=d", body)
	require.NoError(t, err)
	return req
}

// closable counts how often it is closed.
type closable struct {
	io.Reader
	closed atomic.Int32
}

func (c *closable) Close() error { c.closed.Add(1); return nil }

func TestRoundTripTakesTimeEachWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, back []time.Duration
		var arrived time.Time
		tr := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived = time.Now() }), 1)
		for range 2000 {
			began := time.Now()
			res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			out, back = append(out, arrived.Sub(began)), append(back, time.Since(arrived))
		}
		for _, legs := range [][]time.Duration{out, back} {
			sum := time.Duration(0)
			for _, d := range legs {
				require.GreaterOrEqual(t, d, 40*time.Millisecond)
				require.LessOrEqual(t, d, 80*time.Millisecond)
				sum += d
			}
			assert.InDelta(t, 60, float64(sum/2000)/1e6, 1)
		}
	})
}

func TestRequestsAndResponsesOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var arrived, answered []string
		tr := New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			arrived = append(arrived, r.Header.Get("N"))
		}), 1)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Microsecond)
				req := request(t, t.Context(), "GET", nil)
				req.Header.Set("N", string(rune('A'+i)))
				res, err := tr.RoundTrip(req)
				if assert.NoError(t, err) {
					res.Body.Close()
				}
				mu.Lock()
				defer mu.Unlock()
				answered = append(answered, req.Header.Get("N"))
			})
		}
		wg.Wait()
		require.Len(t, answered, 50)
		require.NotEqual(t, arrived, answered, "responses overtook each other")
		require.False(t, inOrder(arrived), "requests overtook each other")
	})
}

func inOrder(s []string) bool {
	for i := range s[1:] {
		if s[i] > s[i+1] {
			return false
		}
	}
	return true
}

func TestCancelledOnTheWayOutNeverArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		tr := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), 1)
		ctx, cancel := context.WithTimeout(t.Context(), 39*time.Millisecond)
		defer cancel()
		body := &closable{Reader: strings.NewReader("x")}
		_, err := tr.RoundTrip(request(t, ctx, "POST", body))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, served)
		require.EqualValues(t, 1, body.closed.Load())
	})
}

func TestCancelledOnTheWayBackWasServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		cause := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(t.Context())
		tr := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			served++
			time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
		}), 1)
		body := &closable{Reader: strings.NewReader("x")}
		began := time.Now()
		_, err := tr.RoundTrip(request(t, ctx, "POST", body))
		require.ErrorIs(t, err, cause)
		require.Equal(t, 1, served)
		require.EqualValues(t, 1, body.closed.Load())
		require.Less(t, time.Since(began), 91*time.Millisecond, "it must not wait for the response")
		require.Zero(t, tr.Open())
	})
}

func TestCancelledBeforehandDrawsNoAnswer(t *testing.T) {
	tr := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") }), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tr.RoundTrip(request(t, ctx, "GET", nil))
	require.ErrorIs(t, err, context.Canceled)
}

// instant returns a transport without delays, for tests of what passes over it.
func instant(h http.HandlerFunc) *Transport {
	tr := New(h, 1)
	tr.Min, tr.Max = 0, 0
	return tr
}

func TestHandlerSeesTheRequest(t *testing.T) {
	tr := instant(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "hello", string(b))
		assert.Equal(t, "/a%20b?c=d", r.RequestURI)
		assert.Equal(t, "/a b", r.URL.Path)
		assert.Equal(t, "api.test", r.Host)
		assert.NotEmpty(t, r.RemoteAddr)
		r.Header.Set("X-Mine", "changed")
		r.Method = "PUT"
		w.Header().Set("X-Yours", "1")
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusTeapot) // too late
		w.Header().Set("X-Late", "1")
		_, _ = w.Write([]byte("world"))
	})
	body := &closable{Reader: strings.NewReader("hello")}
	req := request(t, t.Context(), "POST", body)
	req.Header.Set("X-Mine", "1")
	res, err := tr.RoundTrip(req)
	require.NoError(t, err)

	require.Equal(t, "1", req.Header.Get("X-Mine"), "the caller's request is not changed")
	require.Equal(t, "POST", req.Method)
	require.EqualValues(t, 1, body.closed.Load())

	require.Equal(t, 201, res.StatusCode)
	require.Equal(t, "201 Created", res.Status)
	require.Equal(t, http.Header{"X-Yours": {"1"}}, res.Header)
	require.EqualValues(t, 5, res.ContentLength)
	require.Same(t, req, res.Request)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "world", string(got))
}

func TestBareRequest(t *testing.T) {
	tr := instant(func(w http.ResponseWriter, r *http.Request) {
		assert.NotNil(t, r.Header)
		assert.Equal(t, "api.test", r.Host)
		assert.Equal(t, http.NoBody, r.Body)
	})
	u, err := url.Parse("http://api.test")
	require.NoError(t, err)
	req := &http.Request{Method: "GET", URL: u}
	_, err = tr.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, &http.Request{Method: "GET", URL: u}, req)
}

func TestResponseBodiesAreCounted(t *testing.T) {
	tr := instant(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, 1, tr.Open())
	require.NoError(t, res.Body.Close())
	require.NoError(t, res.Body.Close())
	require.Zero(t, tr.Open())
	_, err = res.Body.Read(make([]byte, 1))
	require.Error(t, err, "read after close")
}

func TestHeadHasNoBody(t *testing.T) {
	tr := instant(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	res, err := tr.RoundTrip(request(t, t.Context(), "HEAD", nil))
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Empty(t, b)
	require.EqualValues(t, 5, res.ContentLength)
}

func TestNoContentTakesNoBody(t *testing.T) {
	tr := instant(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		_, err := io.WriteString(w, "hello")
		assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
	})
	res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
	require.NoError(t, err)
	require.Zero(t, res.ContentLength)
}

func TestAbortBreaksTheConnection(t *testing.T) {
	tr := instant(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	tr = instant(func(http.ResponseWriter, *http.Request) { panic("a mistake") })
	require.PanicsWithValue(t, "a mistake", func() { _, _ = tr.RoundTrip(request(t, t.Context(), "GET", nil)) })
}

func TestRequestWithoutURL(t *testing.T) {
	body := &closable{Reader: strings.NewReader("x")}
	_, err := New(nil, 1).RoundTrip(&http.Request{Body: body})
	require.Error(t, err)
	require.EqualValues(t, 1, body.closed.Load())
}

func TestSameSeedSameDelays(t *testing.T) {
	a, b, c := New(nil, 7), New(nil, 7), New(nil, 8)
	same := true
	for range 10 {
		ao, ab := a.delays(nil)
		bo, bb := b.delays(nil)
		co, _ := c.delays(nil)
		require.Equal(t, ao, bo)
		require.Equal(t, ab, bb)
		same = same && ao == co
	}
	require.False(t, same)
}

// A caller with a source meets the same delays, whatever others do meanwhile.
func TestSource(t *testing.T) {
	trips := func(others int) (all []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			tr := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), 1)
			ctx := WithSource(t.Context(), rand.New(rand.NewPCG(7, 0)))
			for range 5 {
				for range others {
					res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
					require.NoError(t, err)
					require.NoError(t, res.Body.Close())
				}
				began := time.Now()
				res, err := tr.RoundTrip(request(t, ctx, "GET", nil))
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				all = append(all, time.Since(began))
			}
		})
		return all
	}
	assert.Equal(t, trips(0), trips(3))
	assert.Nil(t, Source(t.Context()))
}
