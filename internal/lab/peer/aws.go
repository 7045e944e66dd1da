package peer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// awsTransport sends requests as the middleware of the SDK does: a token for each
// attempt, one more for each retry, and a backoff between them.
type awsTransport struct {
	base http.RoundTripper
	mode *retry.AdaptiveMode
}

func newAWS(s Setting) (http.RoundTripper, error) {
	return &awsTransport{base: s.Base, mode: retry.NewAdaptiveMode()}, nil
}

// ticking is a context for GetAttemptToken, which asks again at once when what is left
// to wait rounds to nothing. That takes some time on a real clock, and so it does on a
// virtual one, which would stand still otherwise.
type ticking struct{ context.Context } //nolint:containedctx // it is one

func (c ticking) Done() <-chan struct{} {
	<-time.After(time.Microsecond)
	return c.Context.Done()
}

// apiError is a response as the SDK's retry strategy sees it.
type apiError int

func (e apiError) Error() string       { return fmt.Sprintf("status %d", int(e)) }
func (e apiError) HTTPStatusCode() int { return int(e) }

func (e apiError) ErrorCode() string {
	if e == http.StatusTooManyRequests {
		return "ThrottlingException"
	}
	return http.StatusText(int(e))
}

func (t *awsTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	released := func(error) error { return nil } // of the retry before
	for attempt := 1; ; attempt++ {
		release, err := t.mode.GetAttemptToken(ticking{ctx})
		if err != nil {
			return nil, err
		}
		resp, err := t.base.RoundTrip(req)
		failure := err
		if err == nil && resp.StatusCode >= 400 {
			failure = apiError(resp.StatusCode)
		}
		if err := release(failure); err != nil {
			return nil, err
		}
		if err := released(failure); err != nil {
			return nil, err
		}
		if failure == nil || attempt == t.mode.MaxAttempts() || !t.mode.IsErrorRetryable(failure) {
			return resp, err
		}
		if released, err = t.mode.GetRetryToken(ctx, failure); err != nil {
			return resp, nil //nolint:nilerr // no retries left to spend: the response stands
		}
		delay, err := t.mode.RetryDelay(attempt, failure)
		if err != nil {
			return nil, err
		}
		if resp != nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
