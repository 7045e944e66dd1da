package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/phase"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An Announced is what one response says of a window, in terms that clients which share
// the quota can exchange.
type Announced struct {
	Name      string
	Limit     int
	Remaining int // for all clients that spend the quota, less Reserve
	Reserve   int // of ours; it is not to be spent
	// Earliest and Latest bound the reset.
	Earliest, Latest time.Time
	// Length is the period of the window, or 0 where it is not known for sure.
	Length time.Duration
}

// Announced returns what a response says of its windows. It is to be called right after
// Observe took the response in. It reports false if one of them is of a sort that a count
// of requests does not describe, such as tokens or requests under way.
func (k *Limiter) Announced(r *header.Reading) ([]Announced, bool) {
	var all []Announced
	for j := range r.Windows {
		said := &r.Windows[j]
		w := k.matching(said)
		remaining, counted := count(said.Remaining, said.Unit)
		switch {
		case w == nil, r.Refused && len(k.edges) > 0:
			continue // a limit in front of the API
		case !counted, !said.Reset.Known(), !w.resetKnown, said.Unit != "" && said.Unit != "requests",
			!w.counts(), w.ignored():
			return nil, false
		}
		var period instant
		if w.length.Known() {
			period = w.length.Value
		}
		all = append(all, Announced{
			Name: w.name + "\x00" + w.scope, Limit: int(w.limit), Remaining: int(max(remaining-w.reserve, 0)), Reserve: int(w.reserve),
			Earliest: k.time(w.reset.Earliest), Latest: k.time(w.reset.Latest), Length: time.Duration(period),
		})
	}
	return all, true
}

func (k *Limiter) matching(said *header.Window) *window {
	for i := range k.windows {
		if k.windows[i].matches(said) {
			return &k.windows[i]
		}
	}
	return nil
}

// AskUnannounced is [Limiter.Ask] without the windows that the server announces: it heeds
// refusals and what they taught. It serves those who know by other means what they may
// spend of the windows.
func (k *Limiter) AskUnannounced(now time.Time, cost int) limit.Decision {
	i, n := k.instant(now), units(cost)
	k.expire(i)
	if d, never := k.never(n); never {
		return d
	}
	k.trust.Suspended = true
	at, _, name := k.ready(nil, i, n)
	if at == never {
		return limit.Decision{Limit: name, Unknown: true}
	}
	return limit.Decision{At: k.time(at), Limit: name}
}

// AskUnlearned is [Limiter.AskUnannounced] without the limits on a period or a rate that refusals
// taught, either. It serves those who know by other means what these are.
func (k *Limiter) AskUnlearned(now time.Time, cost int) limit.Decision {
	i, n := k.instant(now), units(cost)
	k.expire(i)
	at, name := k.opens(i, n)
	v := k.view()
	switch free := k.refusals.InFlightReady(&v, i, n); {
	case free == never:
		return limit.Decision{Limit: Learned, Unknown: true}
	case free > at:
		at, name = free, Learned
	}
	return limit.Decision{At: k.time(at), Limit: name}
}

// AskPacing returns when pacing lets a request go that may go now, as [Limiter.Ask] does.
func (k *Limiter) AskPacing(now time.Time, cost int) limit.Decision {
	return k.pacing(now, k.instant(now), units(cost))
}

// moment returns the reset that is told by the server's clock; 0 is not as a moment.
func moment(said *header.Window) instant {
	if said.Reset.At.IsZero() {
		return 0
	}
	return instant(said.Reset.At.UnixNano())
}

// narrow returns the reset that a response told as far as those of other responses tell when windows begin.
func (w *window) narrow(k *Limiter, reset interval, s *phase.Response) interval {
	switch {
	case w.phased(k, s.Received, s.Step):
		return w.phase.Observe(reset, s)
	case w.stepped(k, s.Received, s.Step):
		return w.steps.Observe(reset, s)
	}
	return reset
}

// stepped reports whether there is something to learn from the resets of a window that does not open at once.
func (w *window) stepped(k *Limiter, now, step instant) bool {
	return len(k.windows) == 1 && w.limit > 0 && w.units == nil && (w.phase.Failed() || w.length.Told && !w.kind.CounterExcluded()) &&
		!w.contention.Others(now) && w.steps.Plausible(w.length.Period(), step)
}

// phased reports whether there is something to learn from an answer.
func (w *window) phased(k *Limiter, now, step instant) bool {
	length := w.length.Value
	if w.length.Told && !w.kind.CounterExcluded() {
		return false // what is left of a weighed window rises before it opens
	}
	if !w.length.Told {
		length = w.length.Least - 2*step // as far as is known
	}
	return len(k.windows) == 1 && w.limit > 0 && w.units == nil && !w.kind.Regains() && !w.contention.Others(now) &&
		w.phase.Plausible(length, step)
}

// tells returns when a request would tell most of when windows begin that do not open at once. The last that remains is
// kept until then.
func (w *window) tells(k *Limiter, now instant) instant {
	if !w.credited || w.kind.Regains() || now-k.lastSent >= w.length.Value || !w.stepped(k, now, w.coarse.Step()) {
		return now
	}
	way := k.rtt.Low() / 2
	return max(w.steps.Test(now+way)-way, now)
}
