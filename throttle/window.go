package throttle

import (
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/contention"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
	"github.com/forbear-go/forbear/throttle/internal/kind"
	"github.com/forbear-go/forbear/throttle/internal/phase"
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
	// settled is a time before which no request was sent that may be counted in the
	// window after the reset.
	settled instant

	length     clock.Length
	history    eventlog.Log
	kind       kind.Estimator
	probe      probe
	contention contention.Estimator
	units      *unitWindow // where it counts something else than requests
	belief     belief
	trust      trust
	eager      eagerness
	mixture    mixture
	misleads   misleads
	phase      phase.Estimator

	moment     bool    // the reset is told as one
	served     bool    // an answer that was no refusal told of it
	concurrent bool    // it limits the requests under way, not those of a period
	far        bool    // it is too short for what responses say of it
	step       instant // of the notation of its reset
	coarse     coarse
}

// A probe is a request that was sent without knowing that the window is open, to
// see what comes back. There is one at a time.
type probe struct {
	number int64 // of the request under way; 0 is none
	sent   instant
	blind  blindness
	bidden instant // when a refusal asked to come back, which may be before the reset; 0 is never
	bade   instant // that of the request under way
}

// answeredBy reports whether the answer to t is that to the probe under way, or
// one as good.
func (p *probe) answeredBy(t *Reservation) bool { return p.number != 0 && t.number >= p.number }

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

// open reports whether the window says nothing that could stop a request.
func (w *window) open() bool {
	return !w.credited && (w.limit <= 0 || w.length.Value == 0)
}

// ignored reports whether requests are served beyond what the window says, or may be.
func (w *window) ignored() bool {
	return w.belief.beyond || w.trust.broken || w.far || w.mixture.mixed()
}

// send counts n more, up to the given number, as sent.
func (w *window) send(now, slack instant, number, n int64) {
	w.eager.send(now, number)
	if w.probes(now, number, n) {
		w.belief.try(now)
		w.probe.number, w.probe.sent = number, now
		w.probe.bade, w.probe.bidden = w.probe.bidden, 0
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

// conclude notes that what t stands for is no longer under way.
func (w *window) conclude(t *Reservation) {
	if w.probe.answeredBy(t) {
		// Unless the answer spoke of this window, the next may go as this one did.
		w.probe.number, w.probe.bidden, w.probe.bade = 0, w.probe.bade, 0
	}
}

// view returns what the estimators have to know of the window.
func (w *window) view(k *Limiter, now instant) contention.View {
	return contention.View{
		View: kind.View{
			Now: now, Limit: w.limit, Reserve: w.reserve, Length: w.length.Value, LengthSure: w.length.Known(),
			Reset: w.reset, ResetKnown: w.resetKnown, Settled: w.settled, Log: &w.history, RTT: &k.rtt,
		},
		Kind: &w.kind, Sent: k.sent, Answered: k.answered, LastSent: k.lastSent,
	}
}
