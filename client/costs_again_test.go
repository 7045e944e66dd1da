package client_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
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
