package client_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A body of any size passes in constant memory: what can be made again is sent again
// after refusals, what cannot is sent once.
func TestUploadInConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("sends most of a gigabyte")
	}
	const size = 256 << 20
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
		runtime.GC() // what tests before left, in pools too, is gone before the first peak as before the others
		runtime.GC()
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

// A body that cannot be made again and is too long to be recorded is sent once: the caller gets the
// refusal. A server that refuses an announced body is not sent it, so that there is nothing to record.
func TestRefusedStream(t *testing.T) {
	var attempts atomic.Int32
	var first int64 // bytes that the server reads before it refuses
	h := func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) == 1 {
			_, _ = io.CopyN(io.Discard, r.Body, first)
			soon(w)
			fmt.Fprint(w, "not now")
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		for _, c := range []struct {
			read   int64
			answer string
		}{{0, "4194304 <nil>"}, {4 << 20, "not now"}} {
			attempts.Store(0)
			first = c.read
			body := watch(io.LimitReader(endless(), 4<<20))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, body)
			require.NoError(t, err)
			req.Header.Set("Expect", "100-continue")
			resp, err := hc.Do(req)
			require.NoError(t, err)
			require.Equal(t, c.answer, text(t, resp))
			<-body.closed
			require.EqualValues(t, 1, body.closes.Load())
		}
	})
}

// Whatever a server reads of a stream before it refuses it, in the end it has the whole.
func TestRefusedStreams(t *testing.T) {
	var early atomic.Int32
	plans := new(sync.Map) // of []int: how much to read before each refusal
	h := func(w http.ResponseWriter, r *http.Request) {
		value, _ := plans.Load(r.Header.Get("X-Plan"))
		plan := value.(chan int64)
		select {
		case n := <-plan:
			if read, _ := io.CopyN(io.Discard, r.Body, n); read == n {
				early.Add(1)
			}
			soon(w)
			return
		default:
		}
		sum := sha256.New()
		_, _ = io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%x", sum.Sum(nil))
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		early.Store(0)
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 1))
				for i := range 12 {
					id := fmt.Sprint(worker, "-", i)
					content := make([]byte, random.IntN(200_000))
					for j := range content {
						content[j] = byte(random.Uint32())
					}
					plan := make(chan int64, 3)
					for range random.IntN(4) {
						plan <- int64(random.IntN(250_000))
					}
					plans.Store(id, plan)
					from, to := io.Pipe()
					go func() {
						for rest := content; len(rest) > 0; {
							n := min(len(rest), 1+random.IntN(20_000))
							_, _ = to.Write(rest[:n])
							rest = rest[n:]
						}
						to.Close()
					}()
					body := watch(from)
					req, err := http.NewRequestWithContext(client.WithKey(t.Context(), id), http.MethodPost, url, body)
					assert.NoError(t, err)
					req.Header.Set("X-Plan", id)
					req.Header.Set("Idempotency-Key", id) // a connection may break when a server answers early
					if i%2 == 0 {
						req.ContentLength = int64(len(content))
					}
					resp, err := hc.Do(req)
					if !assert.NoError(t, err) {
						return
					}
					assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(content)), text(t, resp), id)
					<-body.closed
					assert.EqualValues(t, 1, body.closes.Load())
					assert.False(t, body.late.Load())
				}
			})
		}
		workers.Wait()
		assert.Greater(t, early.Load(), int32(15))
	})
}

// A request and its response may go on at the same time, each waiting for the other.
func TestDuplex(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		_ = c.Flush()
		line := make([]byte, 5)
		for {
			if _, err := io.ReadFull(r.Body, line); err != nil {
				return
			}
			_, _ = w.Write(line)
			_ = c.Flush()
		}
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		from, to := io.Pipe()
		body := watch(from)
		resp, err := hc.Post(url, "text/plain", body)
		require.NoError(t, err)
		defer resp.Body.Close()
		line := make([]byte, 5)
		for i := range 100 {
			_, err := fmt.Fprintf(to, "%04d\n", i)
			require.NoError(t, err)
			_, err = io.ReadFull(resp.Body, line)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%04d\n", i), string(line))
		}
		require.NoError(t, to.Close())
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		<-body.closed
		require.EqualValues(t, 1, body.closes.Load())
	})
}

// A pipe into which nobody writes any more ends with the context of the request.
func TestHangingStream(t *testing.T) {
	h := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		from, to := io.Pipe()
		go func() {
			_, _ = io.WriteString(to, "text")
			cancel()
		}()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, from)
		require.NoError(t, err)
		_, err = hc.Do(req)
		require.ErrorIs(t, err, context.Canceled)
		_, err = io.WriteString(to, "more")
		require.ErrorIs(t, err, io.ErrClosedPipe)
	})
}
