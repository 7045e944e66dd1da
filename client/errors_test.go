package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// secret is in every request of these tests, and must be in no text.
const secret = "s3cr3t-credential"

// secretRequest carries the secret wherever a credential can be.
func secretRequest(ctx context.Context) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://user:"+secret+"@api.test/"+secret+"?api_key="+secret, nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("X-Api-Key", secret)
	return req
}

// limited answers 429 with a window that opens after a while.
func limited(seconds string) func(int, *http.Request) (*http.Response, error) {
	return func(_ int, req *http.Request) (*http.Response, error) {
		return respond(req, 429, "X-RateLimit-Limit-Hour", "5", "X-RateLimit-Remaining-Hour", "0", "X-RateLimit-Reset-Hour", seconds, "Retry-After", seconds), nil
	}
}

// A request that was answered gets its answer, also when it would have to wait too long. The
// next one, which is not sent, gets a url.Error that holds the Error, which says which limit,
// until when, and what the server said.
func TestErrorThroughClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc := &http.Client{Transport: transport(t, &recorder{answer: limited("7200")})}
		began := time.Now()
		resp, err := hc.Do(secretRequest(t.Context()))
		require.NoError(t, err)
		require.Equal(t, 429, resp.StatusCode)
		resp.Body.Close()

		_, err = hc.Do(secretRequest(t.Context()))
		outer, ok := errors.AsType[*url.Error](err)
		require.True(t, ok)
		e, ok := outer.Err.(*client.Error)
		require.True(t, ok, "%T", outer.Err)
		require.ErrorIs(t, err, client.ErrMaxWait)
		assert.False(t, outer.Timeout())
		assert.Zero(t, e.Attempts)
		assert.Equal(t, 429, e.Status)
		assert.WithinRange(t, e.RetryAt(), began.Add(7200*time.Second), began.Add(7300*time.Second))
		assert.NotContains(t, e.Error(), secret)
	})
}

// A deadline that could not be kept is a timeout, for net/http's users too.
func TestErrorOfDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc := &http.Client{Transport: transport(t, &recorder{answer: limited("60")}), Timeout: 30 * time.Second}
		began := time.Now()
		resp, err := hc.Get("https://api.test/")
		require.NoError(t, err, "it was answered")
		require.Equal(t, 429, resp.StatusCode)
		resp.Body.Close()
		_, err = hc.Get("https://api.test/")
		assert.Zero(t, time.Since(began), "at once")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		outer := err.(*url.Error)
		assert.True(t, outer.Timeout())
		e := outer.Err.(*client.Error)
		assert.True(t, e.Timeout())
		assert.Zero(t, e.Attempts)
		assert.False(t, e.Until.Before(began.Add(60*time.Second)), "%v", e.Until)
		_, ok := errors.AsType[net.Error](err)
		assert.True(t, ok)
	})
}

// A cancellation matches the context's error and its cause.
func TestErrorOfCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the user left")
		for _, c := range []struct {
			answer func(int, *http.Request) (*http.Response, error)
			status int
		}{{limited("60"), 429}, {sequence(503), 503}} {
			rt := transport(t, &recorder{answer: c.answer})
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
			_, err := rt.RoundTrip(get(ctx, "/"))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			e, ok := errors.AsType[*client.Error](err)
			require.True(t, ok)
			assert.Equal(t, 1, e.Attempts)
			assert.Equal(t, c.status, e.Status)
			assert.False(t, e.Timeout())
		}
	})
}

// The error of the base transport reaches the caller as it is.
func TestErrorOfBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := &net.OpError{Op: "dial", Err: io.ErrClosedPipe}
		base := &recorder{answer: func(int, *http.Request) (*http.Response, error) { return nil, op }}
		_, err := transport(t, base).RoundTrip(get(t.Context(), "/"))
		require.Same(t, op, err)
		require.Len(t, base.times, 5, "and four retries before")
	})
}

// A body that cannot be made again is an Error that holds what GetBody said.
func TestErrorOfGetBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := post(t.Context(), "text")
		req.GetBody = func() (io.ReadCloser, error) { return nil, errOdd }
		_, err := transport(t, &recorder{answer: sequence(429)}).RoundTrip(req)
		require.ErrorIs(t, err, errOdd)
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, 1, e.Attempts)
		assert.Equal(t, 429, e.Status)
		assert.Equal(t, "client: the body cannot be sent again: odd, after 1 attempt, last status 429", err.Error())
	})
}

// After the last attempt the caller has the real response.
func TestLastResponse(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
				resp := respond(req, status, "X-Attempt", string(rune('0'+n)))
				resp.Body = io.NopCloser(strings.NewReader("why"))
				return resp, nil
			}}
			hc := &http.Client{Transport: transport(t, base)}
			resp, err := hc.Get("https://api.test/")
			require.NoError(t, err)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, status, resp.StatusCode)
			assert.Equal(t, "5", resp.Header.Get("X-Attempt"))
			assert.Equal(t, "why", string(text))
		})
	}
}

// The text of an Error says all that it holds, and its zero value something.
func TestErrorText(t *testing.T) {
	until := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		err  client.Error
		want string
	}{
		{client.Error{Reason: client.ErrMaxWait, Limit: "minute", Until: until, Ahead: 3, Attempts: 2, Status: 429}, `client: wait would exceed the maximum: limit "minute", not before 2026-03-01T12:00:00Z, 3 ahead, after 2 attempts, last status 429`},
		{client.Error{Reason: context.DeadlineExceeded, Limit: "minute", Until: until}, `client: cannot go before the deadline: limit "minute", not before 2026-03-01T12:00:00Z`},
		{client.Error{Reason: client.ErrClosed}, "client: queue is closed"},
		{client.Error{Reason: context.Canceled, Attempts: 1, Status: 503}, "client: context canceled, after 1 attempt, last status 503"},
		{client.Error{}, "client: not sent"},
	} {
		assert.Equal(t, c.want, c.err.Error())
	}
}

// What the queue says reaches the caller whole.
func TestErrorOfLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		one := queue.Rule{Name: "one", MaxInFlight: 1}
		rt := transport(t, base, client.WithRule(one), client.WithMaxWaiting(2, queue.DropOldest))
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 4)
		for range 4 { // one goes, two wait, and the last takes the place of the first who waits
			go func() { _, err := rt.RoundTrip(get(ctx, "/")); errs <- err }()
			synctest.Wait()
		}
		err := <-errs
		require.ErrorIs(t, err, queue.ErrDropped)
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok)
		assert.Zero(t, e.Attempts)
		_, err = rt.RoundTrip(get(client.NoWait(ctx), "/"))
		require.ErrorIs(t, err, client.ErrNoWait)
		e, _ = errors.AsType[*client.Error](err)
		assert.Equal(t, "one, in flight", e.Limit)
		assert.Equal(t, 2, e.Ahead)
		cancel()
		for range 3 {
			require.ErrorIs(t, <-errs, context.Canceled)
		}
	})
}

// SDKs that repeat what may pass ask an error for it in their own ways, through the
// url.Error that an http.Client puts around it; each must be told not to repeat.
func TestErrorIsNotRepeatedBySDKs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc := &http.Client{Transport: transport(t, &recorder{answer: limited("7200")})}
		for ctx, deadline := range map[context.Context]bool{t.Context(): false, client.NoWait(t.Context()): false} {
			_, _ = hc.Do(get(client.NoRetry(t.Context()), "/"))
			_, err := hc.Do(get(ctx, "/"))
			require.Error(t, err)

			// azcore/runtime, policy_retry.go: errors.As with errorinfo.NonRetriable.
			var azure interface {
				error
				NonRetriable()
			}
			assert.ErrorAs(t, err, &azure)
			// aws/retry, retryable_error.go: RetryableError, before the checks of connections.
			var aws interface{ RetryableError() bool }
			require.ErrorAs(t, err, &aws)
			assert.False(t, aws.RetryableError())
			// cloud.google.com/go/storage, invoke.go: Temporary of the error itself.
			google, ok := err.(interface{ Temporary() bool })
			require.True(t, ok)
			assert.False(t, google.Temporary())
			assert.Equal(t, deadline, err.(net.Error).Timeout())
		}
	})
}

// The type of an error is one word out of few.
func TestErrorType(t *testing.T) {
	for want, reason := range map[string]error{
		"max_wait": client.ErrMaxWait, "no_wait": client.ErrNoWait, "deadline": context.DeadlineExceeded, "canceled": context.Canceled,
		"queue_full": client.ErrFull, "dropped": client.ErrDropped, "closed": client.ErrClosed, "circuit_open": client.ErrCircuitOpen,
		"cost": &queue.CostError{Limit: "l", Cost: 2, Max: 1}, "other": errOdd,
	} {
		e := &client.Error{Reason: reason}
		assert.Equal(t, want, e.ErrorType())
	}
	synctest.Test(t, func(t *testing.T) {
		req := post(t.Context(), "text")
		req.GetBody = func() (io.ReadCloser, error) { return nil, errOdd }
		_, err := transport(t, &recorder{answer: sequence(503)}).RoundTrip(req.WithContext(backoff.WithIdempotent(t.Context(), true)))
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok)
		assert.Equal(t, "body", e.ErrorType())
	})
}
