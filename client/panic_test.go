package client_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A panickyBody panics when it is read, or when it is closed.
type panickyBody struct {
	read, closed func()
	closes       atomic.Int32
}

func (b *panickyBody) Read([]byte) (int, error) { b.read(); return 0, io.EOF }

func (b *panickyBody) Close() error {
	b.closes.Add(1)
	b.closed()
	return nil
}

// A body that panics does so in the goroutine of the caller, who may recover, whatever the
// transport wanted of it: to know the wait, to discard the response, to send the request.
func TestBodyPanics(t *testing.T) {
	nothing := func() {}
	quits := func() { panic("body") }
	slowly := func() { time.Sleep(10 * time.Second) }
	for name, c := range map[string]struct {
		status int
		fields []string
		body   *panickyBody
		within bool // RoundTrip, and not the caller's own reading
	}{
		"read for a wait":      {status: 403, body: &panickyBody{read: quits, closed: nothing}, within: true},
		"read late for a wait": {status: 403, body: &panickyBody{read: func() { slowly(); quits() }, closed: nothing}},
		"read of a refusal":    {status: 429, fields: []string{"Retry-After", "7200"}, body: &panickyBody{read: quits, closed: nothing}, within: true},
		"read of a failure":    {status: 503, body: &panickyBody{read: quits, closed: nothing}, within: true},
		"close of a failure":   {status: 503, body: &panickyBody{read: slowly, closed: quits}, within: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &recorder{answer: func(n int, req *http.Request) (*http.Response, error) {
					if n > 1 {
						return respond(req, 200), nil
					}
					resp := respond(req, c.status, append(c.fields, "Content-Type", "text/plain")...)
					resp.Body, resp.ContentLength = c.body, -1
					return resp, nil
				}}
				rt := transport(t, base, flown)
				call := func() (resp *http.Response, panicked any) {
					defer func() { panicked = recover() }()
					resp, _ = rt.RoundTrip(get(t.Context(), "/"))
					return resp, nil
				}
				resp, panicked := call()
				if !c.within {
					require.Nil(t, panicked)
					func() {
						defer func() { panicked = recover() }()
						_, _ = io.ReadAll(resp.Body)
					}()
					resp.Body.Close()
				}
				assert.Equal(t, "body", panicked)
				assert.Positive(t, c.body.closes.Load())
				time.Sleep(3 * time.Hour)
				resp, panicked = call()
				require.Nil(t, panicked)
				assert.Equal(t, 200, resp.StatusCode, "the permit was given back")
			})
		})
	}
}

// A request body whose reading hangs is closed when the context ends, in a goroutine of the
// transport: also there a panic ends nobody else.
func TestRequestBodyPanicsWhenClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan struct{})
		body := &panickyBody{read: func() { <-gone }}
		body.closed = func() {
			if body.closes.Load() == 1 {
				close(gone)
				panic("body")
			}
		}
		req := get(t.Context(), "/")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req = req.WithContext(ctx)
		req.Method, req.Body, req.ContentLength = "POST", body, -1
		began := time.Now()
		_, _ = transport(t, &recorder{answer: sequence(200)}).RoundTrip(req)
		require.Equal(t, time.Second, time.Since(began))
		require.EqualValues(t, 1, body.closes.Load())
	})
}
