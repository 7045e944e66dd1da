package throttle

import (
	"encoding/json"
	"time"

	"github.com/forbear-go/forbear/throttle/internal/kind"
)

// A Status is what a [Limiter] knows at some moment. It is a copy: nothing in it
// changes later.
type Status struct {
	// Windows are the limits that the server announced, in the order in which it first
	// announced them, followed by the limits that were learned from refusals.
	Windows []WindowStatus `json:",omitempty"`
	// Hold is when the wait that a refusal asked for ends. It is zero if there is none.
	Hold time.Time `json:",omitzero"`
	// Refusals is the number of consecutive refusals, each after the wait that the
	// previous one asked for.
	Refusals int `json:",omitzero"`
	// InFlight is the total cost of the requests in flight, including those whose
	// response was lost recently.
	InFlight int `json:",omitzero"`
	// Fastest and Slowest are the shortest and longest round trip seen recently. They
	// are zero until the first one.
	Fastest, Slowest time.Duration `json:",omitzero"`
}

// A Kind is how a limit counts, as far as the responses show.
type Kind string

// The kinds of limits.
const (
	Unknown    Kind = kind.Unknown // not known yet
	Fixed      Kind = kind.Fixed   // counts requests between one reset and the next
	Rolling    Kind = kind.Rolling // counts requests in any period of its length
	Weighed    Kind = kind.Weighed // adds two fixed windows, weighting the older one
	Bucket     Kind = kind.Bucket  // refills continuously
	Rate       Kind = "rate"       // allows a number of requests a second; learned from refusals
	Concurrent Kind = "concurrent" // counts requests in flight
)

// A WindowStatus is the state of one limit.
type WindowStatus struct {
	// Name, Unit and Scope are the server's own words. The name of a limit that was
	// learned from refusals is Learned.
	Name, Unit, Scope string `json:",omitzero"`
	// Limit is the most that the limit allows. It is negative if the server did not say;
	// JSON omits it then.
	Limit int
	// Remaining is what remains for all clients of the quota, according to the newest
	// response. It is negative if no response said so; JSON omits it then.
	Remaining int
	// Credit is this client's part of it: what it may still send without another response,
	// as far as the counts show. It is less than Remaining by the requests in flight, by
	// the demand of other clients, and by the reserve.
	Credit int
	// Earliest and Latest bound when the window resets. They are zero if that is not
	// known.
	Earliest, Latest time.Time `json:",omitzero"`
	// Length is the period, or 0 if it is not known. Told reports whether it comes from
	// the server rather than from an estimate.
	Length time.Duration `json:",omitzero"`
	Told   bool          `json:",omitzero"`
	// Rate is the estimated limit in requests per second; set only if Kind is Rate.
	Rate float64 `json:",omitzero"`
	// Kind is how the limit counts. Sure reports whether enough responses confirm it.
	Kind Kind `json:",omitzero"`
	Sure bool `json:",omitzero"`
	// Others reports whether other clients seem to spend the same quota. Share is this
	// client's share of what is spent: 1 if there are no others.
	Others bool    `json:",omitzero"`
	Share  float64 `json:",omitzero"`
	// Ready is when this limit allows the next request of cost 1. It is zero if that
	// depends on a response that is still outstanding.
	Ready time.Time `json:",omitzero"`
}

// MarshalJSON omits what is not known.
func (w WindowStatus) MarshalJSON() ([]byte, error) {
	type plain WindowStatus
	known := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	return json.Marshal(struct {
		plain
		Limit     *int `json:",omitempty"`
		Remaining *int `json:",omitempty"`
	}{plain(w), known(w.Limit), known(w.Remaining)})
}

// Status returns the state at now. It may be called at any time, has no visible effect,
// and takes well under a microsecond per window.
func (k *Limiter) Status(now time.Time) Status {
	i := k.instant(now)
	k.expire(i)
	s := Status{
		Refusals: int(k.cooldown.refusals), InFlight: int(k.sent - k.answered),
		Fastest: time.Duration(k.rtt.WasShortest), Slowest: time.Duration(k.rtt.WasLongest),
	}
	if k.cooldown.until > i {
		s.Hold = k.time(k.cooldown.until)
	}
	for j := range k.windows {
		s.Windows = append(s.Windows, k.windows[j].status(k, i))
	}
	if k.remembered.valid(i) {
		k.remembered.status(k, i, &s)
	}
	s.Windows = k.learned(s.Windows, i)
	return s
}

func (w *window) status(k *Limiter, now instant) WindowStatus {
	s := WindowStatus{
		Name: w.name, Unit: w.unit, Scope: w.scope, Limit: int(w.limit),
		Length: time.Duration(w.length.Value), Told: w.length.Told,
		Remaining: -1, Others: w.contention.Others(now), Share: 1, Ready: k.time(w.next(k, now)),
	}
	left := w.grantedThrough - k.sent
	if s.Others {
		s.Share = w.contention.Part(w.limit)
		left = min(left, w.contention.Budget(w.limit)-k.sent)
	}
	if w.units != nil {
		if w.units.told {
			s.Remaining, s.Credit = int(w.units.newest), int(max(w.units.Level(k.time(now)), 0))
		}
	} else if w.credited {
		s.Credit = int(max(left-w.reserve, 0))
		if left, known := w.contention.Remaining(); known {
			s.Remaining = int(left)
		}
	}
	if w.resetKnown {
		s.Earliest, s.Latest = k.time(w.reset.Earliest), k.time(w.reset.Latest)
	}
	switch name, sure := w.kind.Kind(w.resetKnown); {
	case w.concurrent:
		s.Kind, s.Sure = Concurrent, true
	case w.units != nil && w.units.Refills():
		s.Kind, s.Sure = Bucket, true
	default:
		s.Kind, s.Sure = Kind(name), sure
	}
	return s
}

// next returns when a request may go, and pacing lets it.
func (w *window) next(k *Limiter, now instant) instant {
	return max(w.ready(k, now, 1), w.paced(k, now, 1).at)
}

// learned appends what refusals taught.
func (k *Limiter) learned(to []WindowStatus, now instant) []WindowStatus {
	v := k.view()
	is := k.refusals.Inferred(&v, now)
	if is.Limit > 0 {
		w := WindowStatus{
			Name: Learned, Limit: int(is.Limit), Remaining: -1, Length: time.Duration(is.Length), Kind: Rolling, Sure: is.Sure, Share: 1,
			Credit: int(is.Room), Ready: k.time(max(is.Ready, k.learnedPaced(now, 1).at)),
		}
		if is.Fixed {
			w.Kind, w.Earliest, w.Latest = Fixed, k.time(is.Window.Earliest), k.time(is.Window.Latest)
		}
		to = append(to, w)
	}
	if is.Rate > 0 {
		to = append(to, WindowStatus{
			Name: Learned, Limit: -1, Remaining: -1, Kind: Rate, Rate: is.Rate, Sure: is.RateSure, Share: 1, Ready: k.time(max(is.Next, now)),
		})
	}
	if limit, sure := k.refusals.Concurrency(); limit > 0 {
		w := WindowStatus{
			Name: Learned, Unit: concurrentUnit, Limit: int(limit), Remaining: -1, Share: 1, Kind: Concurrent, Sure: sure,
			Credit: int(max(limit-(k.sent-k.answered), 0)),
		}
		w.Ready = k.time(k.refusals.InFlightReady(&v, now, 1))
		to = append(to, w)
	}
	return to
}

// time returns an instant as a time; it is zero when none is known.
func (k *Limiter) time(at instant) time.Time {
	if at == never {
		return time.Time{}
	}
	return k.clock.Origin.Add(time.Duration(at))
}
