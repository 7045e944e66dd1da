package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/backoff"
)

// A loop sends one request until no further attempt is needed. go-retryablehttp runs it,
// but sees only a bare request, blank responses, no connections to close and no body,
// because it does things that a RoundTripper must not do. A loop is needed only for a
// request whose first attempt may be worth a retry.
type loop struct {
	task

	runs   retryablehttp.Client
	client http.Client   // that of runs, which sends over the loop
	blank  http.Response // what they get
}

// A task is the request of a loop, and its state.
type task struct {
	t    *Transport
	req  *http.Request // the caller's
	who  *principal
	call call

	began    time.Time
	queued   time.Duration // before that
	waited   time.Duration // in the queue and between attempts, in all
	elapsed  time.Duration // from then until the last answer
	attempts int
	last     answer         // of the last attempt
	status   int            // of the last response
	key      *keyState      // of the first attempt
	kept     *http.Response // the last response, while the next attempt waits; nil if it had to be discarded
	said     *refusal       // what it said, if it was one
	failed   error          // of the last attempt that was made
	done     bool           // it needs no other
	held     bool           // it needs no other, but the caller gets its outcome after the wait
	stopped  error          // why there is none
	wait     time.Duration  // before it
	between  bool           // two attempts: the last response is gone
	broken   error          // why the body could not be made again
	charged  time.Time      // when the budget was, for the next attempt; zero if it was not
}

// loops are reused: creating one takes longer than running it.
var loops = sync.Pool{New: func() any { return newLoop() }}

func newLoop() *loop {
	l := &loop{blank: http.Response{StatusCode: http.StatusOK, Body: http.NoBody}}
	l.client.Transport = l
	l.runs.HTTPClient = &l.client
	l.runs.RetryMax = 1 << 30 // it is the strategy that counts
	l.runs.CheckRetry, l.runs.Backoff = l.check, l.backoff
	l.runs.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return l
}

// nowhere is the URL that go-retryablehttp sees.
var nowhere = &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: "forbear"}, Header: http.Header{}}

// retry continues with a request after its first attempt.
func (t *Transport) retry(who *principal, c *call, first answer) (*http.Response, error) {
	defer first.letGo()
	l := loops.Get().(*loop)
	l.task = task{t: t, req: c.req, who: who, call: *c, began: first.taken, queued: first.delay, waited: first.delay, attempts: 1, key: first.key}
	resp, err := l.run(first)
	if l.key != nil && l.gaveUp(err) {
		l.key.usage.givenUp.Add(1)
	}
	if t.observers != nil {
		l.tellGivenUp(err)
	}
	l.task = task{}
	loops.Put(l) // not after a panic
	return resp, err
}

// run does what is to be done after the first attempt.
func (l *loop) run(first answer) (*http.Response, error) {
	if l.judge(first); l.done {
		return l.outcome()
	}
	if l.wait == 0 {
		l.leave() // and begin with the retry, as there is nothing to wait for
	}
	ctx, stop := l.t.untilClosed(l.call.ctx)
	defer stop()
	_, err := l.runs.Do(&retryablehttp.Request{Request: nowhere.WithContext(ctx)})
	if l.between {
		l.refund()
		if l.broken == nil && l.t.closed.Err() != nil && l.answered() {
			return l.kept, nil
		}
		return nil, l.interrupted(cmp.Or(l.broken, err))
	}
	return l.outcome()
}

// RoundTrip sends a retry for the loop, after its wait; the first attempt was sent before.
// It returns a blank response, in which the loop finds nothing to follow, reject or close.
func (l *loop) RoundTrip(*http.Request) (*http.Response, error) {
	if l.between {
		if l.again(); l.broken != nil {
			return nil, l.broken
		}
	}
	return &l.blank, nil
}

// again makes another attempt.
func (l *loop) again() {
	if l.held {
		l.endHold()
		return
	}
	req, err := l.copy()
	if err != nil {
		l.broken = fmt.Errorf("%w: %w", errBody, err)
		return
	}
	l.between = false
	l.waited += l.wait
	l.call.sent, l.call.maxWait = l.attempts, l.left()
	if l.last.refused {
		l.call.refusals++
	}
	var ans answer
	l.t.send(req, l.who, &l.call, &ans)
	l.waited += ans.delay
	if ans.turnedAway {
		l.refund()
	} else {
		l.attempts++
	}
	if ans.resp != nil {
		ans.resp.Request = l.req
	}
	ans.release = l.last.release
	l.judge(ans)
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
	l.last, l.done = a, true
	if a.turnedAway {
		stopped := notAdmitted(a.err, l.attempts, l.status)
		stopped.tell(l.said)
		stopped.Cause = cmp.Or(stopped.Cause, l.failed)
		l.stopped = stopped
		return
	}
	if !a.questionable() && !l.t.checks || a.final != nil {
		return
	}
	l.said, l.failed = a.said, a.err
	if a.resp != nil {
		l.status = a.resp.StatusCode
	}
	now := time.Now()
	l.elapsed = now.Sub(l.began)
	attempt := backoff.Attempt{
		Number: l.attempts, Elapsed: l.elapsed, Previous: l.wait,
		Request: l.req, Response: a.resp, Err: a.err,
		Refused: a.refused, Wait: a.wait, WaitKnown: a.waitKnown,
	}
	if a.uneven {
		attempt.Wait = unevenWait(a.wait, l.attempts)
	}
	if a.lasting {
		attempt.Lasting, attempt.Elapsed = true, l.queued+l.elapsed
	}
	attempt.Recorded = l.call.recording != nil && l.call.recording.Pause()
	l.wait, l.stopped = l.t.strategy.Next(now, attempt, a.key.budget)
	if l.stopped == nil && a.refused && a.waitKnown && l.t.ownWait && l.leftToWait(l.wait) == 1 {
		l.stopped = &backoff.StopError{Reason: backoff.StopExhausted, Attempts: l.attempts, Status: l.status, Wait: a.wait, Until: now.Add(a.wait)}
	}
	l.done, l.charged = l.stopped != nil, time.Time{}
	if l.done && attempt.Recorded {
		l.call.recording.Resume()
	}
	switch {
	case l.done:
		l.hold(now)
	case !a.refused:
		l.charged = now
	}
}

// hold keeps an answer from the caller until the caller's patience is over, if another attempt would not be made
// in time, unless it may fail early; see [queue.Queue.MayFailEarly].
func (l *loop) hold(now time.Time) {
	stop, _ := errors.AsType[*backoff.StopError](l.stopped)
	if stop.Reason != backoff.StopDeadline && (stop.Reason != backoff.StopExhausted || l.t.ownWait) {
		return
	}
	left := l.t.maxWait - l.last.delay
	if deadline, ok := l.call.ctx.Deadline(); ok {
		left = deadline.Sub(now)
		left -= min(notice, left/10)
		if stop.Reason == backoff.StopExhausted {
			left = min(left, l.t.maxWait)
		}
	}
	if left <= 0 || l.t.queue.MayFailEarly(l.who.key) {
		return
	}
	l.last.letGo() // it is not sent again
	l.done, l.held, l.wait = false, true, left
}

// notice is how long before the caller's deadline a held response is returned.
const notice = 10 * time.Millisecond

// endHold lets the caller have the answer that was held.
func (l *loop) endHold() {
	switch {
	case l.kept != nil || l.last.resp == nil:
		l.between, l.done = false, true
	case errors.Is(l.stopped, context.DeadlineExceeded):
		l.broken = context.DeadlineExceeded
	default:
		l.broken = ErrMaxWait
	}
}

// refund returns to the budget what the next attempt took, because it is not made.
func (l *loop) refund() {
	if !l.charged.IsZero() {
		l.last.key.budget.Refund(l.charged, time.Now())
	}
}

// check tells go-retryablehttp whether to continue. An error can only be its own.
func (l *loop) check(_ context.Context, _ *http.Response, err error) (bool, error) {
	return err == nil && !l.done, err
}

// backoff tells go-retryablehttp how long to wait. It runs only if the last response is not
// returned to the caller.
func (l *loop) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	l.leave()
	return l.wait
}

// leave goes from the last response to another attempt.
func (l *loop) leave() {
	l.between = true
	l.kept = keep(l.last.resp) //nolint:bodyclose // it is in memory
	if l.t.observers != nil && !l.held {
		l.tellRetry()
	}
}

// outcome returns the result for the caller if there is no further attempt: the last
// response or error. If the last attempt was not sent, it is the result of the one before,
// unless that could not be kept, or the caller's context has ended.
func (l *loop) outcome() (*http.Response, error) {
	switch {
	case !l.last.turnedAway:
		return l.last.resp, l.last.err
	case l.answered():
		return l.kept, nil
	}
	return nil, l.stopped
}

// answered reports whether the last response was kept, for a caller who still waits for one.
func (l *loop) answered() bool {
	if l.kept == nil || l.call.ctx.Err() != nil {
		return false
	}
	l.kept.Request = l.req
	return true
}
