package fleet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A minutely API allows each credential a hundred requests a minute.
type minutely struct {
	mu    sync.Mutex
	spent map[string]int // by credential and minute
}

func (m *minutely) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(30 * time.Millisecond)
	now := time.Now()
	opens := now.Truncate(time.Minute).Add(time.Minute)
	m.mu.Lock()
	id := req.Header.Get("Authorization") + opens.String()
	m.spent[id]++
	left := 100 - m.spent[id]
	m.mu.Unlock()
	status := http.StatusOK
	if left < 0 {
		status = http.StatusTooManyRequests
	}
	h := http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {strconv.Itoa(max(left, 0))},
		"X-Ratelimit-Reset": {strconv.Itoa(int(opens.Sub(now).Seconds()))}, "Date": {now.UTC().Format(http.TimeFormat)}}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

// Ten thousand keys are shared at the same time. Those that nobody asks for any more cost no calls, and no goroutines.
func TestIdleKeysCostNoCalls(t *testing.T) {
	if chance.Raced {
		t.Skip("ten thousand keys take too long under the race detector")
	}
	const keys, members = 10_000, 2
	chance.Bubble(t, func(t testing.TB) {
		api := &minutely{spent: make(map[string]int)}
		store := &slowStore{trip: 300 * time.Microsecond}
		goroutines := runtime.NumGoroutine()
		clients := make([]*http.Client, members)
		for i := range clients {
			f, err := New(store, []byte("0123456789abcdef"))
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close(context.Background())) }()
			tr, err := client.NewTransport(api, client.WithFleet(f))
			require.NoError(t, err)
			defer tr.Close()
			clients[i] = &http.Client{Transport: tr}
		}
		var served atomic.Int64
		var callers sync.WaitGroup
		for key := range keys {
			callers.Go(func() {
				for i := range members {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.test/items", nil)
					require.NoError(t, err)
					req.Header.Set("Authorization", fmt.Sprint("Bearer ", key))
					resp, err := clients[i].Do(req)
					require.NoError(t, err)
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						served.Add(1)
					}
				}
			})
		}
		began := time.Now()
		callers.Wait()
		busy := store.calls.Load()
		t.Logf("%d calls for %d requests in %v", busy, keys*members, time.Since(began))
		assert.Less(t, time.Since(began), time.Second)
		assert.LessOrEqual(t, busy, int64(2*keys*members))
		assert.EqualValues(t, keys*members, served.Load())

		time.Sleep(5 * time.Minute) // the leases end
		before := store.calls.Load()
		time.Sleep(time.Hour)
		t.Logf("%d calls in five minutes, and %d in the next hour; %d goroutines", before-busy, store.calls.Load()-before, runtime.NumGoroutine()-goroutines)
		assert.Zero(t, store.calls.Load()-before)
		assert.Less(t, runtime.NumGoroutine()-goroutines, 20)
	})
}
