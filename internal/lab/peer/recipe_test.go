package peer

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// timed notes when requests arrive, and answers with some fields.
type timed struct {
	mu     sync.Mutex
	began  time.Time
	at     []time.Duration
	status int
	fields http.Header
}

func (t *timed) RoundTrip(req *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = append(t.at, time.Since(t.began))
	return &http.Response{StatusCode: t.status, Header: t.fields, Body: http.NoBody, Request: req}, nil
}

// send sends n requests at once.
func send(t *testing.T, rt http.RoundTripper, ctx context.Context, n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
			assert.NoError(t, err)
			if resp, err := rt.RoundTrip(req); err == nil {
				resp.Body.Close()
			}
		})
	}
	all.Wait()
}

// The queue sends a window's worth, and the rest 100 ms after it has rolled on.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &timed{began: time.Now(), status: http.StatusOK}
		rt, err := newQueue(Setting{Base: base, Window: Rate{Limit: 5, Per: time.Minute}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		send(t, rt, ctx, 12)
		again := time.Minute + 100*time.Millisecond
		assert.Equal(t, []time.Duration{0, 0, 0, 0, 0, again, again, again, again, again}, base.at)
		assert.Empty(t, rt.(*queueTransport).queue) // those who gave up have left
		assert.Zero(t, rt.(*queueTransport).processing)
	})
}

// The throttler keeps the caller who is told that little is left until the reset.
func TestThrottler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(30 * time.Second).Unix()
		base := &timed{began: time.Now(), status: http.StatusOK, fields: http.Header{"X-Ratelimit-Remaining": {"5"}}}
		base.fields.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
		rt, err := newThrottler(Setting{Base: base})
		require.NoError(t, err)
		send(t, rt, t.Context(), 1)
		assert.Equal(t, 31*time.Second, time.Since(base.began))
		base.fields.Set("X-RateLimit-Remaining", "6")
		send(t, rt, t.Context(), 1)
		assert.Equal(t, 31*time.Second, time.Since(base.began))
	})
}

// The worker rests after each request.
func TestWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &timed{began: time.Now(), status: http.StatusOK}
		rt, err := newWorker(Setting{Base: base, Rate: Rate{Limit: 2, Per: time.Second}})
		require.NoError(t, err)
		send(t, rt, t.Context(), 3)
		assert.Equal(t, []time.Duration{0, 500 * time.Millisecond, time.Second}, base.at)
	})
}

// Every client can be made, and passes a request and its answer on.
func TestAll(t *testing.T) {
	for _, c := range All() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &timed{began: time.Now(), status: http.StatusOK, fields: http.Header{"X-Test": {"passed on"}}}
				rate := Rate{Limit: 10, Per: time.Second}
				rt, err := c.New(Setting{Base: base, Rate: rate, Window: rate})
				require.NoError(t, err)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.test/", nil)
				require.NoError(t, err)
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				assert.Equal(t, "passed on", resp.Header.Get("X-Test"))
				assert.Len(t, base.at, 1)
			})
		})
	}
	assert.Equal(t, Forbear, All()[len(All())-1].Name)
	_, known := Named("nobody")
	assert.False(t, known)
}
