package backoff

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// CheckRetry has the type of the CheckRetry hook of go-retryablehttp, and Backoff
// has the type of its Backoff hook:
//
//	client := retryablehttp.NewClient()
//	client.CheckRetry = strategy.CheckRetry
//	client.Backoff = strategy.Backoff
//	client.RetryMax = 3
//	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
//
// The retry loop of that client counts the retries (RetryMax) and makes every body
// replayable itself, so CheckRetry ignores Config.Retries, Config.MaxElapsed and the
// body. If a request got no response, the client passes only its method: CheckRetry
// then sees [WithIdempotent], but not an Idempotency-Key header.
//
// The error is the error of ctx if ctx has ended, and nil otherwise.
func (s *Strategy) CheckRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	now := time.Now()
	if ended := contextErr(ctx, now); ended != nil {
		return false, ended
	}
	a := s.observe(ctx, resp, err)
	if s.config.Check(a) != Yes {
		return false, nil
	}
	if !a.WaitKnown || !a.heeded() {
		return true, nil
	}
	deadline, ok := ctx.Deadline()
	return !s.Exhausted(a.Wait) && (!ok || a.Wait < deadline.Sub(now)), nil
}

// Backoff returns the wait before a retry; see [Strategy.CheckRetry]. attempt counts
// from 0, the first attempt. Backoff ignores the bounds min and max (RetryWaitMin
// and RetryWaitMax), because the policy has bounds of its own.
//
// go-retryablehttp does not pass the previous wait. For a policy that depends on it,
// such as [Decorrelated], Backoff draws the previous waits again.
func (s *Strategy) Backoff(_, _ time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil && s.config.Read != nil {
		wait, known, refused := s.config.Read(resp)
		if known && wait > 0 && (Attempt{Response: resp, Refused: refused}).heeded() {
			return ServerWait(wait)
		}
	}
	// After this many retries, the delay of a policy with a cap no longer changes.
	const most = 64
	var wait time.Duration
	for n := max(1, attempt+2-most); n <= attempt+1; n++ {
		wait = max(0, s.config.Policy.Delay(n, wait))
	}
	return wait
}

// observe returns the attempt as far as go-retryablehttp reveals it.
func (s *Strategy) observe(ctx context.Context, resp *http.Response, err error) Attempt {
	a := Attempt{Request: new(http.Request), Err: err}
	if err == nil && resp != nil {
		a.Response = resp
		if s.config.Read != nil {
			a.Wait, a.WaitKnown, a.Refused = s.config.Read(resp)
		}
	}
	switch u, ok := errors.AsType[*url.Error](err); {
	case resp != nil && resp.Request != nil:
		first := firstRequest(resp.Request)
		a.Request.Method, a.Request.Header = first.Method, first.Header
	case ok:
		a.Request.Method = strings.ToUpper(u.Op) // Client.Do writes "Get" for GET
	default:
		a.Request.Method = "unknown"
	}
	a.Request = a.Request.WithContext(ctx)
	return a
}

// firstRequest returns the request that the redirects started from, which is the
// one that a retry would send. A POST that was redirected ends as a GET.
func firstRequest(r *http.Request) *http.Request {
	for r.Response != nil && r.Response.Request != nil {
		r = r.Response.Request
	}
	return r
}
