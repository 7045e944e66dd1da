package client_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// An unannounced is an API that limits units by the minute and tells nothing of that limit.
type unannounced struct {
	url, unit string
	told      string // the body, with what the request cost
	known     bool   // callers know what a request costs

	mu            sync.Mutex
	pool          ratemodel.Pool
	random        *rand.Rand
	refused, used int
}

func (u *unannounced) RoundTrip(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	var n int
	_, _ = fmt.Sscan(req.Header.Get("X-Costs"), &n)
	time.Sleep(50 * time.Millisecond)
	resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
	text := fmt.Sprintf(u.told, n)
	u.mu.Lock()
	if now := time.Now(); u.pool.Level(now) < float64(n) {
		u.refused++
		resp.StatusCode, text = http.StatusTooManyRequests, "{}"
	} else {
		u.pool.Charge(now, float64(n))
		u.used += n
	}
	u.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	resp.Body = io.NopCloser(strings.NewReader(text))
	return resp, nil
}

// ask sends one request after the other.
func (u *unannounced) ask(ctx context.Context, tr http.RoundTripper) {
	for ctx.Err() == nil {
		u.mu.Lock()
		n := 20 + u.random.IntN(80)
		u.mu.Unlock()
		asks := ctx
		if u.known {
			asks = client.WithUnits(ctx, cost.Units{u.unit: float64(n)})
		}
		req, err := http.NewRequestWithContext(asks, http.MethodPost, u.url, strings.NewReader(`{"query":"{ boards { id } }"}`))
		if err != nil {
			return
		}
		req.Header.Set("X-Costs", fmt.Sprint(n))
		if resp, err := tr.RoundTrip(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}

// Limits that no response tells are kept by one rule in their units: settled by what responses say that requests
// cost, or held at what the caller knows.
func TestUnannouncedUnitsAreKeptByOneRule(t *testing.T) {
	for name, api := range map[string]*unannounced{
		"monday":  {url: "https://api.monday.com/v2", unit: "complexity", told: `{"data":{"complexity":{"before":9000,"query":%d}}}`},
		"binance": {url: "https://api.binance.com/api/v3/depth", unit: "request-weight", told: `{"bids":[],"n":%d}`, known: true},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				u := &unannounced{url: api.url, unit: api.unit, told: api.told, known: api.known}
				u.pool, u.random = ratemodel.NewRollingPool(6000, time.Minute), rand.New(rand.NewPCG(1, 2))
				tr, err := client.NewTransport(u, client.WithRetries(0), client.WithRule(queue.Rule{
					Name: name, Limits: []queue.Quota{queue.PerMinute(6000).Of(u.unit)},
				}))
				require.NoError(t, err)
				defer tr.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute-time.Second)
				defer cancel()
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() { u.ask(ctx, tr) })
				}
				wg.Wait()
				t.Logf("refused %d, used %.3f", u.refused, float64(u.used)/60_000)
				if u.known {
					assert.Zero(t, u.refused)
				}
				assert.LessOrEqual(t, u.refused, 5) // of a thousand, whose costs are estimates
				assert.Greater(t, float64(u.used)/60_000, 0.95)
			})
		})
	}
}
