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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

const bedrockURL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku/converse"

func converseOnce(ctx context.Context, tr http.RoundTripper) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, bedrockURL, strings.NewReader(`{"messages":[]}`))
	if err != nil {
		return err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// An API that announces no limit of tokens, and loses, refuses and fails some requests: one rule keeps the limit.
func TestARuleInUnitsIsSettledByUsage(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		var mu sync.Mutex
		pool := ratemodel.NewRollingPool(10_000, time.Minute)
		sent, refused, used := 0, 0, 0.0
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			_ = req.Body.Close()
			mu.Lock()
			sent++
			n, goes := sent, pool.Level(time.Now()) > 0
			mu.Unlock()
			time.Sleep(300 * time.Millisecond)
			resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req}
			switch {
			case n%10 == 7:
				return nil, errors.New("unplugged")
			case n%10 == 8:
				resp.StatusCode, resp.Body = http.StatusServiceUnavailable, http.NoBody
				return resp, nil
			case !goes:
				refused++
				resp.StatusCode, resp.Body = http.StatusTooManyRequests, http.NoBody
				return resp, nil
			}
			tokens := 50 + 10*(n%20)
			mu.Lock()
			pool.Charge(time.Now(), float64(tokens))
			used += float64(tokens)
			mu.Unlock()
			resp.Header.Set("Content-Type", "application/json")
			resp.Body = io.NopCloser(strings.NewReader(fmt.Sprintf(`{"usage":{"inputTokens":40,"outputTokens":%d}}`, tokens-40)))
			return resp, nil
		})
		tr, err := client.NewTransport(base, client.WithRetries(0), client.WithRule(queue.Rule{
			Name: "bedrock", Limits: []queue.Quota{queue.PerMinute(10_000).Of("tokens")},
		}))
		require.NoError(t, err)
		defer tr.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := converseOnce(ctx, tr); err != nil && !strings.Contains(err.Error(), "unplugged") {
						return
					}
				}
			})
		}
		wg.Wait()
		t.Logf("sent %d, refused %d, used %.1f %%", sent, refused, used/1000)
		assert.Zero(t, refused)
		assert.Greater(t, used/100_000, 0.65) // what a fifth of them cost is not known, and counted
		err = converseOnce(client.WithUnits(t.Context(), cost.Tokens(10_001)), tr)
		tooMuch, ok := errors.AsType[*queue.CostError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, 10_001, tooMuch.Cost)
		time.Sleep(2 * time.Minute)
		for _, d := range tr.Declared() {
			assert.Equal(t, 10_000, d.Remaining, "nothing is held when all is over")
		}
	})
}
