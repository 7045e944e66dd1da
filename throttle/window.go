package throttle

import (
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/contention"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
	"github.com/forbear-go/forbear/throttle/internal/kind"
	"github.com/forbear-go/forbear/throttle/internal/phase"
	"github.com/forbear-go/forbear/throttle/internal/probe"
	"github.com/forbear-go/forbear/throttle/internal/trust"
	"github.com/forbear-go/forbear/throttle/internal/utility"
)

// A window is what is known of one limit over one period.
type window struct {
	name, unit, scope string

	limit              int64 // below 0 when not told
	threshold, reserve int64 // of the limit

	// grantedThrough is the credit: requests up to this number are covered by what a
	// response said remained. raised is how many had been sent when it was set.
	// credited is false while no response told what remains.
	grantedThrough, raised int64
	credited               bool

	// reset is when the window opens, as the response to request resetTold said, and
	// that to request resetSince was the first to say.
	reset                 interval
	resetKnown            bool
	resetSince, resetTold int64
	// pacedSince is when pacing first delayed a request until this reset; 0 is not yet.
	pacedSince instant
	// settled is a time before which no request was sent that may be counted in the
	// window after the reset.
	settled instant

	length     clock.Length
	history    eventlog.Log
	turned     eventlog.Log // of what it holds that was refused, or answered without a word on it
	kind       kind.Estimator
	probe      probe.Probe
	contention contention.Estimator
	units      *unitWindow  // where it counts something else than requests
	belief     trust.Belief // in that nothing is left
	trust      trust.Estimator
	mixture    trust.Mixture
	resets     trust.Resets
	millis     trust.Millis
	fractions  trust.Fractions
	meaning    trust.Meaning
	utility    *utility.Estimator // of waiting for it; nil is not known
	instead    utility.Instead
	eager      probe.Eager
	phase      phase.Estimator
	steps      phase.Steps // where not all comes back at once
	span       *phase.Span

	moment     bool // the reset is told as one
	served     bool // an answer that was no refusal told of it
	concurrent bool // it limits the requests under way, not those of a period
	far        bool // it is too short for what responses say of it, and requests are spread
	coarse     probe.Coarse
}

// matches reports whether w is the window that a response speaks of.
func (w *window) matches(said *header.Window) bool {
	return w.name == said.Name && w.unit == said.Unit && w.scope == said.Scope
}

// said returns what a response says of w, or nil.
func (w *window) said(r *header.Reading) *header.Window {
	for i := range r.Windows {
		if w.matches(&r.Windows[i]) {
			return &r.Windows[i]
		}
	}
	return nil
}

// counts reports whether w counts requests over a period.
func (w *window) counts() bool { return w.units == nil && !w.concurrent }

// open reports whether the window says nothing that could stop a request.
func (w *window) open() bool {
	return !w.credited && (w.limit <= 0 || w.length.Value == 0)
}

// mayHaveOpened reports whether the window may have opened since it was heard of, as one that opens at once.
func (w *window) mayHaveOpened(now instant) bool {
	return w.resetKnown && now >= w.reset.Earliest && !w.phase.Failed()
}

// ignored reports whether what responses say of the window does not matter.
func (w *window) ignored() bool { return w.disbelieved() || w.far }

// disbelieved reports whether requests are served beyond what the window says, or may be.
func (w *window) disbelieved() bool {
	return w.belief.Beyond() || w.trust.Broken() || w.mixture.Mixed() || w.instead.On()
}

// send counts n more, up to the given number, as sent; last is when the last one was. A test of what the window
// says is no probe of when it opens.
func (w *window) send(now, last, slack instant, number, n int64, test bool) {
	w.eager.Send(now, number)
	if !test && w.probes(now, number, n) {
		w.belief.Try(now)
		w.probe.Send(now, last, number)
	}
	if w.far {
		w.span.Send(now, n, w.limit-w.reserve, w.length.Value)
	}
	w.kind.Take(now, slack, n)
	if w.length.Value > 0 {
		w.history.Forget(now - 3*(w.length.Value+slack))
		w.history.Add(now, n)
	}
}

// probes reports whether the answer to a request tells if the window has opened:
// because it goes on no better ground, or because the window may be open already.
func (w *window) probes(now instant, number, n int64) bool {
	switch {
	case w.concurrent || w.open() || w.ignored():
		return false
	case w.resetKnown && now >= w.reset.Earliest:
		return true
	}
	return w.grantedThrough-w.reserve < number && !w.kind.Explains(now, w.limit-w.reserve, n)
}

// lengthSure reports whether the length is more than a guess.
func (w *window) lengthSure() bool {
	return w.length.Known() || w.length.Value == w.kind.Aligned() || w.length.Value == w.steps.Settled()
}

// view returns what the estimators have to know of the window.
func (w *window) view(k *Limiter, now instant) contention.View {
	return contention.View{
		View: kind.View{
			Now: now, Limit: w.limit, Reserve: w.reserve, Length: w.length.Value, LengthSure: w.lengthSure(), Follows: w.steps.Settled() == w.length.Value,
			Reset: w.reset, ResetKnown: w.resetKnown, Settled: w.settled, Arrived: k.arrived(), Log: &w.history, Turned: &w.turned, RTT: &k.rtt,
		},
		Kind: &w.kind, Sent: k.sent, Answered: k.answered, LastSent: k.lastSent,
	}
}
