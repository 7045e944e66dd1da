package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
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
