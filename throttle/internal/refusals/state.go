package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An Inferred is what was learned of a limit on a period and of a rate; 0 is not known.
type Inferred struct {
	Limit  int64
	Length clock.Instant
	Opens  clock.Instant // when a window began
	Fixed  bool          // others begin whole lengths before and after it
	Sure   bool
	Spent  int64          // requests of the window
	Room   int64          // what is left of it
	Ready  clock.Instant  // when the limit lets the next request go
	Window clock.Interval // of the window that is open, if fixed

	Rate     float64 // requests a second
	RateSure bool
	Next     clock.Instant // when the rate lets the next request go
}

// Inferred returns what was learned.
func (e *Estimator) Inferred(v *View, now clock.Instant) (out Inferred) {
	l := e.limits
	if l == nil {
		return Inferred{}
	}
	if s := &l.span; s.limit > 0 {
		spent := l.log.After(s.since(v, now))
		if s.weighs {
			spent = s.weighed(v, l, now)
		}
		out = Inferred{Limit: s.limit, Length: s.length, Opens: s.opens.Latest, Fixed: s.fixed, Sure: s.sure, Spent: spent, Room: max(s.limit-spent, 0),
			Ready: s.ready(v, l, now, 1)}
		if s.fixed {
			in := s.window(now)
			out.Window = clock.Between(in.Latest, in.Earliest+s.length)
		}
	}
	if p := &l.pace; p.rate > 0 {
		out.Rate, out.RateSure, out.Next = p.now(), p.period > paceFirst, p.next
	}
	return out
}

// Restore starts with what an earlier run of the program learned, and when it sent the last
// request of the window.
func (e *Estimator) Restore(now clock.Instant, was *Inferred, last clock.Instant) {
	l := e.learned()
	if was.Limit > 0 {
		l.span = inferredWindow{limit: was.Limit, length: was.Length, rolled: true, sure: true, patient: climbFirst, proof: windowProof{given: true}}
		l.span.opens, l.span.fixed = clock.Between(was.Opens-min(l.span.length/8, 2*clock.Second), was.Opens), was.Fixed
		l.span.climb = now + climbFirst*l.span.length
		if was.Spent > 0 && l.log.Empty() && last > -l.span.length {
			l.log.Add(last, was.Spent)
		}
	}
	if was.Rate > 0 {
		l.pace = inferredRate{rate: was.Rate, period: max(paceLatest, 60*was.Rate), next: now}
	}
}

// Begin starts with a rate that a server was seen to serve, unless a limit was learned already.
func (e *Estimator) Begin(now clock.Instant, rate float64) {
	if l := e.learned(); !l.known() {
		l.pace.believe(rate, now)
	}
}

// A Spread is what is left of an inferred window, below the threshold, and has to last until
// it ends.
type Spread struct {
	Left   int64
	Lately int64         // requests sent in as long a time
	First  clock.Instant // the first of these
	Ends   clock.Instant
}

// Spread returns what is to be spread; it reports false if nothing is.
func (e *Estimator) Spread(v *View, now clock.Instant) (Spread, bool) {
	l := e.limits
	if l == nil || l.span.limit <= 0 || !l.span.proof.given || l.span.weighs {
		return Spread{}, false
	}
	s := &l.span
	reserve := min(v.Amounts.ReserveOf(s.limit), s.limit-1)
	left := s.limit - reserve - l.log.After(s.since(v, now))
	threshold := v.Amounts.ThresholdOf(s.limit)
	if left <= 0 || left > threshold || now >= s.climb && threshold < s.limit && reserve == 0 {
		return Spread{}, false
	}
	oldest := l.log.FirstAfter(s.since(v, now))
	if oldest == clock.Never {
		return Spread{}, false
	}
	ends := oldest + s.reach(v)
	if s.fixed {
		ends = s.window(now).Latest
	}
	return Spread{Left: left, Lately: l.log.After(2*now - ends), First: oldest, Ends: ends}, true
}

// Told reports whether the server refuses requests, and said until when.
func (e *Estimator) Told() bool {
	return e.limits != nil && e.limits.event.under && e.limits.event.told
}

// Concurrency returns the limit on the requests in flight, 0 if none is known, and whether
// that is sure.
func (e *Estimator) Concurrency() (limit int64, sure bool) {
	if !e.inFlight.known() {
		return 0, false
	}
	return e.inFlight.limit, !e.inFlight.trial.on
}
