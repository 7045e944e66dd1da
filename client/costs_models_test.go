package client_test

import (
	"context"
	"fmt"
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
)

// Models that show the same limits and do not share them are told apart: the one that many ask
// keeps no other waiting, and what it has left is not mistaken for that of another.
func TestModelsOfEqualLimits(t *testing.T) {
	t.Parallel()
	for name, pool := range map[string]func(limit float64, length time.Duration) ratemodel.Pool{
		"refilling": ratemodel.NewRefillingPool, "fixed": ratemodel.NewFixedPool, "rolling": ratemodel.NewRollingPool,
	} {
		least := 0.9
		if name == "rolling" { // a client that just retries is there when a little comes back
			least = 0.8
		}
		for _, charging := range []ratemodel.Charging{ratemodel.ChargeEnd, ratemodel.ChargeRefund, ratemodel.ChargeKeep} {
			t.Run(fmt.Sprintf("%s/%d", name, charging), func(t *testing.T) {
				t.Parallel()
				chance.Bubble(t, func(t testing.TB) {
					model := func(i int) string {
						if i%10 == 0 {
							return "small"
						}
						return "big"
					}
					api := func() *chatAPI {
						s := newChatAPI(charging, map[string]float64{"big": 60_000, "small": 60_000})
						s.pool = pool
						return s
					}
					whole := func(int) bool { return false }
					plain := api()
					persist(t, plain, 30, 5*time.Minute, whole, model)
					ours := api()
					tr, err := client.NewTransport(ours)
					require.NoError(t, err)
					defer tr.Close()
					persist(t, tr, 30, 5*time.Minute, whole, model)
					t.Logf("refused %d of %d and not %d, used %.2f", ours.refused, ours.served, plain.refused, ours.charged/plain.charged)
					assert.GreaterOrEqual(t, ours.charged, least*plain.charged)
					assert.Less(t, ours.refused, plain.refused/5)
				})
			})
		}
	}
}

// persist is converse by callers that come back a while after a refusal.
func persist(t testing.TB, tr http.RoundTripper, callers int, d time.Duration, stream func(i int) bool, model func(i int) string) {
	converse(t, backoffTransport{tr}, callers, d, stream, model)
}

type backoffTransport struct{ http.RoundTripper }

func (b backoffTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		time.Sleep(2 * time.Second)
	}
	return resp, err
}

// Two models that are refused at once, and tell nothing of their limits, may both have been asked for too much:
// the one that opens is served, though the other stays closed.
func TestModelsThatTellNothingAreRefusedApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, served := time.Now(), map[string]int{}
		var mu sync.Mutex
		tr, err := client.NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(40 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			model := strings.Split(req.URL.Path, "/")[2]
			resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: http.NoBody}
			if now := time.Since(began); now > 500*time.Millisecond && (model == "closed" || now < 4*time.Second) {
				resp.StatusCode = http.StatusTooManyRequests
			} else {
				served[model]++
			}
			return resp, nil
		}))
		require.NoError(t, err)
		defer tr.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 12 {
			model := []string{"closed", "open"}[i%2]
			wg.Go(func() {
				for ctx.Err() == nil {
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://bedrock-runtime.us-east-1.amazonaws.com/model/"+model+"/invoke", strings.NewReader(`{"messages":[]}`))
					if !assert.NoError(t, err) {
						return
					}
					if resp, err := tr.RoundTrip(req); err == nil {
						_ = resp.Body.Close()
					}
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		t.Log(served)
		assert.GreaterOrEqual(t, served["open"], 100)
	})
}
