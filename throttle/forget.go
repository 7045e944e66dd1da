package throttle

import (
	"slices"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/contention"
	"github.com/forbear-go/forbear/throttle/internal/kind"
	"github.com/forbear-go/forbear/throttle/internal/phase"
	"github.com/forbear-go/forbear/throttle/internal/refusals"
)

// Forget drops all that is believed of limits. What is under way is still counted as such.
func (k *Limiter) Forget(now time.Time) {
	k.expire(k.instant(now))
	k.windows, k.edges, k.remembered, k.refusals = nil, nil, nil, refusals.Estimator{}
	k.cooldown = cooldown{}
	k.cooldown.narrowDown(k.sent)
}

// ForgetRefusals drops the limits that were learned from refusals, and ends the wait of the last one,
// because they turned out to concern other requests.
func (k *Limiter) ForgetRefusals(now time.Time) {
	k.expire(k.instant(now))
	k.refusals.ForgetLimits()
	k.cooldown = cooldown{}
}

// Adopt takes in that requests of the caller spend the limits that were taken for those of others,
// and that so many of them are in flight. A limiter that knows of no limits yet takes all that the first
// response says is spent for theirs.
func (k *Limiter) Adopt(now time.Time, inFlight int) {
	k.expire(k.instant(now))
	k.adopts = true
	for i := range k.windows {
		w := &k.windows[i]
		w.contention, w.kind, w.phase = contention.Estimator{}, kind.Estimator{}, phase.Estimator{}
		w.contention.Expect(k.expect)
	}
	if inFlight > 0 {
		k.Abandon(now, k.Take(now, inFlight))
	}
}

// forgetWindows drops the windows whose time is over and of which a response to a later
// request no longer speaks.
func (k *Limiter) forgetWindows(t *Reservation, r *header.Reading) {
	k.drop(t.at, func(w *window) bool { return w.resetKnown && w.reset.Latest < t.at && w.said(r) == nil })
}

// drop drops the windows that are over, as the function tells. The next of a key that has doubts are doubted after as long.
func (k *Limiter) drop(now instant, over func(w *window) bool) {
	for i := len(k.windows) - 1; i >= 0; i-- {
		w := &k.windows[i]
		if !over(w) {
			continue
		}
		if w.doubted(now) {
			k.trust.Drop(&w.trust)
		}
		k.windows = slices.Delete(k.windows, i, i+1)
	}
}

// forgetEdges drops the limits in front of the API that have not refused for long, and those that became
// that of the window itself.
func (k *Limiter) forgetEdges(now instant) {
	k.edges.Forget(now, func(name string, limit int64) bool {
		return slices.ContainsFunc(k.windows, func(w window) bool { return w.name == name && w.limit == limit })
	})
}

// Idle reports whether nothing is known at now that would not be learned again from
// the next response: no request is in flight, and all windows are over. What
// was learned from refusals is worth keeping for a day. It gives back memory that is not
// needed while nothing is sent.
func (k *Limiter) Idle(now time.Time) bool {
	i := k.instant(now)
	k.expire(i)
	if k.sent != k.answered || k.cooldown.until > i || k.lastSent+rest > i {
		return false
	}
	idle := true
	for j := range k.windows {
		w := &k.windows[j]
		w.history.Forget(i - 3*w.reach(k))
		w.history.Fit()
		w.turned.Forget(i - 3*w.reach(k))
		w.turned.Fit()
		if w.resetKnown && w.reset.Latest > i || k.lastSent+2*w.length.Value > i {
			idle = false
		}
	}
	v := k.view()
	keep := k.refusals.Rest(&v, i, keepLesson)
	return idle && (keep == 0 || k.lastSent+keep < i)
}

const (
	rest       = 10 * 60 * second      // without a request a throttle may be idle after this
	keepLesson = 24 * 60 * 60 * second // and with lessons after this
)
