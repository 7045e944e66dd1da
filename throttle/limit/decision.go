package limit

import "time"

// A Decision says when a request may go. The zero value lets it go now.
type Decision struct {
	// At is the time at which to ask again. The request may go now if that is not after now.
	At time.Time
	// Soonest, if not zero, is the earliest time at which the request may go, if requests that are
	// under way are answered soon. It is not after At.
	Soonest time.Time
	// Limit names the limit that decides. It appears in errors, so it must not hold a secret.
	Limit string
	// Max, when positive, refuses for good: the request costs more than the limit ever allows at once,
	// which is Max.
	Max int
	// Cost is, beside a Max, what the request costs of that limit, where it does not count requests.
	Cost int
	// Unknown refuses without a time: ask again when something is known that is not known now. At is
	// ignored.
	Unknown bool
	// Paced, when positive, says that the request could go at once, and is held until At only to spread
	// requests; one that has waited for so long, or cannot wait until At, may go before. A request that
	// comes later, and may go at once, need not wait behind it.
	Paced time.Duration
	// Until, if not zero, is when the limit itself lets the request go, as far as an earlier run of the
	// program knew; at At it may go to see whether that is still so. It is of no use to a request that
	// cannot wait until then.
	Until time.Time
	// Try says that nothing but the word of an answer that was no refusal holds the request back: one
	// that cannot wait until At may go now, to see whether that is true.
	Try bool
	// Trial, if not zero, is when to ask again about a request that cannot wait until At: it may go then, to
	// see whether that is true. It is not after At.
	Trial time.Time
}

// Admits reports whether d lets the request go at now.
func (d *Decision) Admits(now time.Time) bool {
	return d.Max <= 0 && !d.Unknown && !d.At.After(now)
}

// Earliest returns the earliest time at which the request may go, as far as is known.
func (d *Decision) Earliest() time.Time {
	if d.Soonest.IsZero() {
		return d.At
	}
	return d.Soonest
}

// After reports whether d holds the request back for longer than other does.
func (d *Decision) After(other *Decision) bool {
	switch {
	case d.Max > 0 || other.Max > 0:
		return d.Max > 0 && other.Max <= 0
	case d.Unknown || other.Unknown:
		return d.Unknown && !other.Unknown
	}
	return d.At.After(other.At)
}
