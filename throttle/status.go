package throttle

import "time"

// A Status is what a throttle believes at some moment. It is a copy: nothing in it
// changes later.
type Status struct {
	// Windows are the limits that the server announced, in the order in which it did
	// so first, and after them those that refusals taught.
	Windows []WindowStatus
	// Hold is when the wait ends that a refusal asked for. It is zero when there is
	// none.
	Hold time.Time
	// Refusals is how many refusals came in a row, each after the wait that the one
	// before asked for.
	Refusals int
	// InFlight is what the requests cost that are under way, and those whose answer
	// was lost a short while ago.
	InFlight int
	// Fastest and Slowest are the bounds of the round trips seen lately. They are zero
	// until there was one.
	Fastest, Slowest time.Duration
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
	Name, Unit, Scope string
	// Limit is the most that is allowed; below 0, the server did not tell.
	Limit int
	// Credit is what may still be sent without another answer, as far as counts tell:
	// less than the server would say, by what is under way and what others want.
	Credit int
	// Earliest and Latest bound when the window opens again. They are zero when
	// nothing is known of it.
	Earliest, Latest time.Time
	// Length is the period, 0 when it is not known. Told says that the server told it,
	// and that it is no guess.
	Length time.Duration
	Told   bool
	// Rate is, of a Rate, how many requests a second go.
	Rate float64
	// Kind is how the limit counts, and Sure whether enough answers agreed with that
	// to rely on it.
	Kind Kind
	Sure bool
	// Others reports whether others are believed to spend the same quota, and Share
	// is which part of what is spent is ours: 1 when nobody else is there.
	Others bool
	Share  float64
	// Ready is when the next request of cost 1 may go on the account of this limit. It
	// is zero when that depends on an answer that is yet to come.
	Ready time.Time
}

// Status returns what is believed at now. It may be called at any time, changes
// nothing that a caller could see, and takes well under a microsecond a window.
func (k *Throttle) Status(now time.Time) Status {
	i := k.instant(now)
	k.settle(i)
	s := Status{
		Refusals: k.hold.refusals, InFlight: int(k.sent - k.answered),
		Fastest: time.Duration(k.latency.wasShortest), Slowest: time.Duration(k.latency.wasLongest),
	}
	if k.hold.until > i {
		s.Hold = k.time(k.hold.until)
	}
	for j := range k.windows {
		s.Windows = append(s.Windows, k.windows[j].status(k, i))
	}
	if k.taught != nil {
		s.Windows = k.taught.status(s.Windows, k, i)
	}
	return s
}

func (w *window) status(k *Throttle, now instant) WindowStatus {
	s := WindowStatus{
		Name: w.name, Unit: w.unit, Scope: w.scope, Limit: int(w.limit),
		Length: time.Duration(w.length.value), Told: w.length.told,
		Others: w.share.others(now), Share: 1, Ready: k.time(w.next(k, now)),
	}
	left := w.ceiling - k.sent
	if s.Others {
		s.Share = w.share.ours(w)
		left = min(left, w.share.budget(w)-k.sent)
	}
	if w.credited {
		s.Credit = int(max(w.price.of(left)-w.reserve, 0))
	}
	if w.resetKnown {
		s.Earliest, s.Latest = k.time(w.reset.earliest), k.time(w.reset.latest)
	}
	s.Kind, s.Sure = w.kind()
	return s
}

// next returns when a request may go, and pacing lets it.
func (w *window) next(k *Throttle, now instant) instant {
	return max(w.ready(k, now, 1), w.paced(k, now, 1).at)
}

// kind returns how the window counts, and whether that is sure.
func (w *window) kind() (Kind, bool) {
	switch {
	case w.concurrent:
		return Concurrent, true
	case w.bucket.recognised:
		return Bucket, true
	case w.counter.recognised:
		return Weighed, true
	case w.trust.proved():
		return Rolling, true
	case w.share.rolled > 0:
		return Rolling, w.share.rolled >= rolls
	case w.resetKnown:
		return Fixed, w.share.jumped >= rolls
	}
	return Unknown, false
}

// status appends what refusals taught.
func (l *taught) status(to []WindowStatus, k *Throttle, now instant) []WindowStatus {
	if s := &l.span; s.limit > 0 {
		kind := Rolling
		if s.fixed {
			kind = Fixed
		}
		w := WindowStatus{
			Name: Learned, Limit: int(s.limit), Length: time.Duration(s.length), Kind: kind, Sure: s.sure, Share: 1,
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
			Name: Learned, Limit: -1, Kind: Rate, Rate: p.now(), Sure: p.period > paceFirst, Share: 1,
			Ready: k.time(max(p.next, now)),
		})
	}
	return to
}

// time returns an instant as a time; it is zero when none is known.
func (k *Throttle) time(at instant) time.Time {
	if at == never {
		return time.Time{}
	}
	return k.clock.origin.Add(time.Duration(at))
}
