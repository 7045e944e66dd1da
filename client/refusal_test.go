package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// says answers 429 with a text.
func says(req *http.Request, text string, fields ...string) *http.Response {
	resp := respond(req, 429, append(fields, "Content-Type", "text/plain")...)
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return resp
}

func textOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(text)
}

// A request that was answered gets its answer, whichever bound its next attempt breaks.
func TestAnsweredIsAnswered(t *testing.T) {
	deadline := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	hourly := client.WithRule(queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(1)}})
	for name, c := range map[string]struct {
		wait    string // that the server asks for
		opts    []client.Option
		context func(context.Context) context.Context
	}{
		"wait too long":             {wait: "82000"},
		"deadline too near":         {wait: "60", context: deadline},
		"elapsed":                   {wait: "60", opts: []client.Option{client.WithMaxElapsed(time.Minute)}},
		"too long in the line":      {wait: "1", opts: []client.Option{hourly}},
		"deadline in the line":      {wait: "1", opts: []client.Option{hourly}, context: deadline},
		"too long, by another rule": {wait: "1", opts: []client.Option{hourly, client.WithMaxWait(time.Minute)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
					return says(req, "1000 a day on the free plan", "Retry-After", c.wait, "X-Why", "daily"), nil
				}}
				ctx := t.Context()
				if c.context != nil {
					ctx = c.context(ctx)
				}
				req := get(ctx, "/")
				resp, err := transport(t, base, c.opts...).RoundTrip(req)
				require.NoError(t, err)
				assert.Equal(t, 429, resp.StatusCode)
				assert.Equal(t, "daily", resp.Header.Get("X-Why"))
				assert.Same(t, req, resp.Request)
				assert.Equal(t, "1000 a day on the free plan", textOf(t, resp))
				assert.Len(t, base.times, 1)
			})
		})
	}
}

// A body that is too long to be kept while the next attempt waits makes it an Error, which
// has the beginning.
func TestAnswerTooLongToKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("so much ", 100_000)
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			return says(req, long, "Retry-After", "1"), nil
		}}
		hourly := queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(1)}}
		_, err := transport(t, base, client.WithRule(hourly)).RoundTrip(get(t.Context(), "/"))
		e, ok := errors.AsType[*client.Error](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, 1, e.Attempts)
		assert.Equal(t, 429, e.Status)
		assert.Equal(t, long[:4096], e.Body)
	})
}

// A request that is not sent carries what the server said last to its limit, whether that
// was in the header or in the body, and no credential.
func TestErrorCarriesTheRefusal(t *testing.T) {
	for name, fields := range map[string][]string{
		"header": {"Retry-After", "82000"},
		"body":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := `{"retry_after": 82000, "error": "daily_quota"}` + strings.Repeat(" ", 5000)
				base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
					if req.URL.Query().Get("account") == "other" {
						return respond(req, 200), nil
					}
					return says(req, text, append(fields, "X-Why", "daily", "Set-Cookie", "sid="+secret, "X-Auth-Token", secret)...), nil
				}}
				rt := transport(t, base)
				began := time.Now()
				for _, ctx := range []context.Context{client.NoRetry(t.Context()), t.Context(), client.NoWait(t.Context())} {
					resp, err := rt.RoundTrip(get(ctx, "/"))
					if len(base.times) == 1 && err == nil {
						assert.Equal(t, text, textOf(t, resp))
						continue
					}
					e, ok := errors.AsType[*client.Error](err)
					require.True(t, ok, "%v", err)
					assert.Zero(t, e.Attempts)
					assert.Equal(t, 429, e.Status)
					assert.Equal(t, "daily", e.Header.Get("X-Why"))
					assert.Equal(t, text[:4096], e.Body)
					assert.Equal(t, began, e.RefusedAt)
					assert.NotContains(t, fmt.Sprintf("%+v", *e), secret)
				}
				require.Len(t, base.times, 1)

				// What another key does not wait for is none of its business.
				one := client.WithRule(queue.Rule{Name: "hourly", Limits: []queue.Quota{queue.PerHour(1)}})
				rt = transport(t, base, one)
				for range 2 {
					_, err := rt.RoundTrip(get(t.Context(), "/?account=other"))
					if err == nil {
						continue
					}
					e, _ := errors.AsType[*client.Error](err)
					assert.Equal(t, "hourly, 1 per hour", e.Limit)
					assert.Zero(t, e.Status)
					assert.Empty(t, e.Body)
				}
			})
		})
	}
}

// The refusal that an Error carries is the last one, and after the wait there is none.
func TestErrorCarriesTheLastRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
			return says(req, fmt.Sprint("refusal ", n), "Retry-After", "3600"), nil
		}}
		rt := transport(t, base)
		for n := 1; n <= 3; n++ {
			_, err := rt.RoundTrip(get(client.NoRetry(t.Context()), "/"))
			require.NoError(t, err)
			_, err = rt.RoundTrip(get(client.NoWait(t.Context()), "/"))
			e, ok := errors.AsType[*client.Error](err)
			require.True(t, ok)
			assert.Equal(t, fmt.Sprint("refusal ", n), e.Body)
			time.Sleep(2 * time.Hour)
		}
	})
}
