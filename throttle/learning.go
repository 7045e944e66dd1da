package throttle

import (
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A refusals learns from refusals that no announced limit explains. They may come from a
// limit on a period, or a rate, from one on the requests in flight, or from a server that
// sheds load. The zero value knows nothing.
type refusals struct {
	limits   *limits      // nil where the server announces its limits
	inFlight *concurrency // nil until a refusal came that no announced limit explains
	sheds    shedding
}

// An amounts returns how much of a limit is never spent, and how much is left when requests
// are paced.
type amounts interface {
	ReserveOf(limit int64) int64
	ThresholdOf(limit int64) int64
}

// A view is what has to be known of a key.
type view struct {
	sent, answered int64 // how many requests were
	lastSent       instant
	rtt            *clock.RTT
	amounts        amounts
	until          instant // when the cooldown of the last refusal ends
	trip           instant // how long that took to come
	after          int64   // the last request sent before it

	// released is set if the cooldown turns out to be unfounded: then the key was, or is,
	// closed until releasedAt only.
	released   bool
	releasedAt instant

	all *refusals
}

func (v *view) reopen(at instant) { v.released, v.releasedAt = true, at }

// A request is one that was sent.
type request struct {
	number, cost int64 // its number is the last of those that it takes
	at           instant
	burst        *burst // that it was sent in; nil if those are not followed
}

// learned returns the limits, to be added to.
func (e *refusals) learned() *limits {
	if e.limits == nil {
		e.limits = &limits{opened: -never / 2, empty: -never / 2}
	}
	return e.limits
}

// ready returns when n more may go.
func (e *refusals) ready(v *view, now instant, n int64) instant {
	return max(e.limitsReady(v, now, n), e.sheds.trial.ready(now))
}

// limitsReady returns when the limits of a period or a rate let n more go.
func (e *refusals) limitsReady(v *view, now instant, n int64) instant {
	if e.limits == nil {
		return now
	}
	return e.limits.ready(v, now, n)
}

// holds reports whether n more have to wait for a response to those in flight.
func (e *refusals) holds(v *view, n int64) bool { return e.inFlight.holds(v.sent-v.answered, n) }

// startBurst counts a request as sent, beside its number, and returns the burst that it is
// part of.
func (e *refusals) startBurst(v *view, now instant) *burst {
	return e.inFlight.send(now, min(v.rtt.Slack(), v.rtt.WasShortest/2), v.sent-v.answered)
}

// send counts n more as sent. silent says that the server announces no limits.
func (e *refusals) send(v *view, now instant, n int64, silent bool) {
	e.sheds.trial.send(now, n)
	if e.limits != nil || silent {
		e.learned().send(v, now, n)
	}
}

// cancel takes back a request that was counted as sent but never was.
func (e *refusals) cancel(t *request) {
	if e.limits != nil {
		e.limits.log.Remove(t.at, t.cost)
	}
}

// conclude notes that a request is no longer under way.
func (e *refusals) conclude(t *request) {
	if e.limits != nil {
		e.limits.conclude(t)
	}
}

// serve takes in a response that is no refusal.
func (e *refusals) serve(v *view, now instant, t *request) {
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
		e.limits.admitted(v, t, v.after)
	}
}

// tooMany takes in a refusal that no announced limit explains. It reports whether a limit on
// the requests in flight does, so that it teaches nothing else.
func (e *refusals) tooMany(v *view, now instant, t *request) bool {
	if e.inFlight == nil {
		e.inFlight = new(concurrency)
	}
	return e.inFlight.refused(v, now, t)
}

// shed takes in a refusal; again says that it reports the same congestion as one before. It
// reports whether it is one of a server that sheds load, for which only the refused request
// waits. explained says that an announced limit explains it.
func (e *refusals) shed(v *view, now instant, t *request, again, explained bool) bool {
	e.sheds.observe(true)
	if explained || e.limits.explains(v, t) {
		return false
	}
	limited := e.sheds.turnedAway(v, now, t)
	if e.limits.judge(t, true) == aLimit {
		e.sheds.open, e.sheds.credence, e.sheds.yes = false, 0, 0
		e.sheds.vain /= 2
		limited = true
	}
	if !limited && !again && !(e.sheds.open && e.sheds.presumed()) {
		e.sheds.begin(v, now, t)
	}
	if limited {
		e.limits.confirm(now)
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

// try passes a response on to the trial whether sending less helps.
func (e *refusals) try(v *view, now instant, t *request, refused bool) {
	u := &e.sheds.trial
	switch {
	case !e.sheds.presumed():
		u.stop()
	case u.observe(v, now, t, refused):
		e.sheds.credence, e.sheds.vain, e.sheds.open = 0, 0, false
		e.learned().pace.believe(u.rate, now)
		e.limits.against.believe(u.need)
	}
}

// refuse takes in a refusal of a limit.
func (e *refusals) refuse(now instant, t *request, r *header.Reading, again bool) {
	e.learned().refused(now, t, r, again)
}

// sheddingPresumed reports whether a refusal is taken to be one of a server that sheds load.
func (e *refusals) sheddingPresumed() bool { return e.sheds.presumed() }

// known reports whether a limit on a period or a rate is.
func (e *refusals) known() bool { return e.limits != nil && e.limits.known() }

// announced forgets the requests to a server that announces its limits, and refused none.
func (e *refusals) announced() {
	if l := e.limits; l != nil && !l.known() && !l.event.under && !l.shut {
		e.limits = nil
	}
}

// forgetLimits forgets the limits on a period and a rate.
func (e *refusals) forgetLimits() { e.limits = nil }

// rest gives back memory that is not needed while nothing is sent. It returns how long ago
// the last request has to be for what was learned to be forgotten, given how long at least.
func (e *refusals) rest(v *view, now, keep instant) instant {
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

// An inferred is what was learned of a limit on a period and of a rate; 0 is not known.
type inferred struct {
	limit  int64
	length instant
	opens  instant // when a window began
	fixed  bool    // others begin whole lengths before and after it
	sure   bool
	spent  int64    // requests of the window
	room   int64    // what is left of it
	ready  instant  // when the limit lets the next request go
	window interval // of the window that is open, if fixed

	rate     float64 // requests a second
	rateSure bool
	next     instant // when the rate lets the next request go
}

// inferred returns what was learned.
func (e *refusals) inferred(v *view, now instant) (out inferred) {
	l := e.limits
	if l == nil {
		return inferred{}
	}
	if s := &l.span; s.limit > 0 {
		spent := l.log.After(s.since(v, now))
		out = inferred{limit: s.limit, length: s.length, opens: s.opens.Latest, fixed: s.fixed, sure: s.sure, spent: spent, room: max(s.limit-spent, 0),
			ready: s.ready(v, l, now, 1)}
		if s.fixed {
			in := s.window(now)
			out.window = clock.Between(in.Latest, in.Earliest+s.length)
		}
	}
	if p := &l.pace; p.rate > 0 {
		out.rate, out.rateSure, out.next = p.now(), p.period > paceFirst, p.next
	}
	return out
}

// restore starts with what an earlier run of the program learned, and when it sent the last
// request of the window.
func (e *refusals) restore(now instant, was *inferred, last instant) {
	l := e.learned()
	if was.limit > 0 {
		l.span = inferredWindow{limit: was.limit, length: was.length, rolled: true, sure: true, patient: climbFirst}
		l.span.opens, l.span.fixed = clock.Between(was.opens-min(l.span.length/8, 2*second), was.opens), was.fixed
		l.span.climb = now + climbFirst*l.span.length
		if was.spent > 0 && l.log.Empty() && last > -l.span.length {
			l.log.Add(last, was.spent)
		}
	}
	if was.rate > 0 {
		l.pace = inferredRate{rate: was.rate, period: max(paceLatest, 60*was.rate), next: now}
	}
}

// A spread is what is left of an inferred window, below the threshold, and has to last until
// it ends.
type spread struct {
	left   int64
	lately int64   // requests sent in as long a time
	first  instant // the first of these
	ends   instant
}

// spread returns what is to be spread; it reports false if nothing is.
func (e *refusals) spread(v *view, now instant) (spread, bool) {
	l := e.limits
	if l == nil || l.span.limit <= 0 {
		return spread{}, false
	}
	s := &l.span
	reserve := min(v.amounts.ReserveOf(s.limit), s.limit-1)
	left := s.limit - reserve - l.log.After(s.since(v, now))
	threshold := v.amounts.ThresholdOf(s.limit)
	if left <= 0 || left > threshold || now >= s.climb && threshold < s.limit && reserve == 0 {
		return spread{}, false
	}
	oldest := l.log.FirstAfter(s.since(v, now))
	if oldest == never {
		return spread{}, false
	}
	ends := oldest + s.reach(v)
	if s.fixed {
		ends = s.window(now).Latest
	}
	return spread{left: left, lately: l.log.After(2*now - ends), first: oldest, ends: ends}, true
}

// told reports whether the server refuses requests, and said until when.
func (e *refusals) told() bool { return e.limits != nil && e.limits.event.under && e.limits.event.told }

// concurrency returns the limit on the requests in flight, 0 if none is known, and whether
// that is sure.
func (e *refusals) concurrency() (limit int64, sure bool) {
	if !e.inFlight.known() {
		return 0, false
	}
	return e.inFlight.limit, !e.inFlight.trial.on
}
