package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/probe"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// doubted reports whether w is tested, and not by its probes already.
func (w *window) doubted(now instant) bool {
	return w.trust.Doubted(w.contention.Others(now)) && !w.probe.Blind.Bounded()
}

// stops reports whether w holds n more back now, and no test of it is due.
func (w *window) stops(k *Limiter, now instant, n int64) bool {
	at := w.ready(k, now, n)
	return at > now && w.trust.Ready(now, at, w.length.Value, &k.rtt) > now
}

// doubt plans tests of the windows that stop requests at now.
func (k *Limiter) doubt(now instant) {
	if k.trust.Suspended {
		return
	}
	for i := range k.windows {
		w := &k.windows[i]
		switch t := &w.trust; {
		case !w.doubted(now):
			t.Clear()
		case !t.Planned() && (k.sent == k.answered || t.Wrong()) && w.ready(k, now, 1) > now:
			t.Plan(&k.trust, now, w.units != nil, &k.random)
		case t.Wrong():
			t.Hurry(now)
		}
	}
}

// tests notes that n more go, and returns the marks of the windows that are tested by them.
func (k *Limiter) tests(now instant, n int64) (marks uint64) {
	if k.trust.Suspended {
		return 0
	}
	for i := range k.windows {
		if w := &k.windows[i]; w.trust.Planned() {
			marks |= w.trust.Send(now, w.ready(k, now, n), w.length.Value, k.sent, n, &k.rtt)
		}
	}
	return marks
}

// judge takes in what became of a request that may be a test.
func (k *Limiter) judge(now instant, r *Reservation, response *header.Reading) {
	for i := range k.windows {
		switch t := &k.windows[i].trust; {
		case !t.Tests(r.tests):
		case response.Refused:
			t.Refuse(now, r.cost, response.Overloaded(), &k.random)
		default:
			t.Serve(&k.trust, r.cost)
		}
	}
}

// trial returns when n may go although an announced limit says that nothing is left, to see whether
// that is so, as far as is known now; never if that takes an answer.
func (k *Limiter) trial(now instant, n int64) (at instant) {
	if k.remembered.counts() {
		if k.remembered.tries(k, now) {
			return now
		}
		return never
	}
	at = k.beside(now, n, k.cooldown.trial(k, now))
	for i := range k.windows {
		w := &k.windows[i]
		if w.ready(k, now, n) <= now {
			continue
		}
		if !w.belief.Empty() {
			return never
		}
		if at = max(at, w.belief.Due()); w.probe.Bidden() > k.cooldown.until {
			at = max(at, w.probe.Bidden())
		}
	}
	return at
}

// beside returns when all but the announced limits lets n go, and no response is awaited; never if one is. named is
// how long it keeps to a wait that the server named.
func (k *Limiter) beside(now instant, n int64, named instant) instant {
	if k.sent != k.answered {
		return never
	}
	v := k.view()
	return max(now, k.refusals.Ready(&v, now, n), named)
}

// dueTest returns when n may test what the announced limits say that nothing is left, though they can wait, as
// far as is known now; never if that takes an answer.
func (k *Limiter) dueTest(now instant, n int64) (at instant) {
	if k.sent != k.answered || !k.emptied() || k.remembered.counts() {
		return never
	}
	for i := range k.windows {
		w := &k.windows[i]
		if ready := w.ready(k, now, n); ready > now {
			if w.units != nil || !w.resetKnown {
				return never
			}
			at = max(at, w.belief.DueTest(now, ready, w.reset), w.probe.Bidden())
		}
	}
	if at == 0 {
		return never
	}
	for _, e := range k.edges {
		at = max(at, e.Ready(now, n, &k.rtt))
	}
	if k.cooldown.named {
		at = max(at, k.cooldown.until)
	}
	return k.beside(now, n, at)
}

// startTest notes that n more go while windows say that nothing is left, and reports whether they test that; not if
// somebody else knows what is left. A window may be tried by them, too.
func (k *Limiter) startTest(now instant, n int64) bool {
	if !k.emptied() {
		return false
	}
	test := !k.trust.Suspended && k.dueTest(now, n) <= now
	for i := range k.windows {
		switch w := &k.windows[i]; {
		case test && w.ready(k, now, n) > now:
			w.belief.Test(now, now >= w.reset.Latest)
		case w.belief.Empty():
			w.belief.Send(!test && w.belief.Due() <= now && w.stops(k, now, n))
		}
	}
	return test
}

// emptied reports whether a window says that nothing is left.
func (k *Limiter) emptied() bool {
	for i := range k.windows {
		if k.windows[i].belief.Empty() {
			return true
		}
	}
	return false
}

// endTest takes in what became of a request that tested what announced limits say. It reports whether that
// is all that the response tells: a refusal confirms the limits, and of a window that gives back little by
// little, one that is served contradicts nothing.
func (k *Limiter) endTest(now instant, t *Reservation, r *header.Reading) bool {
	much := false
	for i := range k.windows {
		w := &k.windows[i]
		if !w.belief.Empty() {
			continue
		}
		said := w.said(r)
		left := int64(0)
		if said != nil {
			left, _ = count(said.Remaining, w.unit)
		}
		w.belief.EndTest(now, r.Refused, left, w.limit)
		much = much || left > 0
	}
	switch {
	case r.Refused:
		if k.Cancel(*t); r.Wait.Explicit {
			k.cooldown.pause(k, now, instant(min(r.Wait.Delay, refusals.LongestHold)))
		}
		return true
	case !much:
		k.land(now, t.number, t.cost)
		k.conclude(t)
		return true
	}
	return false
}

// nextTrial reports whether n may go at now as a trial, or when they may, if that is before the given time.
func (k *Limiter) nextTrial(now instant, n int64, before instant) (due bool, at time.Time) {
	switch trial := k.trial(now, n); {
	case trial <= now:
		return true, time.Time{}
	case trial < before:
		return false, k.time(trial)
	}
	return false, time.Time{}
}

// Misled reports whether the server tells resets that are wrong, as windows showed that opened long
// before them, or that may be, because nothing shows that its clock is like ours. A wait that a refusal
// names by a reset, and not by itself, is no better.
func (k *Limiter) Misled() bool {
	for i := range k.windows {
		if w := &k.windows[i]; w.resets.Mislead(k.heard) || w.millis.Told() || w.belief.Undated {
			return true
		}
	}
	return false
}

// reopen takes in that so many remain although nothing was left, so long ahead of the reset.
func (w *window) reopen(now, ahead instant, remaining int64) {
	if !w.resets.Reopen(now, ahead, remaining, w.limit, w.belief.Undated, &w.history) {
		return
	}
	w.probe.Blind = probe.Blind{}
	w.forgetReset()
}

// forgetReset forgets a reset that was wrong.
func (w *window) forgetReset() {
	w.resetKnown = false
	if !w.length.Told {
		w.length = clock.Length{} // it was inferred from resets
	}
}

// mixed reports whether a refusal comes from one of several windows under one name, so that it
// says nothing of other requests.
func (k *Limiter) mixed(r *header.Reading) bool {
	for i := range k.windows {
		w := &k.windows[i]
		if said := w.said(r); said != nil && w.mixture.Mixed() && w.emptied(said) {
			return true
		}
	}
	return false
}
