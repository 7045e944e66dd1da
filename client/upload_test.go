package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A body of any size passes in constant memory: what can be made again is sent again
// after refusals, what cannot is sent once.
func TestUploadInConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("sends three gigabytes")
	}
	const size = 1 << 30
	var refusals, received atomic.Int64
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusals.Add(-1) >= 0 {
			_, _ = io.CopyN(io.Discard, r.Body, size/8)
			soon(w)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		received.Store(n)
	}))
	defer ts.Close()
	upload := func(hc *http.Client, refused int64, replayable bool) uint64 {
		refusals.Store(refused)
		received.Store(0)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, ts.URL, io.LimitReader(endless(), size))
		require.NoError(t, err)
		if replayable {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(endless(), size)), nil }
			req.ContentLength = size
		}
		var resp *http.Response
		peak := peakHeap(t.Context(), func() { resp, err = hc.Do(req) })
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.EqualValues(t, size, received.Load())
		return peak
	}
	hc, err := client.New()
	require.NoError(t, err)
	bare := upload(&http.Client{}, 0, true)
	for _, c := range []struct {
		refused    int64
		replayable bool
	}{{3, true}, {0, false}} {
		peak := upload(hc, c.refused, c.replayable)
		t.Logf("refused %d times: %d MiB of heap, %d MiB with the bare client", c.refused, peak>>20, bare>>20)
		require.Less(t, peak, bare+8<<20)
	}
}

// peakHeap returns the most bytes on the heap, dead ones included, while f runs.
func peakHeap(ctx context.Context, f func()) uint64 {
	ctx, stop := context.WithCancel(ctx)
	var peak uint64
	var sampler sync.WaitGroup
	sampler.Go(func() {
		samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			metrics.Read(samples)
			peak = max(peak, samples[0].Value.Uint64())
			<-ticker.C
		}
	})
	f()
	stop()
	sampler.Wait()
	return peak
}

// A body that cannot be made again and is refused is not kept: the caller gets the
// refusal.
func TestRefusedStream(t *testing.T) {
	var attempts atomic.Int32
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		attempts.Add(1)
		soon(w)
		fmt.Fprint(w, "not now")
	}))
	defer ts.Close()
	hc, err := client.New()
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, ts.URL, io.LimitReader(endless(), 1<<20))
	require.NoError(t, err)
	req.Header.Set("Expect", "100-continue")
	resp, err := hc.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.Equal(t, "not now", text(t, resp))
	require.EqualValues(t, 1, attempts.Load())
}
