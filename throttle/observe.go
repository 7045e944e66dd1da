package throttle

import (
	"cmp"
	"math"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/contention"
	"github.com/forbear-go/forbear/throttle/internal/kind"
	"github.com/forbear-go/forbear/throttle/internal/phase"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// observe takes in what a response says of this window: among that its limit, if that is
// above 0.
func (w *window) observe(k *Limiter, now instant, t *Reservation, r *header.Reading, said *header.Window, limit int64) {
	refused := r.Refused
	if !refused {
		w.span = w.span.Serve(now - t.at)
	}
	said = w.meant(k, now, said)
	if limit > 0 {
		w.observeLimit(k, now, limit, refused)
	}
	said = w.remains(now, t, said, limit, refused)
	bidden := w.probe.Answer(t.number)
	early := w.resetKnown && t.at < w.reset.Latest && w.probe.AnsweredBy(t.number)
	ahead, opened := instant(0), w.mayHaveOpened(now)
	if w.resetKnown {
		ahead = w.reset.Earliest - t.at // so long before the reset it was sent
	}
	reset, told := interval{}, said.Reset.Known() && !w.resets.Mislead(k.heard)
	w.moment = told && !said.Reset.At.IsZero()
	w.belief.Undated = w.moment && !k.clock.Known && !w.resets.Kept()
	if w.belief.Undated && early && refused {
		w.resets.Keep(ahead, t.at-w.belief.Since())
	}
	if told {
		reset = k.clock.Instants(said.Reset, t.at, now)
		told = reset.Earliest < now+clock.Longest
	}
	remaining, ok := count(said.Remaining, w.unit)
	raw, full := reset, !ok || w.limit <= 1 || 2*remaining >= w.limit
	if told && ok {
		reset = w.narrow(k, reset, &phase.Response{
			Sample: phase.Sample{Sent: t.at, Received: now, Remaining: remaining, Answered: t.counted + t.cost}, Moment: moment(said),
			Limit: w.limit, Numbered: k.sent, Told: w.length.Period(), Step: min(clock.Bounded(said.Reset.Resolution), clock.FarDay), Refused: refused,
		})
	}
	if told {
		w.coarse.Tell(clock.Bounded(said.Reset.Resolution), reset != raw)
		w.kind.Move(reset, w.length.Value)
		w.kind.Told(now, raw, w.coarse.Step(), w.length.Period())
		w.observeEarly(t.at, reset, refused)
		if !w.observeReset(k, t, reset, full) && !w.fullSooner() {
			return
		}
	}
	w.observeLength(k, now, t, r, said, raw, told)
	if told {
		w.far = w.tooShort(k, now)
		w.close(k, now)
	}
	w.eager.Observe(t.number, refused, full)
	if early && !refused {
		w.coarse.Serve()
	}
	probe := w.probe.AnsweredBy(t.number) && !w.belief.Early() && w.untimed(told, reset, now) && !w.contention.Others(now) && !w.probe.Blind.Bounded()
	if w.belief.Observe(now, said, w.leftAfter(k, t, remaining), ok, refused, probe) {
		w.contention.Begin(w.limit, w.number(k, w.told())) // it counts anew, and no other server did
		w.reopen(now, ahead, remaining)
	}
	switch {
	case w.units != nil && !refused:
		if ok {
			w.trust.ObserveUnits(remaining)
		}
		w.units.observe(w, k, now, t, said)
	case w.units != nil: // with the refusal
	case ok:
		w.observeRemaining(k, now, t, remaining, reset, told, refused, opened)
	}
	if ok && w.blind(k) {
		w.probe.Blind.Observe(remaining, w.probe.AnsweredBy(t.number), refused)
	}
	if bidden && !refused && told && reset.Earliest > now+second {
		w.kind.ServedEarly(now, w.limit, w.limit-remaining)
	}
}

// meant returns what a response says, with the delay until the reset as it is meant.
func (w *window) meant(k *Limiter, now instant, said *header.Window) *header.Window {
	reset, finer := w.fractions.Correct(w.millis.Correct(now, said.Reset))
	if finer > 0 {
		w.length.Finer(finer + 2*k.rtt.WasLongest)
		w.phase, w.steps = phase.Estimator{}, phase.Steps{}
	}
	if reset == said.Reset {
		return said
	}
	if w.resetKnown && w.reset.Earliest > now+clock.Bounded(reset.In)+millisWrong {
		w.forgetReset()
	}
	corrected := *said
	corrected.Reset = reset
	return &corrected
}

// remains returns what a response says, with what remains as it is meant.
func (w *window) remains(now instant, t *Reservation, said *header.Window, limit int64, refused bool) *header.Window {
	told, ok := count(said.Remaining, said.Unit)
	if !ok || limit <= 0 || !w.counts() {
		return said
	}
	remaining := w.meaning.Observe(t.at, now, t.number, limit, told, refused)
	if remaining == told {
		return said
	}
	corrected := *said
	corrected.Remaining.Value = float64(remaining)
	return &corrected
}

// millisWrong is how much further away a reset is than the same in milliseconds, if it was taken for
// one in seconds.
const millisWrong = 60 * second

// observeLimit takes in the limit that a response tells.
func (w *window) observeLimit(k *Limiter, now instant, limit int64, refused bool) {
	if refused {
		w.mixture.Refuse(now, limit, &w.length)
	} else {
		w.mixture.Observe(now, limit, &w.length)
	}
	if limit != w.limit {
		w.setLimit(k, limit)
	}
}

// leftAfter returns how many remain now where the response to t says that so many did. Of responses
// that overtake each other, the last to come may have said more than there is.
func (w *window) leftAfter(k *Limiter, t *Reservation, remaining int64) int64 {
	if !w.credited || k.sent != k.counted() {
		return remaining
	}
	return max(min(remaining, max(w.grantedThrough, t.counted+t.cost+remaining)-k.sent), 0)
}

// untimed reports whether a response does not say when the window opens: it says nothing
// but what remains, or a time that is long over.
func (w *window) untimed(told bool, reset interval, now instant) bool {
	if told {
		return reset.Latest < now-untimedPast
	}
	return w.limit <= 0 && w.length.Value == 0
}

// untimedPast is how far in the past a reset is that no rounding explains.
const untimedPast = 10 * second

func (w *window) setLimit(k *Limiter, limit int64) {
	w.limit = limit
	w.threshold, w.reserve = k.policy.Threshold.of(limit), min(k.policy.Reserve.of(limit), limit-1)
	w.history.SetGrain(limit, w.length.Value)
	w.phase, w.steps = phase.Estimator{}, phase.Steps{}
	w.contention.NewLimit()
	w.kind.NewLimit()
}

// observeReset takes in the reset that a response told, and whether a window that has just
// been reset would say the same of what remains. It reports whether the response speaks of
// the window as it is now, and not of one that is over.
func (w *window) observeReset(k *Limiter, t *Reservation, reset interval, full bool) bool {
	if reset.Latest > t.at {
		reset.Earliest = max(reset.Earliest, t.at) // what is still to come was not over when we asked
	}
	switch {
	case !w.resetKnown, reset.Earliest > w.reset.Latest, w.coarse.Moved(w.reset, reset):
	case t.number <= w.resetSince && reset.Latest < w.reset.Earliest:
		return false // it was sent before the window opened that is told of now
	case t.number < w.resetTold && w.reset.Meets(reset):
		return true
	case w.reset.Meets(reset):
		// The same window, or one that rolls, whose reset only moves on: so it is not
		// before what was known, but how late it may be only the newest word tells.
		w.reset.Earliest = max(w.reset.Earliest, reset.Earliest)
		w.reset.Latest, w.resetTold = reset.Latest, t.number
		return true
	}
	if w.resetKnown && full { // a bucket may tell when its next token comes, which is no length
		w.length.Moved(clock.Between(reset.Earliest-w.reset.Latest, reset.Latest-w.reset.Earliest))
	}
	w.reset, w.resetKnown, w.resetSince, w.resetTold = reset, true, k.sent, t.number
	w.pacedSince = 0
	w.contention.Begin(w.limit, w.number(k, w.told()))
	return true
}

// close notes, when all requests are answered, that they were counted before the reset:
// each answer told this one, or an earlier one.
func (w *window) close(k *Limiter, now instant) {
	if k.sent == k.counted() && k.uncertainUntil < w.reset.Earliest-w.length.Value {
		w.settled = now - 1 // the next may go in this very instant
	}
}

func (w *window) observeLength(k *Limiter, now instant, t *Reservation, r *header.Reading, said *header.Window, reset interval, resetTold bool) {
	changed := false
	if said.Length > 0 {
		changed = w.length.Bound(said.Length)
	} else if resetTold {
		step := min(clock.Bounded(said.Reset.Resolution), clock.FarDay)
		left := clock.Between(reset.Earliest+step-now, reset.Latest-step-t.at)
		if by, ok := leftBy(r, said); ok {
			w.span.Observe(now, by)
		}
		was := w.length.Value
		changed = w.length.Infer(left, step, w.kind.Longest())
		if shown := cmp.Or(w.phase.Settled(), w.steps.Settled(), w.kind.Remembers()); shown > 0 {
			w.length.Value, changed = shown, shown != was || w.steps.Settles()
		}
	}
	if !changed {
		return
	}
	w.kind.NewLength()
	w.history.SetGrain(w.limit, w.length.Value)
	if w.history.Empty() {
		// What went before the length was known is counted as if it went just now.
		before := max(1, min(k.sent, k.sent-k.answered+1))
		if remaining, ok := count(said.Remaining, said.Unit); ok && k.adopts && w.counts() {
			before = max(before, w.limit-remaining+k.sent-t.counted-t.cost)
		}
		w.history.Add(now, before)
	}
}

func (w *window) observeRemaining(k *Limiter, now instant, t *Reservation, remaining int64, reset interval, resetTold, refused, opened bool) {
	answered := t.counted + t.cost
	w.trust.Observe(&trust.Response{
		Now: now, Number: t.number, Answered: answered, Sent: k.sent, Remaining: remaining, Limit: w.limit,
		Reset: w.reset.Earliest, ResetKnown: w.resetKnown, Length: &w.length,
	})
	bound := answered + remaining
	switch {
	case !w.credited || bound >= w.grantedThrough:
		w.grantedThrough, w.raised, w.credited = bound, k.sent, true
	case t.number > w.raised && remaining < w.grantedThrough-k.sent:
		// Less is left than all that we sent explains: others spend the quota, or the
		// limit was lowered. The newest word counts.
		w.grantedThrough, w.raised = bound, k.sent
	}
	if w.limit <= 0 {
		return
	}
	v := w.view(k, now)
	w.contention.Observe(&contention.Response{
		View: &v, Number: t.number, Cost: t.cost, Before: t.counted, At: t.at, Remaining: remaining, Opened: opened, Window: w.number(k, now),
	}, &k.random)
	w.kind.Observe(&kind.Observation{
		View: &v.View, Sent: t.at, Remaining: remaining, Answered: answered, Unsure: k.sent - answered, Told: reset, ResetTold: resetTold,
		Refused: refused, Alone: len(k.windows) == 1,
		Telling: 2*(remaining-w.reserve) <= w.limit || w.probe.AnsweredBy(t.number),
	})
}

// exhaust takes back all that was believed to be left.
func (w *window) exhaust(k *Limiter, now instant) {
	w.grantedThrough, w.raised = min(w.grantedThrough, k.sent), k.sent
	if w.history.After(now-w.reach(k)) < w.limit {
		w.length.Refute()
	}
	v := w.view(k, now)
	w.kind.Refused(&v.View, w.contention.Others(now))
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
