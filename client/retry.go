package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/throttle"
)

// A loop sends one request until it is answered well enough. go-retryablehttp runs
// it; what that does otherwise than a RoundTripper may is kept from it: it sees a
// bare request, blank responses, no connections to close, and no body but those that
// GetBody makes. A loop is only made for a request whose first attempt may be worth
// a retry.
type loop struct {
	t    *Transport
	req  *http.Request // the caller's
	who  *account
	call call

	began    time.Time
	attempts int
	last     answer        // of the last attempt
	status   int           // of the last response
	stopped  error         // why there is no other; nil while there is
	wait     time.Duration // before it
	between  bool          // two attempts: the last response is gone
}

// retry goes on with a request after its first attempt.
func (t *Transport) retry(req *http.Request, who *account, c call, first answer) (*http.Response, error) {
	l := &loop{t: t, req: req, who: who, call: c, began: time.Now(), attempts: 1}
	if l.judge(first); l.stopped != nil {
		return l.end(l.outcome())
	}
	retrying := retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: l},
		RetryMax:     1 << 30, // it is the strategy that counts
		CheckRetry:   l.check,
		Backoff:      l.backoff,
		PrepareRetry: l.rewind,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	bare := &http.Request{Method: req.Method, URL: req.URL}
	_, err := retrying.Do(&retryablehttp.Request{Request: bare.WithContext(req.Context())})
	if l.between {
		return l.end(nil, l.interrupted(err))
	}
	return l.end(l.outcome())
}

// end passes on what the caller gets.
func (l *loop) end(resp *http.Response, err error) (*http.Response, error) {
	if l.t.observers != nil {
		l.tellGivenUp(err)
	}
	return resp, err
}

// RoundTrip sends an attempt for the loop; the first was sent already. What the loop
// gets is blank, so that there is nothing in it to follow, to refuse or to close.
func (l *loop) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.between {
		l.between = false
		l.again(req.Body)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// again makes another attempt.
func (l *loop) again(body io.ReadCloser) {
	req := l.req.WithContext(l.req.Context())
	req.Body = body
	l.call.sent = l.attempts
	answer := l.t.send(req, l.who, &l.call)
	if !answer.turnedAway {
		l.attempts++
	}
	if answer.resp != nil {
		answer.resp.Request = l.req
	}
	l.judge(answer)
}

// judge decides whether an answer is worth another attempt.
func (l *loop) judge(a answer) {
	judged := false
	defer func() {
		if !judged { // the caller's check or policy panics
			discard(a.resp)
		}
	}()
	l.decide(a)
	judged = true
}

func (l *loop) decide(a answer) {
	l.last = a
	if a.turnedAway {
		l.stopped = notAdmitted(a.err, l.attempts, l.status)
		return
	}
	if a.resp != nil {
		l.status = a.resp.StatusCode
	}
	now := time.Now()
	l.wait, l.stopped = l.t.strategy.Next(now, backoff.Attempt{
		Number: l.attempts, Elapsed: now.Sub(l.began), Previous: l.wait,
		Request: l.req, Response: a.resp, Err: a.err,
		Refused: a.refused, Wait: a.wait, WaitKnown: a.waitKnown,
	}, &a.key.budget)
	if a.refused {
		l.wait = 0 // the line keeps it waiting, with all others of its key
	}
}

// check tells go-retryablehttp whether to go on. An error can only be its own.
func (l *loop) check(_ context.Context, _ *http.Response, err error) (bool, error) {
	return err == nil && l.stopped == nil, err
}

// backoff tells go-retryablehttp how long to wait. Nobody gets the last response.
func (l *loop) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	l.between = true
	discard(l.last.resp)
	if l.t.observers != nil {
		l.tellRetry()
	}
	return l.wait
}

// rewind gives the next attempt a body of its own.
func (l *loop) rewind(req *http.Request) error {
	if l.req.Body == nil || l.req.Body == http.NoBody {
		return nil
	}
	body, err := l.req.GetBody()
	if err != nil {
		return fmt.Errorf("the body cannot be sent again: %w", err)
	}
	req.Body = body
	return nil
}

// outcome returns what the caller gets when there is no other attempt: the last
// answer as it is, or an [Error] when only waiting too long would help.
func (l *loop) outcome() (*http.Response, error) {
	if l.last.turnedAway {
		return nil, l.stopped
	}
	stop, ok := errors.AsType[*backoff.StopError](l.stopped)
	if !ok || !l.last.refused || !tooLong(stop.Reason) {
		return l.last.resp, l.last.err
	}
	discard(l.last.resp)
	reason := ErrMaxWait
	if stop.Reason == backoff.StopDeadline {
		reason = context.DeadlineExceeded
	}
	return nil, &Error{
		Reason: reason, Limit: cmp.Or(l.last.limit, throttle.Refusal), Until: stop.Until,
		Attempts: l.attempts, Status: l.status, Cause: stop,
	}
}

func tooLong(r backoff.Reason) bool {
	return r == backoff.StopExhausted || r == backoff.StopElapsed || r == backoff.StopDeadline
}

// interrupted makes the error of a request that ended between two attempts.
func (l *loop) interrupted(err error) error {
	e := &Error{Reason: err, Attempts: l.attempts, Status: l.status, Cause: l.last.err}
	if ended := l.req.Context().Err(); ended != nil {
		e.Reason, e.Cause = ended, context.Cause(l.req.Context())
	}
	return e
}
