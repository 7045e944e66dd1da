package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

func allPaths() []path {
	return slices.Concat(answered(), turnedAway(), failed(), odd(), observed(), timedOut(), guarded(), recorded())
}

// unrecorded has a body without GetBody sent as it is.
var unrecorded = []client.Option{client.WithBodyBuffer(0)}

// answered are the paths on which the caller gets a response.
func answered() []path {
	return []path{
		{name: "success", answers: []script{ok}, status: 200, attempts: 1},
		{name: "success with a body", method: "POST", body: replayable, answers: []script{ok}, status: 200, attempts: 1},
		{name: "success with a streamed body", opts: unrecorded, method: "POST", body: streamed, answers: []script{ok}, status: 200, attempts: 1},
		{name: "success with an empty body", method: "POST", body: emptyBody, answers: []script{ok}, status: 200, attempts: 1},
		{name: "body closed late", method: "POST", body: replayable, late: true, answers: []script{refuses("1"), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "not found", answers: []script{answers(404)}, status: 404, attempts: 1},
		{name: "refused once", answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "refused once, POST", method: "POST", body: replayable, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "refused, empty body", method: "POST", body: emptyBody, answers: []script{refuses("1"), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "refused, no words", answers: []script{answers(429), ok}, status: 200, attempts: 2, atLeast: 450 * time.Millisecond, atMost: 750 * time.Millisecond},
		{name: "refused, not replayable", opts: unrecorded, method: "POST", body: streamed, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "refused, no retry wanted", context: client.NoRetry, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "unavailable once", answers: []script{unavailable, ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 1200 * time.Millisecond},
		{name: "unavailable until told, POST", method: "POST", body: replayable, answers: []script{answers(503, "Retry-After", "7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "unavailable, PUT", method: "PUT", body: replayable, answers: []script{unavailable, unavailable, ok}, status: 200, attempts: 3, atLeast: 2850 * time.Millisecond, atMost: 3250 * time.Millisecond},
		{name: "unavailable, POST", method: "POST", body: replayable, answers: []script{unavailable, ok}, status: 503, attempts: 1},
		{name: "unavailable, PUT not replayable", opts: unrecorded, method: "PUT", body: streamed, answers: []script{unavailable, ok}, status: 503, attempts: 1},
		{name: "broken off once", answers: []script{breaksOff, ok}, status: 200, attempts: 2, atLeast: 450 * time.Millisecond, atMost: 750 * time.Millisecond},
		{name: "broken off, PUT", method: "PUT", body: replayable, answers: []script{breaksOff, ok}, status: 200, attempts: 2, atLeast: 450 * time.Millisecond, atMost: 750 * time.Millisecond},
		{name: "retries used up by refusals", answers: []script{refuses("7")}, status: 429, attempts: 5, atLeast: 28 * time.Second, atMost: 33 * time.Second},
		{name: "retries used up by failures", answers: []script{unavailable}, status: 503, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
		{name: "no retries allowed", opts: []client.Option{client.WithRetries(0)}, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "failure with a long wait", answers: []script{answers(500, "Retry-After", "1800"), ok}, status: 200, attempts: 2, atLeast: 450 * time.Millisecond, atMost: 750 * time.Millisecond},
		{name: "redirect", method: "POST", body: replayable, answers: []script{answers(307, "Location", "/other")}, status: 307, attempts: 1},
		{name: "redirect after a refusal", method: "POST", body: replayable, answers: []script{refuses("1"), answers(307, "Location", "/other")}, status: 307, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "broken redirect after a refusal", answers: []script{refuses("1"), answers(302, "Location", "://")}, status: 302, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "refused request of a proxy", change: func(r *http.Request) { r.RequestURI = "/items" }, answers: []script{refuses("1"), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "refusal that stalls", answers: []script{refusesWith(stalled, "Retry-After", "7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 10 * time.Second},
		{name: "refusal that stalls and says nothing", answers: []script{refusesWith(stalled), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 5 * time.Second},
		{name: "refusal that tells in its body", answers: []script{refusesText(`{"retry_after": 7}`), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "refusal that tells in its body, not replayable", opts: unrecorded, method: "POST", body: streamed, answers: []script{refusesText(`{"retry_after": 7}`), ok}, status: 429, attempts: 1},
		{name: "refusal that never ends", answers: []script{refusesWith(func() *watched { return watch(endless()) }, "Retry-After", "7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
	}
}

// turnedAway are the paths on which the queue does not let the request go.
func turnedAway() []path {
	exhausted := func(s *scene) { s.refuse("60") }
	within := func(d time.Duration) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			ctx, cancel := context.WithTimeout(ctx, d)
			context.AfterFunc(ctx, cancel)
			return ctx
		}
	}
	after := func(d time.Duration) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(d, cancel)
			return ctx
		}
	}
	cancelled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	paths := []path{
		{name: "would have to wait", context: client.NoWait, before: exhausted, err: client.ErrNoWait},
		{name: "would have to wait too long", opts: []client.Option{client.WithMaxWait(time.Second)}, before: exhausted, err: client.ErrMaxWait},
		{name: "line full", opts: []client.Option{client.WithMaxWaiting(0, queue.RefuseNewest)}, before: exhausted, err: client.ErrFull},
		{name: "deadline too near", context: within(30 * time.Second), before: exhausted, err: context.DeadlineExceeded},
		{name: "cancelled before", context: cancelled, err: context.Canceled},
		{name: "cancelled in the line", context: after(30 * time.Second), before: exhausted, err: context.Canceled, atLeast: 30 * time.Second, atMost: 30 * time.Second},
		{name: "closed before", before: func(s *scene) { s.rt.Close() }, err: client.ErrClosed, closed: true},
		{name: "closed in the line", before: func(s *scene) { s.refuse("60"); time.AfterFunc(30*time.Second, s.rt.Close) }, err: client.ErrClosed, closed: true, atLeast: 30 * time.Second, atMost: 30 * time.Second},
	}
	for i := range paths {
		paths[i].method, paths[i].body, paths[i].answers = "POST", replayable, []script{ok}
	}
	return append(paths,
		path{name: "cancelled in the line for a retry", method: "POST", body: replayable, context: after(30 * time.Second), answers: []script{refuses("60"), ok}, attempts: 1, err: context.Canceled, atLeast: 30 * time.Second, atMost: 30 * time.Second},
		path{name: "cancelled between two attempts", context: after(100 * time.Millisecond), answers: []script{unavailable, ok}, attempts: 1, err: context.Canceled, atLeast: 100 * time.Millisecond, atMost: 100 * time.Millisecond},
		path{name: "refused for too long", method: "POST", body: replayable, answers: []script{refuses("7200"), ok}, attempts: 1, status: 429},
		path{name: "refused beyond the deadline", method: "POST", body: replayable, context: within(30 * time.Second), answers: []script{refuses("60"), ok}, attempts: 1, status: 429},
		path{name: "refused for too long, and stalls", answers: []script{refusesWith(stalled, "Retry-After", "7200"), ok}, attempts: 1, status: 429, stalls: true, atMost: time.Second},
		path{name: "refused and not to wait", context: client.NoWait, answers: []script{refuses("7"), ok}, attempts: 1, status: 429},
		path{name: "unavailable and not to wait", context: client.NoWait, answers: []script{unavailable, ok}, attempts: 1, status: 503},
		path{name: "refused beyond the time allowed", opts: []client.Option{client.WithMaxElapsed(5 * time.Second)}, answers: []script{refuses("7"), ok}, attempts: 1, status: 429},
		path{name: "refused and then closed", before: func(s *scene) { time.AfterFunc(3*time.Second, s.rt.Close) }, answers: []script{refuses("7"), ok}, attempts: 1, status: 429, kept: true, closed: true, atLeast: 3 * time.Second, atMost: 3 * time.Second},
	)
}

// failed are the paths on which the last attempt brings no response.
func failed() []path {
	return []path{
		{name: "broken off, POST", method: "POST", body: replayable, answers: []script{breaksOff, ok}, err: errUnexpected, attempts: 1},
		{name: "broken off, not replayable", opts: unrecorded, method: "PUT", body: streamed, answers: []script{breaksOff, ok}, err: errUnexpected, attempts: 1},
		{name: "retries used up by errors", answers: []script{breaksOff}, err: errUnexpected, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
		{name: "unavailable, then refused, then broken", answers: []script{unavailable, refuses("7"), breaksOff, fails(errOdd)}, err: errOdd, attempts: 5, atLeast: 19800 * time.Millisecond, atMost: 22 * time.Second},
		{name: "GetBody fails", method: "POST", body: unreplay, answers: []script{refuses("1"), ok}, err: errGetBody, attempts: 1, atMost: 3 * time.Second},
		{name: "GetBody fails the second time", method: "PUT", body: onceReplay, answers: []script{unavailable, unavailable, ok}, err: errGetBody, attempts: 2, atLeast: 2850 * time.Millisecond, atMost: 3250 * time.Millisecond},
		{name: "hangs until cancelled", method: "POST", body: replayable, before: func(s *scene) { time.AfterFunc(time.Second, s.cancel) }, answers: []script{hangs}, err: context.Canceled, attempts: 1, atLeast: time.Second, atMost: time.Second},
		{name: "no retry wanted", context: client.NoRetry, answers: []script{breaksOff, ok}, err: errUnexpected, attempts: 1},
	}
}

// odd are the paths on which somebody misbehaves.
func odd() []path {
	quits := func(backoff.Attempt) backoff.Verdict { panic("check") }
	return []path{
		{name: "no response and no error", method: "POST", body: replayable, answers: []script{answersNothing}, err: errAny, attempts: 1},
		{name: "a response and an error", answers: []script{bothAnswers}, err: errOdd, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
		{name: "nil body", answers: []script{answersNilBody(200)}, status: 200, attempts: 1},
		{name: "nil body, unavailable", answers: []script{answersNilBody(503), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 1200 * time.Millisecond},
		{name: "base panics", method: "POST", body: replayable, answers: []script{panicsWith("base")}, panicked: "base", attempts: 1},
		{name: "base aborts", method: "POST", body: replayable, answers: []script{panicsWith(http.ErrAbortHandler)}, panicked: http.ErrAbortHandler, attempts: 1},
		{name: "base panics at the retry", method: "POST", body: replayable, answers: []script{refuses("1"), panicsWith("base")}, panicked: "base", attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "check panics", opts: []client.Option{client.WithCheck(quits)}, method: "POST", body: replayable, answers: []script{ok}, panicked: "check", attempts: 1},
		{name: "key function panics", opts: []client.Option{client.WithKeyFunc(func(*http.Request) string { panic("key") })}, method: "POST", body: replayable, answers: []script{ok}, panicked: "key"},
		{name: "policy panics", opts: []client.Option{client.WithBackoff(panickyPolicy{})}, method: "POST", body: replayable, answers: []script{answers(429)}, panicked: "policy", attempts: 1},
		{name: "policy panics at a failure", opts: []client.Option{client.WithBackoff(panickyPolicy{})}, answers: []script{unavailable}, panicked: "policy", attempts: 1},
		{name: "no URL", method: "POST", body: replayable, change: func(r *http.Request) { r.URL = nil }, answers: []script{ok}, err: errAny},
		{name: "no header", change: func(r *http.Request) { r.Header = nil }, answers: []script{refuses("1"), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "no method", change: func(r *http.Request) { r.Method = "" }, answers: []script{unavailable, ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 1200 * time.Millisecond},
	}
}

// observed are the paths on which an observer panics.
func observed() []path {
	at := func(kind client.EventKind) []client.Option {
		return []client.Option{client.WithObserver(func(e client.Event) {
			if e.Kind == kind {
				panic("observer")
			}
		})}
	}
	exhausted := func(s *scene) { s.refuse("60") }
	paths := []path{
		{name: "observer panics at a wait", opts: at(client.EventWait), before: exhausted, answers: []script{ok}},
		{name: "observer panics before a request", opts: at(client.EventAdmit), answers: []script{ok}},
		{name: "observer panics at an answer", opts: at(client.EventAnswer), answers: []script{ok}, attempts: 1},
		{name: "observer panics at an error", opts: at(client.EventAnswer), answers: []script{breaksOff, ok}, attempts: 1},
		{name: "observer panics at a refusal", opts: at(client.EventRefuse), answers: []script{refuses("1"), ok}, attempts: 1},
		{name: "observer panics at news", opts: at(client.EventLearn), answers: []script{announces, ok}, attempts: 1},
		{name: "observer panics before a retry", opts: at(client.EventRetry), answers: []script{refuses("1"), ok}, attempts: 1},
		{name: "observer panics at the end", opts: at(client.EventGiveUp), answers: []script{refuses("7200")}, attempts: 1},
		{name: "observer panics at the last answer", opts: append(at(client.EventGiveUp), client.WithRetries(0)), answers: []script{refuses("1"), ok}, attempts: 1},
		{name: "observer panics at one turned away", opts: append(at(client.EventGiveUp), client.WithMaxWait(time.Second)), before: exhausted, answers: []script{ok}},
	}
	for i := range paths {
		paths[i].method, paths[i].body, paths[i].panicked = "POST", replayable, "observer"
	}
	return paths
}

// announces answers 200 and tells a limit.
var announces = answers(http.StatusOK, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "99", "X-RateLimit-Reset", "60")

type panickyPolicy struct{}

func (panickyPolicy) Delay(int, time.Duration) time.Duration { panic("policy") }

// errAny matches every error.
var errAny = errors.New("any error")
