package client_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Where requests cost very different amounts, a server that is asked again when it said may lack what this
// one costs: a request that is refused again waits twice as long each time. Where all cost the same, it waits
// as long as it was asked to.
func TestARequestOfUnevenCostsWaitsLongerEachTime(t *testing.T) {
	const url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/any/invoke"
	for _, c := range []struct {
		costs [2]int
		waits []int // seconds, at least
	}{
		{[2]int{10, 400}, []int{1, 2, 4, 8}},
		{[2]int{200, 201}, []int{1, 1, 1, 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := []time.Time{}
			job := 0
			tr, err := client.NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
				at = append(at, time.Now())
				resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: -1, Request: req}
				text := fmt.Sprintf(`{"usage":{"input_tokens":%d,"output_tokens":1}}`, c.costs[job%2])
				if job == 16 {
					resp.StatusCode, text = 429, `{}`
					resp.Header.Set("Retry-After", "1")
				}
				resp.Body = io.NopCloser(strings.NewReader(text))
				return resp, nil
			}))
			require.NoError(t, err)
			defer tr.Close()
			for job = range 17 {
				at = at[:0]
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"messages":[]}`))
				require.NoError(t, err)
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
				time.Sleep(time.Second)
			}
			require.Len(t, at, 5)
			for i, wait := range c.waits {
				waited := at[i+1].Sub(at[i])
				assert.GreaterOrEqual(t, waited, time.Duration(wait)*time.Second, "%d", i)
			}
		})
	}
}

// Routes that have limiters of their own learn no pace either where requests cost very different amounts.
func TestNoPaceIsLearnedOfRoutesOfUnevenCosts(t *testing.T) {
	t.Parallel()
	w := llmWorld{
		seed: 56, dialect: "bedrock", charging: ratemodel.ChargeRefund, kind: "rolling", pool: ratemodel.NewRollingPool, factor: 1,
		limit: 250_000, calls: 500, mean: 3000, most: 6000, bounded: true, n: 1, embed: true, models: 2, shared: true, callers: 1,
		each: 10 * time.Millisecond, run: 8 * time.Minute,
	}
	chance.Bubble(t, func(t testing.TB) {
		time.Sleep(17 * time.Second)
		plain, ours := newLLMServer(w), newLLMServer(w)
		rc := retryablehttp.NewClient()
		rc.Logger, rc.HTTPClient = nil, &http.Client{Transport: plain}
		plain.ask(t, rc.StandardClient().Do)
		tr, err := client.NewTransport(ours)
		require.NoError(t, err)
		defer tr.Close()
		ours.ask(t, tr.RoundTrip)
		assert.GreaterOrEqual(t, ours.charged, 0.95*plain.charged)
		assert.LessOrEqual(t, ours.refused, plain.refused)
	})
}
