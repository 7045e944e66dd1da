package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Most programs accept compressed responses. What a compressed refusal says of its wait is
// obeyed, and the caller can read it.
func TestCompressedRefusal(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":{"message":"Rate limit reached. Please try again in 1h."}}`
	var served atomic.Int32
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusTooManyRequests)
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, refusal)
		_ = z.Close()
	})
	p := start(t, "-to", api.URL)
	for range 2 { // the second one is not sent
		status, text := ask(t, http.MethodGet, p.url, "", "Accept-Encoding", "gzip, br")
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Equal(t, refusal, text)
		require.EqualValues(t, 1, served.Load())
	}
}

// All else reaches the caller as the server compressed it.
func TestWhatStaysCompressed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, field, value string
		status               int
	}{
		{http.MethodGet, "X-Any", "1", http.StatusOK},
		{http.MethodHead, "X-Any", "1", http.StatusNotFound},
		{http.MethodGet, "Cache-Control", "private, no-transform", http.StatusNotFound},
		{http.MethodGet, "Content-Encoding", "br", http.StatusNotFound},
	} {
		api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set(c.field, c.value)
			w.Header().Set("Content-Length", "4")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, "\x1f\x8b\x08z")
		})
		req, err := http.NewRequestWithContext(t.Context(), c.method, start(t, "-to", api.URL).url, nil)
		require.NoError(t, err)
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.EqualValues(t, 4, resp.ContentLength)
		require.True(t, c.method == http.MethodHead || string(text) == "\x1f\x8b\x08z")
		require.Contains(t, []string{"gzip", "br"}, resp.Header.Get("Content-Encoding"))
	}
}
