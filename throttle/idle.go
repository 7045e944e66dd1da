package throttle

import "time"

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
