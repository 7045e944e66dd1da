package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// stubborn answers so many requests with a status, then 200.
type stubborn struct {
	status, left int
	fields       http.Header
}

func (f *stubborn) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if f.left > 0 {
		f.left--
		if f.status == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		resp.StatusCode, resp.Header = f.status, f.fields
	}
	return resp, nil
}

// A request that pauses between two attempts is under way: Shutdown waits until it has its answer, and
// then lets nobody in.
func TestShutdownWaitsForRetries(t *testing.T) {
	wait := http.Header{"Retry-After": {"30"}}
	for name, base := range map[string]*stubborn{
		"503":           {status: 503, left: 2, fields: http.Header{}},
		"503, told":     {status: 503, left: 1, fields: wait},
		"429":           {status: 429, left: 2, fields: http.Header{}},
		"429, told":     {status: 429, left: 1, fields: wait},
		"network error": {left: 2},
		"all attempts":  {status: 503, left: 9, fields: http.Header{}},
		"no retry":      {status: 404, left: 1, fields: http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr, err := client.NewTransport(base)
				require.NoError(t, err)
				var answered time.Time
				go func() {
					resp, err := tr.RoundTrip(get(t.Context(), "/"))
					answered = time.Now()
					if assert.NoError(t, err) && base.left == 0 && base.status != 404 {
						assert.Equal(t, http.StatusOK, resp.StatusCode)
					}
				}()
				time.Sleep(time.Millisecond)
				require.NoError(t, tr.Queue().Shutdown(t.Context()))
				ended := time.Now()
				synctest.Wait()
				assert.False(t, answered.IsZero(), "Shutdown has ended before the request")
				assert.False(t, answered.After(ended))
				_, err = tr.RoundTrip(get(t.Context(), "/"))
				assert.ErrorIs(t, err, client.ErrClosed)
			})
		})
	}
}

// An observer that panics after the answer does not keep Shutdown waiting.
func TestShutdownAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, err := client.NewTransport(&stubborn{status: 503, left: 9, fields: http.Header{}},
			client.WithObserver(func(e client.Event) {
				if e.Status == 503 {
					panic("observer")
				}
			}))
		require.NoError(t, err)
		assert.Panics(t, func() { _, _ = tr.RoundTrip(get(t.Context(), "/")) })
		assert.NoError(t, tr.Queue().Shutdown(t.Context()))
	})
}
