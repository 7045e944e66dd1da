package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy that is told to end while many requests come answers all that it has taken.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	var arrived, answered, late atomic.Int64
	api := serve(t, func(http.ResponseWriter, *http.Request) {
		arrived.Add(1)
		time.Sleep(20 * time.Millisecond)
	})
	p := start(t, "-to", api.URL)
	caller := http.DefaultTransport.(*http.Transport).Clone()
	caller.MaxIdleConnsPerHost = 50
	defer caller.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url, nil)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := caller.RoundTrip(req)
				if errors.Is(err, syscall.ECONNREFUSED) || late.Load() > 0 && errors.Is(err, syscall.ECONNRESET) {
					return // it takes no more; the system resets what it had not accepted
				}
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Error(resp.Status)
					return
				}
				answered.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return answered.Load() > 200 }, 10*time.Second, time.Millisecond)
	late.Store(1)
	p.cancel()
	require.NoError(t, <-p.ended)
	wg.Wait()
	require.Equal(t, arrived.Load(), answered.Load())
}

// A request that comes over an open connection while the proxy ends is answered, and the
// response says that the connection is closed.
func TestLastRequestOfAConnection(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "done") })
	p := startWith(t, http.DefaultTransport, func(s *proxyServer) { s.linger = 10 * time.Second }, "-to", api.URL)
	conn := dial(t, p.url)
	r := bufio.NewReader(conn)
	send := func() *http.Response {
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
		resp, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "done", string(text))
		return resp
	}
	require.False(t, send().Close)
	p.cancel()
	require.Eventually(t, p.gateway.ending.Load, 10*time.Second, time.Millisecond)
	require.True(t, send().Close)
	require.NoError(t, <-p.ended) // at once, as no connection is left
}
