package main

import (
	"errors"
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
