package throttle

import (
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// serve takes in an answer that is no refusal.
func (k *Limiter) serve(now instant, t *Reservation) {
	k.overload = overload{}
	for i := range k.windows {
		if w := &k.windows[i]; w.short() {
			w.gains(k, now, false)
		}
	}
	v, sent := k.view(), t.request()
	k.refusals.Serve(&v, now, &sent)
	k.release(&v)
	if k.cooldown.admitted(now, t); t.early {
		k.cooldown.endTrial(now, 0, false)
	}
}

// release ends the cooldown of a refusal that turned out to need none.
func (k *Limiter) release(v *refusals.View) {
	if v.Released {
		k.cooldown.release(v.ReleasedAt)
	}
}

// refuse takes in a refusal.
func (k *Limiter) refuse(now instant, t *Reservation, r *header.Reading) {
	explained := k.explained(r)
	for i := range k.windows {
		k.windows[i].turn(now, t)
	}
	if k.alone(now, r) || k.mixed(r) {
		return
	}
	if r.Overloaded() && !explained {
		k.overload.refuse(k, now, t, r)
		return
	}
	sent, asked := t.request(), named(r)
	again, test, done := k.excuse(now, t, r, &sent, explained)
	if done {
		return
	}
	lacking := k.lacking(r)
	if lacking != nil && asked > shortWait && !test {
		// It closes the limit for as large requests alone: others may go, and what others give back
		// comes sooner.
		k.refuseUnits(now, t, r, lacking, now+asked)
		return
	}
	over, competed := k.competed(r, now)
	switch {
	case competed && k.cooldown.until > now: // the refusals of a burst name one moment, later and later
	case competed:
		k.cooldown.extend(now, over, true)
	case test:
		k.cooldown.extend(now, now+asked, r.Wait.Explicit) // the wait of the refusal before lasts
	default:
		k.cooldown.refuse(k, now, wait(r), r.Wait.Known(), r.Wait.Explicit || !r.Wait.Known(), t)
	}
	k.refuseUnits(now, t, r, lacking, k.cooldown.until)
	switch {
	case explained && !k.far():
	case !explained && k.unevenly(t) && asked <= unevenWait:
		k.refusals.ForgetLimits()
	default:
		k.refusals.Refuse(now, &sent, r, again)
	}
	for i := range k.windows {
		k.windows[i].refuse(k, now, t, r, again, competed)
	}
}

// excuse looks for what a refusal says of other requests. again says that it reports what another one did,
// test that its request tested the wait of the one before, and done that there is nothing more to learn
// from it, because it concerns its own request alone.
func (k *Limiter) excuse(now instant, t *Reservation, r *header.Reading, sent *refusals.Request, explained bool) (again, test, done bool) {
	v, asked := k.view(), named(r)
	if !explained && k.refusals.Alone(&v, now, sent) {
		k.release(&v)
		return false, false, true
	}
	tooMany := !explained && k.refusals.TooMany(&v, now, sent)
	k.release(&v)
	if t.early {
		k.cooldown.endTrial(now, now+asked, true)
	}
	test = t.early || k.refusals.Tests(t.number)
	again = k.cooldown.reports(t) || test
	if tooMany || k.refusals.Shed(&v, now, sent, refusals.Refusal{Wait: asked, Again: again, Explained: explained, Covered: k.covered(t)}) {
		return again, test, true
	}
	return again, test, !explained && !again && len(k.windows) == 0 && k.refusals.Pass(sent, asked)
}

// refuse takes in a refusal that may be because of this window. again says that it reports what
// another one did, and competed that it holds no other request.
func (w *window) refuse(k *Limiter, now instant, t *Reservation, r *header.Reading, again, competed bool) {
	w.uncount(now, t)
	w.kind.Uncounted()
	said := w.said(r)
	if said == nil || w.units != nil {
		return
	}
	if limit, ok := count(said.Limit, said.Unit); ok && limit > 0 && limit != w.limit {
		return // an edge spoke
	}
	if !w.emptied(said) {
		return
	}
	w.span.Refuse(t.at)
	w.coarse.Refuse(w.probe.AnsweredBy(t.number) && !r.Wait.Explicit)
	w.trust.Confirm(&k.trust)
	if !w.spread(now) {
		w.exhaust(k, now)
	}
	if w.contention.Others(now) {
		w.history.Remove(t.at, t.cost)
		w.contention.Refused(again)
	}
	if r.Wait.Explicit && !competed {
		w.probe.Bid(k.cooldown.until)
	}
}

// turn notes that a request was refused, which the log of the window holds, or that its answer does not tell of the window.
// A server hardly ever counts the former, and perhaps not the latter.
func (w *window) turn(now instant, t *Reservation) {
	if w.units == nil && w.length.Value > 0 && !w.history.Empty() {
		w.turned.Forget(now - 3*w.length.Value)
		w.turned.Add(max(t.at, w.turned.Last()), t.cost)
	}
}

// unevenly reports whether a limit that is not announced can hardly be one on the number of requests.
func (k *Limiter) unevenly(t *Reservation) bool { return t.Uneven && len(k.windows) == 0 }

// shortWait is how long a refusal may close the key for want of units alone.
const shortWait = 5 * second

// unevenWait is the longest wait of a refusal that says so little.
const unevenWait = 2 * second

// uncount takes a refused request out of the log if nothing was known when it was sent: servers
// do not count what they refuse. Any other stays, so that the log errs towards waiting.
func (w *window) uncount(now instant, t *Reservation) {
	if t.counted == 0 && now-t.at < w.length.Value && !w.contention.Others(now) {
		w.history.Remove(max(t.at, w.history.FirstAfter(-never/2)), t.cost)
	}
}

// named returns the wait that a refusal names; 0 is none.
func named(r *header.Reading) instant {
	if !r.Wait.Known() {
		return 0
	}
	return wait(r)
}

// wait returns how long a refusal asks to stay away.
func wait(r *header.Reading) instant {
	d := instant(min(max(r.Wait.Delay, 0), refusals.LongestHold))
	if !r.Wait.Explicit {
		d += min(clock.Bounded(r.Wait.Resolution), clock.FarDay)
	}
	return d
}

// explained reports whether a refusal says which announced window caused it.
func (k *Limiter) explained(r *header.Reading) bool {
	if r.Exhausted() && !k.onlyRefusalsTell(r) {
		return true
	}
	for i := range k.windows {
		if said := k.windows[i].said(r); said != nil && k.windows[i].emptied(said) {
			return true
		}
	}
	return false
}

// covered reports whether the server announces limits, and enough was left of all of them when
// t was sent.
func (k *Limiter) covered(t *Reservation) bool {
	some := false
	for i := range k.windows {
		w := &k.windows[i]
		if !w.counts() || w.open() {
			continue
		}
		if !w.credited || t.number > w.grantedThrough-w.reserve || w.contention.Others(t.at) {
			return false
		}
		some = true
	}
	return some
}

// emptied reports whether a response says that not enough is left of w for a request,
// which may cost more than was estimated.
func (w *window) emptied(said *header.Window) bool {
	remaining, ok := count(said.Remaining, said.Unit)
	if ok && w.units == nil {
		remaining = w.meaning.Of(remaining)
	}
	return ok && (remaining == 0 || w.units != nil && w.units.emptied(remaining, w.limit))
}
