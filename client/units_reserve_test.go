package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/queue"
)

// reservingAPI takes max_tokens of each request from a quota that it does not tell, and gives back what
// the response did not use.
type reservingAPI struct {
	mu              sync.Mutex
	pool            ratemodel.Charger
	served, refused int
}

func (s *reservingAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: http.NoBody}
	time.Sleep(50 * time.Millisecond)
	asks := ratemodel.Cost{Prompt: 100, Output: 900, MaxOutput: 8000}
	s.mu.Lock()
	goes := s.pool.Admit(time.Now(), asks)
	if !goes {
		s.refused++
	}
	s.mu.Unlock()
	if !goes {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", "1")
		return resp, nil
	}
	time.Sleep(2 * time.Second)
	s.mu.Lock()
	s.pool.Settle(time.Now(), asks)
	s.served++
	s.mu.Unlock()
	resp.Header.Set("Content-Type", "application/json")
	resp.Body = io.NopCloser(strings.NewReader(`{"usage":{"inputTokens":100,"outputTokens":900}}`))
	return resp, nil
}

// generate sends requests from so many callers for a while.
func generate(t testing.TB, tr http.RoundTripper, callers int, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				body := fmt.Sprintf(`{"messages":[{"role":"user","content":[{"text":%q}]}],"inferenceConfig":{"maxTokens":8000}}`, strings.Repeat("word ", 80))
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, bedrockURL, strings.NewReader(body))
				if !assert.NoError(t, err) {
					return
				}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					return
				}
				if resp.StatusCode == http.StatusTooManyRequests {
					time.Sleep(time.Second)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

// Where a declared quota is one of a server that takes max_tokens, a program is served as much as one that
// retries, and hardly ever refused.
func TestARuleInTokensHoldsMaxTokensWhereTheServerDoes(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		newAPI := func() *reservingAPI {
			return &reservingAPI{pool: ratemodel.Charger{Pool: ratemodel.NewRefillingPool(100_000, time.Minute), Charging: ratemodel.ChargeRefund}}
		}
		plain := newAPI()
		generate(t, plain, 30, 10*time.Minute)
		api := newAPI()
		tr, err := client.NewTransport(api, client.WithRule(queue.Rule{
			Name: "tokens", Limits: []queue.Quota{queue.PerMinute(100_000).TokenBucket(100_000).Of("tokens")},
		}))
		require.NoError(t, err)
		defer tr.Close()
		generate(t, tr, 30, 10*time.Minute)
		t.Logf("served %d and not %d, refused %d and not %d", api.served, plain.served, api.refused, plain.refused)
		assert.GreaterOrEqual(t, float64(api.served), 0.95*float64(plain.served))
		assert.LessOrEqual(t, float64(api.refused), 0.03*float64(api.served))
	})
}

// A quota a day comes back at the midnight of its own zone, and not a day after it was spent.
func TestAQuotaOfTokensADayComesBackAtItsOwnMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := time.FixedZone("Pacific", -8*3600)
		api := &reservingAPI{pool: ratemodel.Charger{Pool: ratemodel.NewRefillingPool(1e9, time.Minute), Charging: ratemodel.ChargeEnd}}
		tr, err := client.NewTransport(api, client.WithMaxWait(24*time.Hour), client.WithRule(queue.Rule{
			Name: "a day", Limits: []queue.Quota{queue.PerDay(10_000).FixedWindow(zone).Of("tokens")},
		}))
		require.NoError(t, err)
		defer tr.Close()
		for range 9 { // of 1,000 each; one more may cost a little more
			require.NoError(t, converseOnce(t.Context(), tr))
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = converseOnce(impatient, tr)
		limited, ok := errors.AsType[*client.Error](err)
		require.True(t, ok, "%v", err)
		year, month, day := time.Now().In(zone).Date()
		midnight := time.Date(year, month, day+1, 0, 0, 0, 0, zone)
		assert.WithinDuration(t, midnight, limited.Until, time.Minute)
		require.NoError(t, converseOnce(t.Context(), tr))
		assert.WithinDuration(t, midnight, time.Now(), time.Minute)
		for range 8 {
			require.NoError(t, converseOnce(t.Context(), tr))
		}
		assert.WithinDuration(t, midnight, time.Now(), time.Minute, "all of it is there again")
	})
}
