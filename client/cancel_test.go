package client_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// The Cancel channel of a request ends its wait, in the queue and between two attempts, as
// its context does.
func TestRequestCancel(t *testing.T) {
	for name, c := range map[string]struct {
		before bool // the key was refused before
		answer func(int, *http.Request) (*http.Response, error)
		after  time.Duration
	}{
		"in the line":            {true, limited("60"), 10 * time.Second},
		"before":                 {false, sequence(200), 0},
		"in the line, once more": {false, limited("60"), 10 * time.Second},
		"between two attempts":   {false, sequence(503), 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := transport(t, &recorder{answer: c.answer})
				defer rt.Close()
				if c.before {
					_, err := rt.RoundTrip(get(client.NoRetry(t.Context()), "/"))
					require.NoError(t, err)
				}
				cancel := make(chan struct{})
				req := get(t.Context(), "/")
				req.Cancel = cancel //nolint:staticcheck // programs still do
				if c.after == 0 {
					close(cancel)
				} else {
					time.AfterFunc(c.after, func() { close(cancel) })
				}
				began := time.Now()
				_, err := rt.RoundTrip(req)
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, c.after, time.Since(began))
			})
		})
	}
}

// A request that is not canceled leaves nothing behind, and goes as ever.
func TestRequestNotCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := transport(t, &recorder{answer: sequence(429, 200)})
		req := get(t.Context(), "/")
		req.Cancel = make(chan struct{}) //nolint:staticcheck // programs still do
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode)
		rt.Close()
		synctest.Wait()
		n, stacks := companions()
		assert.Zero(t, n, stacks)
	})
}
