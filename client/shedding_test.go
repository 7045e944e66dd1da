package client_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A shedder answers well after a while, and now and then refuses.
type shedder struct {
	mu      sync.Mutex
	n       int
	refused map[string]time.Time // when, by path
	again   []time.Duration      // after that
	good    int
}

func (b *shedder) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(50 * time.Millisecond)
	b.mu.Lock()
	b.n++
	bad := b.n%100 == 0
	if at, ok := b.refused[req.URL.Path]; ok {
		b.again = append(b.again, time.Since(at))
		bad = false
		delete(b.refused, req.URL.Path)
	}
	if bad {
		b.refused[req.URL.Path] = time.Now()
	} else {
		b.good++
	}
	b.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}
	if bad {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", "3")
	}
	return resp, nil
}

// Of a server that refuses one request in a hundred only those wait, each for as long as
// it was told to.
func TestOnlyTheRefusedRequestWaits(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		b := &shedder{refused: make(map[string]time.Time)}
		rt, err := client.NewTransport(b)
		require.NoError(t, err)
		end := time.Now().Add(time.Minute)
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				path := "/" + strings.Repeat("x", i+1)
				for time.Now().Before(end) {
					req, err := http.NewRequest(http.MethodGet, "https://api.test"+path, nil)
					require.NoError(t, err)
					resp, err := rt.RoundTrip(req)
					require.NoError(t, err)
					require.Equal(t, http.StatusOK, resp.StatusCode)
					require.NoError(t, resp.Body.Close())
				}
			})
		}
		callers.Wait()
		rt.Close()
		// A request in a hundred that takes 3 s: 13 s for each hundred of 0.1 s.
		assert.Greater(t, b.good, 60*20*100*9/(10*13))
		require.NotEmpty(t, b.again)
		for _, after := range b.again {
			assert.GreaterOrEqual(t, after, 3*time.Second, "the server's word is kept")
		}
	})
}
