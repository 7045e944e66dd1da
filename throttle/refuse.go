package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// longestHold bounds what a refusal may ask for only so that no sum overflows.
const longestHold = 101 * 365 * 24 * time.Hour

// serve takes in an answer that is no refusal.
func (k *Limiter) serve(now instant, t *Reservation) {
	k.overload = overload{}
	k.sheds.observe(false)
	proof := k.sheds.served(t)
	if k.estimator.judge(t, false) == noLimit {
		k.sheds.prove()
		proof = true
	}
	if proof {
		k.cooldown.release(k.sheds.before)
		k.estimator.excuse()
		if k.estimator.dismiss() {
			k.sheds.vain++
		}
	}
	k.try(now, t, false)
	if k.estimator != nil {
		k.estimator.admitted(k, t, k.cooldown.after)
	}
	k.cooldown.admitted(t)
}

// refuse takes in a refusal.
func (k *Limiter) refuse(now instant, t *Reservation, r *header.Reading) {
	if r.Overloaded() && !k.explained(r) {
		k.overload.refuse(k, now, t, r)
		return
	}
	k.sheds.observe(true)
	if !k.explained(r) && !k.estimator.explains(k, t) && k.shed(now, t) {
		return
	}
	again := k.cooldown.reports(t)
	k.cooldown.refuse(k, now, wait(r), r.Wait.Known(), t)
	k.refuseUnits(now, t, r)
	if !k.explained(r) {
		k.teach().refused(now, t, r, again)
	}
	for i := range k.windows {
		w := &k.windows[i]
		said := w.said(r)
		if said == nil || w.units != nil {
			continue
		}
		if limit, ok := count(said.Limit, said.Unit); ok && limit > 0 && limit != w.limit {
			continue // an edge spoke
		}
		if w.emptied(said) {
			w.exhaust(k, now)
			w.contention.refused(w, t, again, now)
			if r.Wait.Explicit {
				w.probe.bidden = k.cooldown.until
			}
		}
	}
}

// wait returns how long a refusal asks to stay away.
func wait(r *header.Reading) instant {
	d := instant(min(max(r.Wait.Delay, 0), longestHold))
	if !r.Wait.Explicit {
		d += min(bounded(r.Wait.Resolution), farDay)
	}
	return d
}

// shed takes in a refusal that no announced window explains. It reports whether that is
// one of a server that sheds load, for which only the refused request waits.
func (k *Limiter) shed(now instant, t *Reservation) bool {
	limited := k.sheds.turnedAway(k, now, t)
	if k.estimator.judge(t, true) == aLimit {
		k.sheds.open, k.sheds.credence, k.sheds.yes = false, 0, 0
		k.sheds.vain /= 2
		limited = true
	}
	if !limited && !k.cooldown.reports(t) && !(k.sheds.open && k.sheds.presumed()) {
		k.sheds.begin(k, now, t)
	}
	if limited {
		k.estimator.confirm(now)
	}
	if limited || !k.sheds.presumed() {
		return false
	}
	if k.estimator != nil {
		k.estimator.shed(t)
	}
	k.try(now, t, true)
	return true
}

// try passes an answer on to the trial whether sending less helps.
func (k *Limiter) try(now instant, t *Reservation, refused bool) {
	u := &k.sheds.trial
	switch {
	case !k.sheds.presumed():
		u.stop()
	case u.observe(k, now, t, refused):
		k.sheds.credence, k.sheds.vain, k.sheds.open = 0, 0, false
		k.teach().pace.believe(u.rate, now)
		k.estimator.against.believe(u.need)
	}
}

// explained reports whether a refusal says which announced window caused it.
func (k *Limiter) explained(r *header.Reading) bool {
	for i := range r.Windows {
		if r.Windows[i].Exhausted() {
			return true
		}
	}
	for i := range k.windows {
		if said := k.windows[i].said(r); said != nil && k.windows[i].emptied(said) {
			return true
		}
	}
	return false
}

// emptied reports whether a response says that not enough is left of w for a request,
// which may cost more than was estimated.
func (w *window) emptied(said *header.Window) bool {
	remaining, ok := count(said.Remaining, said.Unit)
	return ok && (remaining == 0 || w.units != nil && w.units.emptied(remaining))
}
