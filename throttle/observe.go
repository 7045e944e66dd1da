package throttle

import (
	"math"

	"github.com/forbear-go/forbear/throttle/header"
)

// observe takes in what a response says of this window: among that its limit, if that is
// above 0.
func (w *window) observe(k *Limiter, now instant, t *Reservation, said *header.Window, limit int64, refused bool) {
	if limit > 0 && limit != w.limit {
		w.setLimit(k, limit)
	}
	bidden := w.probe.bade > 0 && w.probe.answeredBy(t)
	w.probe.bade = 0
	reset, told := interval{}, said.Reset.Known()
	w.moment = told && !said.Reset.At.IsZero()
	if told {
		reset = k.clock.instants(said.Reset, t.at, now)
		told = reset.earliest < now+longest
	}
	remaining, ok := count(said.Remaining, w.unit)
	raw := reset
	if step := min(bounded(said.Reset.Resolution), farDay); told && ok && w.phased(k, now, step) {
		reset = w.phase.observe(k, w, now, t, reset, step, remaining, refused)
	}
	if told {
		w.contention.move(w, reset)
		if !w.observeReset(k, t, reset) {
			return
		}
	}
	w.observeLength(k, now, t, said, raw, told)
	if told {
		w.close(k, now)
	}
	if w.belief.observe(now, said, remaining, ok, refused) {
		w.contention.begin(w) // it counts anew, and no other server did
	}
	switch {
	case w.units != nil && !refused:
		w.units.observe(w, k, now, t, said)
	case w.units != nil: // with the refusal
	case ok:
		w.observeRemaining(k, now, t, remaining, reset, told)
	}
	if bidden && !refused && told && reset.earliest > now+second {
		w.bucket.servedEarly(now, w.limit, w.limit-remaining)
	}
}

func (w *window) setLimit(k *Limiter, limit int64) {
	w.limit = limit
	w.threshold, w.reserve = k.policy.Threshold.of(limit), min(k.policy.Reserve.of(limit), limit-1)
	w.history.setGrain(limit, w.length.value)
	w.bucket, w.contention, w.phase = bucket{}, contention{}, phase{}
}

// observeReset takes in the reset that a response told. It reports whether the
// response speaks of the window as it is now, and not of one that is over.
func (w *window) observeReset(k *Limiter, t *Reservation, reset interval) bool {
	if reset.latest > t.at {
		reset.earliest = max(reset.earliest, t.at) // what is still to come was not over when we asked
	}
	switch {
	case !w.resetKnown, reset.earliest > w.reset.latest:
	case t.number <= w.resetSince && reset.latest < w.reset.earliest:
		return false // it was sent before the window opened that is told of now
	case t.number < w.resetTold && w.reset.meets(reset):
		return true
	case w.reset.meets(reset):
		// The same window, or one that rolls, whose reset only moves on: so it is not
		// before what was known, but how late it may be only the newest word tells.
		w.reset.earliest = max(w.reset.earliest, reset.earliest)
		w.reset.latest, w.resetTold = reset.latest, t.number
		return true
	}
	if w.resetKnown {
		w.length.moved(interval{reset.earliest - w.reset.latest, reset.latest - w.reset.earliest})
	}
	w.reset, w.resetKnown, w.resetSince, w.resetTold = reset, true, k.sent, t.number
	w.contention.begin(w)
	return true
}

// close notes, when all requests are answered, that they were counted before the reset:
// each answer told this one, or an earlier one.
func (w *window) close(k *Limiter, now instant) {
	if k.sent == k.answered && k.uncertainUntil < w.reset.earliest-w.length.value {
		w.settled = now - 1 // the next may go in this very instant
	}
}

func (w *window) observeLength(k *Limiter, now instant, t *Reservation, said *header.Window, reset interval, resetTold bool) {
	changed := false
	if said.Length > 0 {
		changed = w.length.bound(said.Length)
	} else if resetTold {
		step := min(bounded(said.Reset.Resolution), farDay)
		left := interval{reset.earliest + step - now, reset.latest - step - t.at}
		changed = w.length.infer(left, step) && w.phase.settled() == 0
		if settled := w.phase.settled(); settled > 0 && w.length.value != settled {
			w.length.value, changed = settled, true
		}
	}
	if !changed {
		return
	}
	w.rolling, w.sliding = rollingDetector{}, slidingCounter{}
	w.history.setGrain(w.limit, w.length.value)
	if w.history.size == 0 {
		// What went before the length was known is counted as if it went just now.
		w.history.add(now, max(1, min(k.sent, k.sent-k.answered+1)))
	}
}

func (w *window) observeRemaining(k *Limiter, now instant, t *Reservation, remaining int64, reset interval, resetTold bool) {
	bound := t.answered + t.cost + remaining
	switch {
	case !w.credited || bound >= w.grantedThrough:
		w.grantedThrough, w.raised, w.credited = bound, k.sent, true
	case t.number > w.raised && remaining < w.grantedThrough-k.sent:
		// Less is left than all that we sent explains: others spend the quota, or the
		// limit was lowered. The newest word counts.
		w.grantedThrough, w.raised = bound, k.sent
	}
	if remaining > 0 {
		w.probe.blind = 0
	}
	if w.limit <= 0 {
		return
	}
	w.contention.observe(w, k, now, t, remaining)
	if resetTold {
		left := interval{reset.earliest - now, reset.latest - t.at}
		w.bucket.observe(now, w.limit, w.limit-remaining, k.sent-t.answered-t.cost, left, w.length.value)
	}
	if w.length.value > 0 && (2*(remaining-w.reserve) <= w.limit || w.probe.answeredBy(t)) {
		// Only near the end of the credit does it matter what else may explain the
		// server, and right after a reset how much came back.
		logged := w.rolling.observe(w, k, now, t, remaining, reset, resetTold)
		if w.sliding.observe(w, k, now, t, remaining, logged) {
			w.rolling.refutedUntil = min(w.rolling.refutedUntil, now) // weighed counts explain it, and are heeded
		}
	}
}

// exhaust takes back all that was believed to be left.
func (w *window) exhaust(k *Limiter, now instant) {
	w.grantedThrough, w.raised = min(w.grantedThrough, k.sent), k.sent
	w.rolling.refute(now + w.reach(k))
	if !w.contention.others(now) {
		w.bucket = w.bucket.refused(now, w.length.value)
	}
}

// count returns a known count as a number of whole units. Of a share, a unit is a
// thousandth.
func count(c header.Count, unit string) (int64, bool) {
	switch {
	case c.State != header.Known || math.IsNaN(c.Value):
		return 0, false
	case unit == "fraction":
		c.Value *= 1000
	}
	if c.Value >= 0 && c.Value <= 1<<52 {
		return int64(c.Value), true // as all that mean anything
	}
	return int64(min(max(c.Value, 0), 1<<52)), true
}
