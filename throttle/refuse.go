package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// longestHold bounds what a refusal may ask for only so that no sum overflows.
const longestHold = 101 * 365 * 24 * time.Hour

// serve takes in an answer that is no refusal.
func (k *Limiter) serve(now instant, t *Reservation) {
	k.overload = overload{}
	v, sent := k.view(), t.request()
	k.refusals.serve(&v, now, &sent)
	k.release(&v)
	k.cooldown.admitted(t)
}

// release ends the cooldown of a refusal that turned out to need none.
func (k *Limiter) release(v *view) {
	if v.released {
		k.cooldown.release(v.releasedAt)
	}
}

// refuse takes in a refusal.
func (k *Limiter) refuse(now instant, t *Reservation, r *header.Reading) {
	explained := k.explained(r)
	if r.Overloaded() && !explained {
		k.overload.refuse(k, now, t, r)
		return
	}
	v, sent := k.view(), t.request()
	tooMany := !explained && k.refusals.tooMany(&v, now, &sent)
	k.release(&v)
	if tooMany || k.refusals.shed(&v, now, &sent, k.cooldown.reports(t), explained) {
		return
	}
	again := k.cooldown.reports(t)
	k.cooldown.refuse(k, now, wait(r), r.Wait.Known(), t)
	k.refuseUnits(now, t, r)
	if !k.explained(r) {
		k.refusals.refuse(now, &sent, r, again)
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
			if w.contention.Others(now) {
				w.history.Remove(t.at, t.cost)
				w.contention.Refused(again)
			}
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
		d += min(clock.Bounded(r.Wait.Resolution), clock.FarDay)
	}
	return d
}

// explained reports whether a refusal says which announced window caused it.
func (k *Limiter) explained(r *header.Reading) bool {
	if r.Exhausted() {
		return true
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
