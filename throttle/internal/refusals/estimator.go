// Package refusals learns from refusals that no announced limit explains: a limit on a period
// or a rate, one on the requests in flight, or that the server sheds load.
//
// It reads no clock and imports nothing of this module but packages header, clock, eventlog and kind.
// Start reading here. limits.go has the limits on a period (window.go, weighed.go) and a rate (rate.go),
// measure.go how they are measured, proof.go which windows are more than a guess, pass.go
// which refusals a known rate allows for; doubt.go, evidence.go and verdict.go give them up
// again. shedding.go and trial.go are about servers that shed load, concurrency.go about
// requests in flight; alone.go about refusals that concern one request.
package refusals

import (
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// An Estimator learns from refusals that no announced limit explains. They may come from a
// limit on a period, or a rate, from one on the requests in flight, or from a server that
// sheds load. The zero value knows nothing.
type Estimator struct {
	limits   *limits      // nil where the server announces its limits
	inFlight *concurrency // nil until a refusal came that no announced limit explains
	sheds    shedding
	lonely   *loneliness // nil until a refusal came that no announced limit explains
}

// An Amounts returns how much of a limit is never spent, and how much is left when requests
// are paced.
type Amounts interface {
	ReserveOf(limit int64) int64
	ThresholdOf(limit int64) int64
}

// A View is what has to be known of a key.
type View struct {
	Sent, Answered int64 // how many requests were
	LastSent       clock.Instant
	RTT            *clock.RTT
	Clock          *clock.Server
	Amounts        Amounts
	Until          clock.Instant // when the cooldown of the last refusal ends
	Trip           clock.Instant // how long that took to come
	After          int64         // the last request sent before it

	// Released is set if the cooldown turns out to be unfounded: then the key was, or is,
	// closed until ReleasedAt only.
	Released   bool
	ReleasedAt clock.Instant

	all *Estimator // to which a response is reported
}

// reopen ends the cooldown at the given instant.
func (v *View) reopen(at clock.Instant) { v.Released, v.ReleasedAt = true, at }

// A Request is one that was sent.
type Request struct {
	Number, Cost int64 // its number is the last of those that it takes
	At           clock.Instant
	Burst        *Burst // that it was sent in; nil if those are not followed
	Retry        bool   // it was refused before
}

// learned returns the limits, to be added to.
func (e *Estimator) learned() *limits {
	if e.limits == nil {
		e.limits = &limits{opened: -clock.Never / 2, empty: -clock.Never / 2}
	}
	return e.limits
}

// Limits reports whether what was learned may hold a request back.
func (e *Estimator) Limits() bool {
	return e.limits != nil || e.sheds.trial.on || e.inFlight.known()
}

// Ready returns when n more may go.
func (e *Estimator) Ready(v *View, now clock.Instant, n int64) clock.Instant {
	return max(e.LimitsReady(v, now, n), e.sheds.trial.ready(now))
}

// LimitsReady returns when the limits of a period or a rate let n more go.
func (e *Estimator) LimitsReady(v *View, now clock.Instant, n int64) clock.Instant {
	if e.limits == nil {
		return now
	}
	return e.limits.ready(v, now, n)
}

// InFlightReady returns when the limit on the requests in flight lets n more go, clock.Never if that depends
// on a response.
func (e *Estimator) InFlightReady(v *View, now clock.Instant, n int64) clock.Instant {
	return e.inFlight.ready(v, now, n)
}

// StartBurst takes in that a request is sent, with which so many are in flight, and returns
// the burst that it is part of: requests sent within the slack may arrive in any order.
func (e *Estimator) StartBurst(v *View, now, slack clock.Instant, inFlight int64) *Burst {
	return e.inFlight.send(v, now, slack, inFlight)
}

// Send counts n more as sent, up to the given number. silent says that the server announces
// no limits.
func (e *Estimator) Send(now clock.Instant, number, n int64, silent bool) {
	e.sheds.trial.send(now, n)
	if e.limits != nil || silent {
		e.learned().send(now, number, n)
	}
}

// Cancel takes back a request that was counted as sent but never was.
func (e *Estimator) Cancel(t *Request) {
	if e.limits != nil {
		e.limits.log.Remove(t.At, t.Cost)
	}
}

// Conclude notes that a request is no longer under way.
func (e *Estimator) Conclude(t *Request) {
	if e.limits != nil {
		e.limits.conclude(t)
	}
}

// Serve takes in a response that is no refusal.
func (e *Estimator) Serve(v *View, now clock.Instant, t *Request) {
	v.all = e
	if e.lonely != nil {
		e.lonely.observe(t, false, v.Sent)
	}
	e.sheds.observe(false)
	e.inFlight.served(v, now, t)
	proof := e.sheds.served(t)
	if e.limits.judge(t, false) == noLimit {
		e.sheds.prove()
		proof = true
	}
	if proof {
		v.reopen(e.sheds.before)
		e.limits.excuse()
		if e.limits.dismiss() {
			e.sheds.vain++
		}
	}
	e.try(v, now, t, false)
	if e.limits != nil {
		e.limits.admitted(v, t, v.After)
	}
}

// Alone takes in a refusal that no announced limit explains. It reports whether it concerns the
// refused request alone.
func (e *Estimator) Alone(v *View, now clock.Instant, t *Request) bool {
	if e.lonely == nil {
		e.lonely = new(loneliness)
	}
	begins := e.lonely.observe(t, true, v.Sent)
	if begins {
		e.limits, e.inFlight = nil, nil
		v.reopen(now)
	}
	return e.lonely.on
}

// TooMany takes in a refusal that no announced limit explains. It reports whether a limit on
// the requests in flight does, so that it teaches nothing else.
func (e *Estimator) TooMany(v *View, now clock.Instant, t *Request) bool {
	if e.inFlight == nil {
		e.inFlight = new(concurrency)
	}
	v.all = e
	return e.inFlight.refused(v, now, t)
}

// A Refusal is what has to be known of a refusal to tell shedding from a limit.
type Refusal struct {
	Wait      clock.Instant // that it names; 0 is none
	Again     bool          // it reports the same congestion as one before
	Explained bool          // an announced limit explains it
	Covered   bool          // the server announces limits, and of all of them enough was left
}

// Shed takes in a refusal. It reports whether only the refused request waits: the server sheds load, or
// it refuses seldom, and this may be chance.
func (e *Estimator) Shed(v *View, now clock.Instant, t *Request, r Refusal) bool {
	v.all = e
	e.sheds.observe(true)
	if r.Explained || e.limits.explains(v, t) {
		return false
	}
	limited := e.sheds.turnedAway(v, now, t)
	if e.limits.judge(t, true) == aLimit {
		e.sheds.limited()
		e.sheds.vain /= 2
		limited = true
	}
	if !limited && !r.Again && !(e.sheds.open && e.sheds.presumed()) {
		e.sheds.presume(now, &r)
		e.sheds.begin(v, now, t, r.Wait)
	}
	if limited {
		e.sheds.waits.hold(now, r.Wait)
		e.limits.confirm(now)
	}
	if !limited && !r.Again && !e.sheds.presumed() && e.learned().spare(t, r.Wait) {
		e.sheds.latest = 0
		return true
	}
	if limited || !e.sheds.presumed() {
		return false
	}
	if e.limits != nil {
		e.limits.shed(t)
	}
	e.try(v, now, t, true)
	return true
}

// Doubt takes in that the server sheds load elsewhere, as refusals show of which nothing is known here: so what
// was learned here may be no limit either.
func (e *Estimator) Doubt() {
	if e.limits.hint() {
		e.sheds.prove()
		e.limits.suspend(float64(e.sheds.share))
	}
}

// try passes a response on to the trial whether sending less helps.
func (e *Estimator) try(v *View, now clock.Instant, t *Request, refused bool) {
	u := &e.sheds.trial
	switch {
	case !e.sheds.presumed():
		u.stop()
	case u.observe(v, now, t, refused):
		e.sheds.credence, e.sheds.vain, e.sheds.open = 0, 0, false
		e.learned().pace.believe(u.rate, now)
		e.limits.against.believe(int64(u.need))
	}
}

// Pass takes in a refusal of a limit, and the wait that it names, if any. It reports whether
// the limit is known, and only the refused request waits.
func (e *Estimator) Pass(t *Request, wait clock.Instant) bool {
	return e.limits.pass(t, wait, float64(e.sheds.share))
}

// Refuse takes in a refusal of a limit.
func (e *Estimator) Refuse(now clock.Instant, t *Request, r *header.Reading, again bool) {
	e.learned().refused(now, t, r, again)
}

// Sheds reports whether a refusal is taken to be one of a server that sheds load.
func (e *Estimator) Sheds() bool { return e.sheds.presumed() }

// Empty reports whether no request is remembered.
func (e *Estimator) Empty() bool { return e.limits == nil || e.limits.log.Empty() }

// Known reports whether a limit on a period or a rate is.
func (e *Estimator) Known() bool { return e.limits != nil && e.limits.known() }

// Announced forgets the requests to a server that announces its limits, and refused none.
func (e *Estimator) Announced() {
	if l := e.limits; l != nil && !l.known() && !l.event.under && !l.shut {
		e.limits = nil
	}
}

// ForgetLimits forgets the limits on a period and a rate.
func (e *Estimator) ForgetLimits() { e.limits = nil }

// Rest gives back memory that is not needed while nothing is sent. It returns how long ago
// the last request has to be for what was learned to be forgotten, given how long at least.
func (e *Estimator) Rest(v *View, now, keep clock.Instant) clock.Instant {
	l := e.limits
	if l == nil {
		return 0
	}
	l.log.Forget(now - 3*l.span.reach(v))
	l.log.Fit()
	if !l.known() {
		return 0
	}
	return max(keep, 2*l.span.length)
}
