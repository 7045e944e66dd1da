package simnet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

func server(t *testing.T, model func() ratemodel.Model, d apiserver.Dialect) *apiserver.Server {
	t.Helper()
	s, err := apiserver.New(apiserver.Config{Rules: []apiserver.Rule{{
		Model: func(string) ratemodel.Model { return model() }, Dialect: d,
	}}})
	require.NoError(t, err)
	return s
}

func twoHundredAMinute() ratemodel.Model { return ratemodel.NewFixed(200, time.Minute) }

var epoch = apiserver.Dialect{Fields: apiserver.XRateLimit, RetryAfter: apiserver.Seconds}

// tenWindows begins in the middle of a minute and ends with the tenth after it.

func tenWindows(l Load) Load {
	l.Start = Into(time.Now(), time.Minute, 17300*time.Millisecond)
	l.Until = l.Start.Add(10*time.Minute - 17300*time.Millisecond)
	return l
}

// What go-retryablehttp does on the kinds of servers that matter. The first two

// figures follow from the rules; the others are what was measured, to notice when

// the network or the models change.

func TestKeysAreCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		l := Load{Server: s, Keys: []string{"a", "b", "c"}, Callers: 2, Do: New(s, 1).RoundTrip}
		l.Until = time.Now().Add(time.Minute)
		l.NewRequest = func(ctx context.Context, key string) *http.Request {
			r := get(ctx, "unused")
			r.Header = http.Header{"Authorization": {"Bearer " + key}}
			return r
		}
		r := l.Run(t.Context())
		require.Len(t, r.Keys, 3)
		for key, k := range r.Keys {
			require.Equal(t, 200, k.Counts.Admitted, key)
			require.Equal(t, 200, k.Possible, key)
			require.Equal(t, s.KeyCounts("Bearer "+key), k.Counts)
		}
		require.Equal(t, 600, r.Possible)
		require.Equal(t, 1.0, r.UsedShare())

		// A second run counts only itself, and finds new windows.
		l.Until = time.Now().Add(time.Minute)
		r = l.Run(t.Context())
		require.Equal(t, 600, r.Counts.Admitted)
		require.Equal(t, 200, r.Keys["a"].Counts.Admitted)
	})
}

// later is an error that carries a time.

type later struct{ at time.Time }

func (l later) Error() string { return "later" }

func (l later) RetryAt() time.Time { return l.at }

func TestErrorsWithATimeAreObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		failure := errors.Join(errors.New("wrapped"), later{time.Now().Add(time.Hour)})
		var calls []time.Duration
		began := time.Now()
		l := Load{Server: s, Callers: 1, Until: began.Add(90 * time.Minute)}
		l.Do = func(*http.Request) (*http.Response, error) {
			calls = append(calls, time.Since(began))
			if time.Since(began) >= time.Hour+300*time.Millisecond {
				time.Sleep(2 * time.Hour)
			}
			return nil, failure
		}
		r := l.Run(t.Context())
		// After the hour the time is past, and pauses take its place.
		require.Equal(t, []time.Duration{
			0, time.Hour, time.Hour + 100*time.Millisecond, time.Hour + 200*time.Millisecond, time.Hour + 300*time.Millisecond,
		}, calls)
		require.Equal(t, 4, r.Errors, "the one that the end cut off is none")
		require.Equal(t, failure, r.First)
		require.Zero(t, r.Wait(.5))
	})
}

// cut is a body that ends too early.

type cut struct{ closed bool }

func (*cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (c *cut) Close() error { c.closed = true; return nil }

func TestABodyCutShortIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		var bodies []*cut
		l := Load{Server: s, Callers: 1, Until: time.Now().Add(time.Second)}
		l.Do = func(*http.Request) (*http.Response, error) {
			time.Sleep(400 * time.Millisecond)
			bodies = append(bodies, &cut{})
			return &http.Response{StatusCode: 200, Body: bodies[len(bodies)-1]}, nil
		}
		r := l.Run(t.Context())
		// At 400 ms and, 100 ms of pause and 400 ms later, at 900 ms.
		require.Equal(t, 2, r.Errors)
		require.ErrorIs(t, r.First, io.ErrUnexpectedEOF)
		require.Empty(t, r.Answers)
		for _, b := range bodies {
			require.True(t, b.closed)
		}
	})
}

func TestEndWakesAPausingCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		l := Load{Server: s, Until: time.Now().Add(time.Minute)}
		l.Do = func(*http.Request) (*http.Response, error) { return nil, later{time.Now().Add(24 * time.Hour)} }
		began := time.Now()
		r := l.Run(t.Context())
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, 20, r.Errors)
	})
}

func TestCallersSeeNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		l := Load{Server: s, Until: time.Now().Add(time.Second)}
		tr := New(s, 1)
		l.Do = func(r *http.Request) (*http.Response, error) {
			_, has := r.Context().Deadline()
			assert.False(t, has)
			return tr.RoundTrip(r)
		}
		l.Run(t.Context())
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t, twoHundredAMinute, epoch)
		l := Load{Server: s, Do: New(s, 1).RoundTrip, Until: time.Now().Add(time.Hour)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := l.Run(ctx)
		require.Equal(t, 200, r.Counts.Admitted)

		l.Start = time.Now().Add(time.Minute) // never begins
		require.Zero(t, l.Run(ctx).Counts)
	})
}

func TestNoLimitNoShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := apiserver.New(apiserver.Config{})
		require.NoError(t, err)
		r := Load{Server: s, Keys: []string{"a", "b"}, Do: New(s, 1).RoundTrip, Until: time.Now().Add(time.Second)}.Run(t.Context())
		require.Positive(t, r.Counts.Admitted)
		require.Less(t, r.UsedShare(), 1e-9)
		require.Positive(t, r.Possible)
		require.Zero(t, r.RefusedShare())
	})
}

func TestInto(t *testing.T) {
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ now, offset, want string }{
		{"0s", "0s", "0s"},
		{"1ns", "0s", "1m"},
		{"0s", "17.3s", "17.3s"},
		{"17.3s", "17.3s", "17.3s"},
		{"17.4s", "17.3s", "77.3s"},
		{"0s", "-1s", "59s"},
	} {
		got := Into(day.Add(duration(t, c.now)), time.Minute, duration(t, c.offset))
		require.Equal(t, duration(t, c.want), got.Sub(day), "%+v", c)
	}
	require.Equal(t, day, Into(day, 0, time.Second))
	early := time.Date(1969, 12, 31, 23, 58, 30, 0, time.UTC)
	require.Equal(t, 30*time.Second, Into(early, time.Minute, 0).Sub(early), "before the epoch too")
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

// told is a client that knows the limits and spends each window as soon as it

// opens: what a run costs when the client itself costs nothing. Requests arrive up

// to 80 ms after they were counted here, which early in a window does no harm.
