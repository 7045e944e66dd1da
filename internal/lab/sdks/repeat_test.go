package sdks

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/forbear-go/forbear/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SDKs that judge errors by asking them do not repeat a request that forbear did not send.
func TestErrorsAreNotRepeated(t *testing.T) {
	closed := func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7200"}}, Body: http.NoBody, Request: req,
		}, nil
	}
	for name, call := range map[string]func(*testing.T, *http.Client){
		"azcore": func(t *testing.T, hc *http.Client) {
			pipeline := runtime.NewPipeline("lab", "v1", runtime.PipelineOptions{}, &policy.ClientOptions{Transport: hc})
			req, err := runtime.NewRequest(t.Context(), http.MethodGet, "https://api.test/")
			require.NoError(t, err)
			_, err = pipeline.Do(req)
			require.ErrorIs(t, err, client.ErrMaxWait)
			var responded *azcore.ResponseError
			assert.NotErrorAs(t, err, &responded)
		},
		"aws": func(t *testing.T, hc *http.Client) {
			for _, deadline := range []time.Duration{time.Minute, 24 * time.Hour} {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
				require.NoError(t, err)
				_, err = hc.Do(req)
				require.Error(t, err)
				assert.False(t, retry.NewStandard().IsErrorRetryable(err), "%v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt, err := client.NewTransport(roundTripper(closed))
				require.NoError(t, err)
				defer rt.Close()
				hc := &http.Client{Transport: rt}
				resp, err := hc.Get("https://api.test/")
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				began := time.Now()
				call(t, hc)
				assert.Zero(t, time.Since(began), "it fails at once")
			})
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
