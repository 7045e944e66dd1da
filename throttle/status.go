package throttle

import (
	"encoding/json"
	"time"
)

// A Status is what a throttle believes at some moment. It is a copy: nothing in it
// changes later.
type Status struct {
	// Windows are the limits that the server announced, in the order in which it did
	// so first, and after them those that refusals taught.
	Windows []WindowStatus `json:",omitempty"`
	// Hold is when the wait ends that a refusal asked for. It is zero when there is
	// none.
	Hold time.Time `json:",omitzero"`
	// Refusals is how many refusals came in a row, each after the wait that the one
	// before asked for.
	Refusals int `json:",omitzero"`
	// InFlight is what the requests cost that are under way, and those whose answer
	// was lost a short while ago.
	InFlight int `json:",omitzero"`
	// Fastest and Slowest are the bounds of the round trips seen lately. They are zero
	// until there was one.
	Fastest, Slowest time.Duration `json:",omitzero"`
}

// A Kind is how a limit counts, as far as its answers show.
type Kind string

// The kinds of limits.
const (
	Unknown    Kind = ""           // nothing yet tells the kinds apart
	Fixed      Kind = "fixed"      // so many between one reset and the next
	Rolling    Kind = "rolling"    // so many in any period of its length
	Weighed    Kind = "weighed"    // two counts, of which the older one fades
	Bucket     Kind = "bucket"     // refilled all the time
	Rate       Kind = "rate"       // so many a second, found by refusals
	Concurrent Kind = "concurrent" // so many at a time
)

// A WindowStatus is what is believed of one limit.
type WindowStatus struct {
	// Name, Unit and Scope are those that the server used; Learned is the name of a
	// limit that refusals taught.
	Name, Unit, Scope string `json:",omitzero"`
	// Limit is the most that is allowed; below 0, the server did not tell. JSON leaves it
	// out then.
	Limit int
	// Remaining is what the newest answer said remains, for everybody who spends the quota;
	// below 0, none said so. JSON leaves it out then.
	Remaining int
	// Credit is our part of that: what may still be sent without another answer, as far as
	// counts tell. It is less than Remaining by what is under way, by what others want, and by
	// the reserve.
	Credit int
	// Earliest and Latest bound when the window opens again. They are zero when
	// nothing is known of it.
	Earliest, Latest time.Time `json:",omitzero"`
	// Length is the period, 0 when it is not known. Told says that the server told it,
	// and that it is no guess.
	Length time.Duration `json:",omitzero"`
	Told   bool          `json:",omitzero"`
	// Rate is, of a Rate, how many requests a second go.
	Rate float64 `json:",omitzero"`
	// Kind is how the limit counts, and Sure whether enough answers agreed with that
	// to rely on it.
	Kind Kind `json:",omitzero"`
	Sure bool `json:",omitzero"`
	// Others reports whether others are believed to spend the same quota, and Share
	// is which part of what is spent is ours: 1 when nobody else is there.
	Others bool    `json:",omitzero"`
	Share  float64 `json:",omitzero"`
	// Ready is when the next request of cost 1 may go on the account of this limit. It
	// is zero when that depends on an answer that is yet to come.
	Ready time.Time `json:",omitzero"`
}

// MarshalJSON leaves out what is not known.
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

// Status returns what is believed at now. It may be called at any time, changes
// nothing that a caller could see, and takes well under a microsecond a window.
func (k *Limiter) Status(now time.Time) Status {
	i := k.instant(now)
	k.expireLost(i)
	s := Status{
		Refusals: k.cooldown.refusals, InFlight: int(k.sent - k.answered),
		Fastest: time.Duration(k.rtt.wasShortest), Slowest: time.Duration(k.rtt.wasLongest),
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
	if k.estimator != nil {
		s.Windows = k.estimator.status(s.Windows, k, i)
	}
	return s
}

func (w *window) status(k *Limiter, now instant) WindowStatus {
	s := WindowStatus{
		Name: w.name, Unit: w.unit, Scope: w.scope, Limit: int(w.limit),
		Length: time.Duration(w.length.value), Told: w.length.told,
		Remaining: -1, Others: w.contention.others(now), Share: 1, Ready: k.time(w.next(k, now)),
	}
	left := w.grantedThrough - k.sent
	if s.Others {
		s.Share = w.contention.ours(w)
		left = min(left, w.contention.budget(w)-k.sent)
	}
	if w.units != nil {
		if w.units.told {
			s.Remaining, s.Credit = int(w.units.newest), int(max(w.units.Level(k.time(now)), 0))
		}
		s.Kind, s.Sure = w.kind()
		if w.units.Refills() {
			s.Kind, s.Sure = Bucket, true
		}
	} else if w.credited {
		s.Credit = int(max(left-w.reserve, 0))
		if w.contention.begun {
			s.Remaining = int(w.contention.left)
		}
	}
	if w.resetKnown {
		s.Earliest, s.Latest = k.time(w.reset.earliest), k.time(w.reset.latest)
	}
	if w.units == nil {
		s.Kind, s.Sure = w.kind()
	}
	return s
}

// next returns when a request may go, and pacing lets it.
func (w *window) next(k *Limiter, now instant) instant {
	return max(w.ready(k, now, 1), w.paced(k, now, 1).at)
}

// kind returns how the window counts, and whether that is sure.
func (w *window) kind() (Kind, bool) {
	switch {
	case w.concurrent:
		return Concurrent, true
	case w.bucket.recognised:
		return Bucket, true
	case w.sliding.recognised:
		return Weighed, true
	case w.rolling.proved():
		return Rolling, true
	case w.contention.rolled > 0:
		return Rolling, w.contention.rolled >= rolls
	case w.resetKnown:
		return Fixed, w.contention.jumped >= rolls
	}
	return Unknown, false
}

// status appends what refusals taught.
func (l *estimator) status(to []WindowStatus, k *Limiter, now instant) []WindowStatus {
	if s := &l.span; s.limit > 0 {
		kind := Rolling
		if s.fixed {
			kind = Fixed
		}
		w := WindowStatus{
			Name: Learned, Limit: int(s.limit), Remaining: -1, Length: time.Duration(s.length), Kind: kind, Sure: s.sure, Share: 1,
			Credit: int(max(s.limit-l.log.after(s.since(k, now)), 0)), Ready: k.time(max(s.ready(k, l, now, 1), s.paced(k, l, now, 1).at)),
		}
		if s.fixed {
			in := s.window(now)
			w.Earliest, w.Latest = k.time(in.latest), k.time(in.earliest+s.length)
		}
		to = append(to, w)
	}
	if p := &l.pace; p.rate > 0 {
		to = append(to, WindowStatus{
			Name: Learned, Limit: -1, Remaining: -1, Kind: Rate, Rate: p.now(), Sure: p.period > paceFirst, Share: 1,
			Ready: k.time(max(p.next, now)),
		})
	}
	return to
}

// time returns an instant as a time; it is zero when none is known.
func (k *Limiter) time(at instant) time.Time {
	if at == never {
		return time.Time{}
	}
	return k.clock.origin.Add(time.Duration(at))
}
