package page_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/page"
)

// A watcher is a client that reads a stream of events.
type watcher struct {
	*httptest.ResponseRecorder
	pipe *io.PipeWriter
}

func (w *watcher) Write(b []byte) (int, error) { return w.pipe.Write(b) }

func (w *watcher) FlushError() error { return nil }

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 20, length: time.Minute})
		get(t, t.Context(), hc, "http://a.test/", "one")
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		r.Header.Set("Accept", "text/event-stream")
		out, in := io.Pipe()
		w := &watcher{httptest.NewRecorder(), in}
		ended := make(chan struct{})
		go func() { h.ServeHTTP(w, r); close(ended) }()
		next := func() string {
			var b strings.Builder
			one := make([]byte, 1)
			for !strings.HasSuffix(b.String(), "\n\n") {
				_, err := out.Read(one)
				require.NoError(t, err)
				b.Write(one)
			}
			return b.String()
		}
		message := next()
		for line := range strings.SplitSeq(strings.TrimSuffix(message, "\n\n"), "\n") {
			require.True(t, strings.HasPrefix(line, "data: "), line)
		}
		require.Contains(t, message, "19 of 20 left")
		require.Contains(t, message, "opens in 1 min")
		for range 4 {
			get(t, t.Context(), hc, "http://b.test/", "two")
		}
		began := time.Now()
		message = next()
		require.Equal(t, time.Second, time.Since(began))
		require.Contains(t, message, "00:00:01 UTC")
		require.Less(t, strings.Index(message, "a.test"), strings.Index(message, "b.test"), "what is shown keeps its place")
		document := document(t, h, "/")
		require.Greater(t, strings.Index(document, "a.test"), strings.Index(document, "b.test"), "the busiest first")
		cancel()
		<-ended
		require.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
	})
}

func TestStreamEndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		_, h := observed(t, &p, &api{limit: 20, length: time.Minute})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", "text/event-stream")
		out, in := io.Pipe()
		require.NoError(t, out.Close())
		h.ServeHTTP(&watcher{httptest.NewRecorder(), in}, r) // returns
	})
}
