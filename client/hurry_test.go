package client

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// A fake answers at once that so many requests are left of a million an hour, unless it
// is told to do something else once.
type fake struct {
	left atomic.Int64
	next atomic.Pointer[func(*http.Request) (*http.Response, error)]
	open atomic.Int64 // bodies
}

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	if next := f.next.Swap(nil); next != nil {
		return (*next)(req)
	}
	return f.answer(http.StatusOK, f.left.Add(-1)), nil
}

func (f *fake) answer(status int, left int64, fields ...string) *http.Response {
	h := http.Header{
		"X-Ratelimit-Limit":     {"1000000"},
		"X-Ratelimit-Remaining": {strconv.FormatInt(left, 10)},
		"X-Ratelimit-Reset":     {"3600"},
		"Content-Type":          {"text/plain"},
	}
	for i := 0; i < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	f.open.Add(1)
	return &http.Response{StatusCode: status, Header: h, ContentLength: -1, Body: &fakeBody{Reader: strings.NewReader("ok"), open: &f.open}}
}

type fakeBody struct {
	io.Reader
	once sync.Once
	open *atomic.Int64
}

func (b *fakeBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return nil
}

func requestOf(ctx context.Context, path string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test"+path, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// inAHurry returns a transport whose program has sent some requests in no time. It must be
// called in a bubble, in which that is so.
func inAHurry(t *testing.T, opts ...Option) (*Transport, *fake) {
	f := new(fake)
	f.left.Store(1_000_000)
	tr, err := NewTransport(f, opts...)
	require.NoError(t, err)
	for range 100 {
		succeeds(t, tr, requestOf(t.Context(), "/"))
	}
	return tr, f
}

func succeeds(t *testing.T, tr *Transport, req *http.Request) {
	t.Helper()
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}

// leaseOf returns the lease of whoever sends a request, or nil.
func (t *Transport) leaseOf(req *http.Request) *leased {
	c := callOf(req)
	return t.account(req, &c).leased.Load()
}

// In a hurry too none is refused, and as much of a limit is used as if each request were
// asked about.
func TestReachInAHurry(t *testing.T) {
	const length = 10 * time.Second
	plain := apiserver.Dialect{Fields: apiserver.XRateLimit, RetryAfter: apiserver.Seconds}
	for name, c := range map[string]struct {
		model   func() ratemodel.Model
		dialect apiserver.Dialect
	}{
		"fixed":   {func() ratemodel.Model { return ratemodel.NewFixed(20000, length) }, plain},
		"rolling": {func() ratemodel.Model { return ratemodel.NewSlidingLog(20000, length) }, plain},
		"two windows": {func() ratemodel.Model {
			short, long := ratemodel.NewFixed(10000, length), ratemodel.NewFixed(50000, time.Minute)
			short.Name, long.Name = "short", "long"
			return ratemodel.All{short, long}
		}, apiserver.Dialect{Fields: apiserver.Structured, RetryAfter: apiserver.Seconds}},
	} {
		used := func(t *testing.T, opts ...Option) (share float64, leases bool) {
			synctest.Test(t, func(t *testing.T) {
				s, err := apiserver.New(apiserver.Config{Rules: []apiserver.Rule{{
					Model: func(string) ratemodel.Model { return c.model() }, Dialect: c.dialect,
				}}})
				require.NoError(t, err)
				network := simnet.New(s, 1)
				network.Min, network.Max = 100*time.Microsecond, 500*time.Microsecond
				tr, err := NewTransport(network, opts...)
				require.NoError(t, err)
				defer tr.Close()
				start := simnet.Into(time.Now().Add(24*time.Hour), length, length/4)
				r := simnet.Load{
					Server: s, Do: tr.RoundTrip, Start: start, Until: start.Add(3*length - length/4),
					NewRequest: func(ctx context.Context, _ string) *http.Request { return requestOf(ctx, "/") },
				}.Run(t.Context())
				t.Log(r)
				assert.Zero(t, r.Counts.Refused)
				assert.Zero(t, r.Errors, r.First)
				assert.Zero(t, tr.Line().Stats().InFlight)
				share, leases = r.UsedShare(), tr.leaseOf(requestOf(t.Context(), "/")) != nil
			})
			return share, leases
		}
		t.Run(name, func(t *testing.T) {
			with, leases := used(t)
			require.True(t, leases)
			without, leases := used(t, WithObserver(func(Event) {}))
			require.False(t, leases)
			assert.InDelta(t, without, with, .01)
		})
	}
}
