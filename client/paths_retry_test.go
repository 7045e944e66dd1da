package client_test

import (
	"context"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
	"github.com/forbear-go/forbear/client"
)

// timedOut are the paths with an attempt timeout, for which the base transport gets a
// context that ends with the attempt.
func timedOut() []path {
	paths := []path{
		{name: "attempt in time", method: "POST", body: replayable, answers: []script{ok}, status: 200, attempts: 1},
		{name: "attempt in time, nil body", answers: []script{answersNilBody(200)}, status: 200, attempts: 1},
		{name: "attempt in time, body later", answers: []script{answersSlowly(time.Minute)}, status: 200, attempts: 1, atLeast: time.Minute, atMost: time.Minute},
		{name: "attempt late once", answers: []script{hangs, ok}, status: 200, attempts: 2, atLeast: 1450 * time.Millisecond, atMost: 1750 * time.Millisecond},
		{name: "attempt late once, PUT", method: "PUT", body: replayable, answers: []script{hangs, ok}, status: 200, attempts: 2, atLeast: 1450 * time.Millisecond, atMost: 1750 * time.Millisecond},
		{name: "attempt late, POST", method: "POST", body: replayable, answers: []script{hangs, ok}, err: client.ErrAttemptTimeout, attempts: 1, atLeast: time.Second, atMost: time.Second},
		{name: "attempts always late", answers: []script{hangs}, err: client.ErrAttemptTimeout, attempts: 5, atLeast: 20 * time.Second, atMost: 21200 * time.Millisecond},
		{name: "attempt in time, refused", method: "POST", body: replayable, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "attempt answered as it ends", answers: []script{answersLate, ok}, status: 200, attempts: 2, atLeast: 1450 * time.Millisecond, atMost: 1950 * time.Millisecond},
		{name: "attempt fails in time", answers: []script{fails(errOdd)}, err: errOdd, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
		{name: "cancelled before the attempt is late", before: func(s *scene) { time.AfterFunc(500*time.Millisecond, s.cancel) }, answers: []script{hangs}, err: context.Canceled, attempts: 1, atLeast: 500 * time.Millisecond, atMost: 500 * time.Millisecond},
		{name: "base panics in an attempt with a timeout", method: "POST", body: replayable, answers: []script{panicsWith("base")}, panicked: "base", attempts: 1},
		{name: "a response and an error in time", answers: []script{bothAnswers}, err: errOdd, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
		{name: "nothing in time", answers: []script{answersNothing}, err: errAny, attempts: 5, atLeast: 15 * time.Second, atMost: 16200 * time.Millisecond},
	}
	for i := range paths {
		paths[i].opts = []client.Option{client.WithAttemptTimeout(time.Second)}
		paths[i].altered = []string{"the context"}
	}
	return paths
}

// touchy makes breakers that open at the first failure, for an hour.
func touchy() client.Option {
	c := breaker.Defaults()
	c.MinRequests, c.Cooldown = 1, time.Hour
	perKey, err := breaker.PerKey(c)
	if err != nil {
		panic(err)
	}
	return client.WithBreaker(perKey)
}

// A panickyBreaker panics when it is asked, or told.
type panickyBreaker struct{ told bool }

func (b panickyBreaker) Allow() (func(backoff.Attempt), error) {
	if !b.told {
		panic("allow")
	}
	return func(backoff.Attempt) { panic("done") }, nil
}

// broken has a request fail, which opens the circuit.
func broken(s *scene) {
	p := &probe{answers: []script{unavailable}}
	p.call(s.rt, p.request(client.NoRetry(s.t.Context()), "GET", noBody), false)
}

// guarded are the paths with a breaker.
func guarded() []path {
	always := func(b backoff.Breaker) []client.Option {
		return []client.Option{client.WithBreaker(func(string) backoff.Breaker { return b })}
	}
	return []path{
		{name: "circuit closed", opts: []client.Option{touchy()}, method: "POST", body: replayable, answers: []script{ok}, status: 200, attempts: 1},
		{name: "circuit closed by refusals", opts: []client.Option{touchy()}, answers: []script{refuses("1"), refuses("1"), ok}, status: 200, attempts: 3, atLeast: 2 * time.Second, atMost: 6 * time.Second},
		{name: "circuit open", opts: []client.Option{touchy()}, before: broken, method: "POST", body: replayable, answers: []script{ok}, err: client.ErrCircuitOpen},
		{name: "circuit opens before the retry", opts: []client.Option{touchy()}, method: "PUT", body: replayable, answers: []script{unavailable, ok}, status: 503, kept: true, attempts: 1, atLeast: time.Second, atMost: 1200 * time.Millisecond},
		{name: "no circuit", opts: always(nil), answers: []script{ok}, status: 200, attempts: 1},
		{name: "base panics in a circuit", opts: []client.Option{touchy()}, method: "POST", body: replayable, answers: []script{panicsWith("base")}, panicked: "base", attempts: 1},
		{name: "breaker panics when asked", opts: always(panickyBreaker{}), method: "POST", body: replayable, answers: []script{ok}, panicked: "allow"},
		{name: "breaker panics when told", opts: always(panickyBreaker{told: true}), method: "POST", body: replayable, answers: []script{ok}, panicked: "done", attempts: 1},
		{name: "breaker function panics", opts: []client.Option{client.WithBreaker(func(string) backoff.Breaker { panic("new") })}, method: "POST", body: replayable, answers: []script{ok}, panicked: "new"},
	}
}

// recorded are the paths on which bodies are recorded. The base transport gets a body of ours.
func recorded() []path {
	limited := []client.Option{client.WithBodyBuffer(19_999)}
	quits := func(backoff.Attempt) backoff.Verdict { panic("check") }
	paths := []path{
		{name: "recorded, success", body: streamed, answers: []script{ok}, status: 200, attempts: 1},
		{name: "recorded by default", opts: []client.Option{}, body: streamed, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "recorded, refused", body: streamed, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "recorded, refused and late", body: streamed, late: true, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "recorded, refused early", body: streamed, answers: []script{refusesEarly(0), refusesEarly(7000), refusesEarly(3000), ok}, status: 200, attempts: 4, atLeast: 3 * time.Second, atMost: 6 * time.Second},
		{name: "recorded, refused early, and then unavailable", body: streamed, answers: []script{refusesEarly(7000), unavailable}, status: 503, attempts: 2, atLeast: time.Second, atMost: 2 * time.Second},
		{name: "recorded, refused early, and closed late", body: streamed, late: true, answers: []script{refusesEarly(7000), ok}, status: 200, attempts: 2, atLeast: time.Second, atMost: 2 * time.Second},
		{name: "recorded, cancelled between attempts", body: streamed, before: func(s *scene) { time.AfterFunc(time.Second, s.cancel) }, answers: []script{refuses("7"), ok}, err: context.Canceled, attempts: 1, atLeast: time.Second, atMost: time.Second},
		{name: "recorded, cancelled after an early refusal", body: streamed, late: true, before: func(s *scene) { time.AfterFunc(500*time.Millisecond, s.cancel) }, answers: []script{refusesEarly(7000), ok}, err: context.Canceled, attempts: 1, atLeast: 500 * time.Millisecond, atMost: 500 * time.Millisecond},
		{name: "recorded, unavailable", method: "PUT", body: streamed, answers: []script{unavailable, unavailable, ok}, status: 200, attempts: 3, atLeast: 2850 * time.Millisecond, atMost: 3250 * time.Millisecond},
		{name: "recorded, broken off, PUT", method: "PUT", body: streamed, answers: []script{breaksOff, ok}, status: 200, attempts: 2, atLeast: 450 * time.Millisecond, atMost: 750 * time.Millisecond},
		{name: "recorded, broken off, POST", body: streamed, answers: []script{breaksOff, ok}, err: errUnexpected, attempts: 1},
		{name: "recorded, circuit open", opts: []client.Option{touchy()}, before: broken, body: streamed, answers: []script{ok}, err: client.ErrCircuitOpen},
		{name: "recorded, base panics", body: streamed, answers: []script{panicsWith("base")}, panicked: "base", attempts: 1},
		{name: "recorded, base panics at the retry", body: streamed, answers: []script{refusesEarly(7000), panicsWith("base")}, panicked: "base", attempts: 2, atLeast: time.Second, atMost: 2 * time.Second},
		{name: "recorded, check panics", opts: []client.Option{client.WithCheck(quits)}, body: streamed, answers: []script{ok}, panicked: "check", attempts: 1},
		{name: "recorded, key function panics", opts: []client.Option{client.WithKeyFunc(func(*http.Request) string { panic("key") })}, body: streamed, answers: []script{ok}, panicked: "key"},
		{name: "recorded, would have to wait too long", opts: []client.Option{client.WithMaxWait(time.Second)}, before: func(s *scene) { s.refuse("60") }, body: streamed, answers: []script{ok}, err: client.ErrMaxWait},
		{name: "recorded, in time", opts: []client.Option{client.WithAttemptTimeout(time.Second)}, altered: []string{"the context"}, method: "PUT", body: streamed, answers: []script{hangs, ok}, status: 200, attempts: 2, atLeast: 1450 * time.Millisecond, atMost: 1750 * time.Millisecond},
		{name: "not recorded, would have to wait", context: client.NoWait, before: func(s *scene) { s.refuse("60") }, body: streamed, answers: []script{ok}, err: client.ErrNoWait},
		{name: "not recorded, no retries", opts: []client.Option{client.WithRetries(0)}, body: streamed, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "too long to record", opts: limited, body: streamed, answers: []script{ok}, status: 200, attempts: 1},
		{name: "too long to record, refused", opts: limited, body: streamed, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "too long to record, refused early", opts: limited, body: streamed, answers: []script{refusesEarly(7000), refuses("7"), ok}, status: 429, attempts: 2, atLeast: time.Second, atMost: 2 * time.Second},
		{name: "known to be too long, refused", opts: limited, body: streamed, change: setLength, answers: []script{refuses("7"), ok}, status: 429, attempts: 1},
		{name: "of known length, refused", body: streamed, change: setLength, answers: []script{refuses("7"), ok}, status: 200, attempts: 2, atLeast: 7 * time.Second, atMost: 9 * time.Second},
		{name: "body that cannot be read", method: "PUT", body: unreadable, answers: []script{readsBroken}, err: errRead, attempts: 1},
		{name: "body that hangs until cancelled", body: hanging, before: func(s *scene) { time.AfterFunc(time.Second, s.cancel) }, answers: []script{readsHanging}, err: context.Canceled, attempts: 1, atLeast: time.Second, atMost: time.Second},
		{name: "body that panics", body: panicking, answers: []script{ok}, panicked: "body", attempts: 1},
	}
	for i := range paths {
		p := &paths[i]
		p.altered = append(p.altered, "Body")
		if p.method == "" {
			p.method = "POST"
		}
		if p.opts == nil {
			p.opts = []client.Option{client.WithBodyBuffer(20_000)}
		}
	}
	return paths
}
