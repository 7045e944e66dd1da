package peer

import (
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

func newFailsafe(s Setting) (http.RoundTripper, error) {
	policy := failsafehttp.NewRetryPolicyBuilder().Build() //nolint:bodyclose // there is no response yet
	return failsafehttp.NewRoundTripper(s.Base, policy), nil
}

func newFailsafeLimited(s Setting) (http.RoundTripper, error) {
	policy := failsafehttp.NewRetryPolicyBuilder().Build()                               //nolint:bodyclose // there is no response yet
	smooth := ratelimiter.NewSmoothBuilderWithMaxRate[*http.Response](s.Rate.Interval()) //nolint:bodyclose // nor here
	limiter := smooth.WithMaxWaitTime(time.Hour).Build()                                 //nolint:bodyclose // nor here
	return failsafehttp.NewRoundTripper(s.Base, policy, limiter), nil
}
