// Package throttle determines, from what servers say about their limits, when the next
// request may be sent.
//
// A [Limiter] follows the limits of one key. The caller reports every request and every
// response to it, and the Limiter admits a request only if the server will accept it,
// whatever algorithm the server uses. If other clients spend the same quota, it estimates
// how much they take and spends its own share. If the server announces nothing, it learns
// from refusals. [Limiter.Status] returns its state; [Limiter.Lesson] and
// [Limiter.Restore] keep what it learned across a restart.
//
// See docs/admission.md and docs/learning.md for the reasons, and for the alternatives that
// were tried.
//
// The package imports its leaves, header, limit and cost, and nothing else of this module.
// Start reading here, at [Limiter.Ask], and go on with admission.go for when a request
// may be sent, response.go and observe.go for what a response changes, refuse.go for
// what a refusal does, and doubt.go for what is done where the server's word is doubtful.
// What has to be estimated is in internal packages, each of which imports no more of this
// module than its comment says:
//
//   - clock: time, round trips, how long a window is
//   - eventlog: what was sent when
//   - kind: how a window counts
//   - phase: when a short window opens
//   - probe: when to try a window of which that is not known
//   - trust: how far the server's word on a window is believed
//   - contention: what other clients spend
//   - edge: limits in front of the API
//   - level: windows of other units than requests
//   - refusals: limits that are not announced
//   - utility: whether it is worth to wait
package throttle

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/edge"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
	"github.com/forbear-go/forbear/throttle/internal/trust"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Limiter tracks the limits of one key, from nothing but the responses to its own
// requests. It admits a request for one of four reasons: credit (what a response said
// remained, less all requests that it may not have counted), history (few enough
// requests of its own within the window's length), refill (if the server was recognised
// as a bucket), or as a single probe once the announced reset has passed.
//
// A Limiter uses only the times passed in, which must not go backwards; it never
// blocks, sleeps or reads a clock. It is not safe for concurrent use: callers must
// hold a lock.
type Limiter struct {
	policy Policy
	clock  clock.Server
	rtt    clock.RTT

	// Requests are numbered as they are sent; a request that costs n takes n
	// numbers. sent and answered count them.
	sent, answered int64
	lastSent       instant
	busy           instant // when the first was sent after a long pause
	flights        flights
	uncertainUntil instant // until then answers may have been lost, or left a window out

	cooldown cooldown
	overload overload
	windows  []window
	edges    edge.Limits // in front of those
	lost     []lost
	refusals refusals.Estimator // that no announced limit explains
	random   rand.PCG
	asked    *limit.Demand // during AskFor and TakeFor

	remembered *remembered // of an earlier run; nil for none
	heard      instant     // when the server answered last

	trust  trust.Key // in the windows of the key
	expect uint8     // see Expect
	adopts bool      // what the first response says is spent, requests of the caller spent
	silent bool      // the last response that was no refusal told of no window
}

// A Reservation is the record of one request. [Limiter.Take] returns it when the request
// is sent; the caller passes it back with the response.
type Reservation struct {
	// Streamed says that the response began before it was complete, and Metered that
	// [Limiter.Settle] is called once its body was read. Both are set before the response is
	// observed.
	Streamed, Metered bool
	// Retry says that the server refused the request before. It is set before the response is
	// observed.
	Retry bool
	// Uneven says that requests cost the server very different amounts, so that how many it
	// serves in a second or two says little. It is set before a refusal is observed.
	Uneven bool
	test   bool // it tests what announced limits say
	early  bool // it tries a wait that the server named

	number, cost int64           // its number is the last of those that it takes
	counted      int64           // how many the server had surely counted when it was sent
	holds        *holds          // of windows that count something else than requests; nil is none
	at           instant         // when it was sent
	burst        *refusals.Burst // that it was sent in; nil if those are not followed
	tests        uint64          // marks of the windows that would have stopped it
}

// The names of what a request may wait for, besides those of the windows.
const (
	// FirstAnswer is the wait for the response to the first request, or to the first
	// request after a refusal.
	FirstAnswer = "first answer"
	// Refusal is the wait that a refusal asked for.
	Refusal = "refusal"
	// Learned is the wait for a limit that the server does not announce, and that was
	// learned from its refusals.
	Learned = "learned"
)

// New returns a Limiter for a key whose limits are not known yet. now is the start of
// its time. New returns an error if the policy is invalid.
func New(policy Policy, now time.Time) (*Limiter, error) {
	if err := policy.Validate(); err != nil {
		return nil, err
	}
	k := &Limiter{policy: policy, clock: clock.Start(now), uncertainUntil: -never / 2}
	k.random.Seed(rand.Uint64(), rand.Uint64())
	k.cooldown.narrowDown(0)
	return k, nil
}

// Expect has the limiter believe that so many clients share the limits in equal parts, until responses tell.
func (k *Limiter) Expect(clients int) { k.expect = uint8(max(min(clients, math.MaxUint8), 0)) }

// Ask returns when a request of the given cost (at least 1) may be sent. It has no
// visible effect. The decision is Unknown if it depends on a response that has not
// arrived: ask again when it has. Its Limit is the window that allows the request last, or
// one of the names above; it is empty if the request may be sent at once.
func (k *Limiter) Ask(now time.Time, cost int) limit.Decision {
	i, n := k.instant(now), units(cost)
	k.expire(i)
	if d, never := k.never(n); never {
		return d
	}
	k.trust.Suspended = false
	at, test, name := k.ready(k.windows, i, n)
	if test > i {
		test = min(test, k.dueTest(i, n))
	}
	if at == never && len(k.lost) > 0 {
		at = k.lost[0].due // whatever depends on its answer is free then
	}
	if at > i && k.remembered.counts() {
		if try := k.remembered.nextTry(k, i); try < at {
			return k.remembered.decide(k, i, try, at, name)
		}
	}
	switch {
	case at <= i:
		return k.pacing(now, i, n)
	case test <= i:
		return limit.Decision{At: now}
	case test < at:
		d := limit.Decision{At: k.time(test), Limit: name}
		d.Try, d.Trial = k.nextTrial(i, n, test)
		if at != never {
			d.Until = k.time(at)
		}
		return d
	case at == never:
		return limit.Decision{Limit: name, Unknown: true}
	}
	d := limit.Decision{At: k.time(at), Limit: name}
	d.Try, d.Trial = k.nextTrial(i, n, at)
	return d
}

// opens returns when the cooldown of the key lets n more go, or what an earlier run knew, and
// the name of what decides.
func (k *Limiter) opens(now instant, n int64) (at instant, name string) {
	switch {
	case k.remembered.valid(now):
		at, name = k.remembered.ready(k, now, n)
	case k.cooldown.halfOpen || k.cooldown.until > now:
		at, name = k.cooldown.ready(k, now), FirstAnswer
		if at == k.cooldown.until {
			name = Refusal
		}
	}
	if at <= now {
		return now, ""
	}
	return at, name
}

// ready returns the latest of what the windows and all the rest answer, the same if tests of
// the windows may go, and the name of what answers so.
func (k *Limiter) ready(windows []window, now instant, n int64) (at, test instant, name string) {
	at, name = k.opens(now, n)
	test = at
	for i := range windows {
		ready := windows[i].belief.Ready(now, windows[i].ready(k, now, n))
		if ready > at {
			at, name = ready, cmp.Or(windows[i].name, unnamed)
		}
		if ready > now {
			windows[i].utility.Hold()
		}
		test = max(test, windows[i].trust.Ready(now, ready, windows[i].length.Value, &k.rtt))
	}
	for _, e := range k.edges {
		ready := e.Ready(now, n, &k.rtt)
		if ready > at {
			at, name = ready, cmp.Or(e.Name, unnamed)
		}
		test = max(test, ready)
	}
	if !k.refusals.Limits() {
		return at, test, name
	}
	v := k.view()
	ready := max(k.refusals.Ready(&v, now, n), k.refusals.InFlightReady(&v, now, n))
	if ready > at {
		at, name = ready, Learned
	}
	return at, max(test, ready), name
}

// unnamed is what a window is called that has no name, so that a decision has one.
const unnamed = "default"

// Take counts a request of the given cost as sent at now. Call it only if Ask allowed the
// request at the same time, or if only pacing delayed it.
func (k *Limiter) Take(now time.Time, cost int) Reservation {
	i, n := k.instant(now), units(cost)
	test := k.startTest(i, n)
	tests, early := k.tests(i, n), k.cooldown.try(k, i)
	if k.sent == 0 || i-k.lastSent > pacingIdle {
		k.begin(i)
	}
	k.sent += n
	k.test(i, n)
	slack := k.rtt.Slack()
	var burst *refusals.Burst
	if k.refusals.Follows() {
		v := k.view()
		burst = k.refusals.StartBurst(&v, i, min(slack, k.rtt.WasShortest/2), k.sent-k.answered)
	}
	t := Reservation{number: k.sent, cost: n, counted: k.counted(), at: i, tests: tests, burst: burst, test: test, early: early}
	k.flights.send(&t)
	for j := range k.windows {
		if w := &k.windows[j]; w.units != nil {
			w.units.take(k, i, &t)
			continue
		}
		k.windows[j].send(i, k.lastSent, slack, k.sent, n, test)
	}
	if len(k.edges) > 0 {
		k.edges.Send(i, n)
	}
	if i < k.cooldown.until {
		k.refusals.SendTest(i, k.sent)
	}
	k.cooldown.send(i, n)
	k.refusals.Send(i, k.sent, n, len(k.windows) == 0)
	k.lastSent = i
	k.doubt(i)
	return t
}

// view returns what has to be known to learn from refusals.
func (k *Limiter) view() refusals.View {
	return refusals.View{
		Sent: k.sent, Answered: k.answered, LastSent: k.lastSent, RTT: &k.rtt, Clock: &k.clock, Amounts: (*amountsOf)(&k.policy),
		Until: k.cooldown.until, Trip: k.cooldown.trip, After: k.cooldown.after,
	}
}

// An amountsOf is a policy that tells the amounts of a limit.
type amountsOf Policy

func (p *amountsOf) ReserveOf(limit int64) int64   { return p.Reserve.of(limit) }
func (p *amountsOf) ThresholdOf(limit int64) int64 { return p.Threshold.of(limit) }

// request returns what has to be known of a request to learn from a refusal.
func (t *Reservation) request() refusals.Request {
	return refusals.Request{Number: t.number, Cost: t.cost, At: t.at, Burst: t.burst, Retry: t.Retry}
}

// units returns a cost within bounds.
func units(cost int) int64 { return min(int64(max(cost, 1)), 1<<40) }
