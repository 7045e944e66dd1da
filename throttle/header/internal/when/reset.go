// Package when reads when a client may come back, from numbers, from the keys of JSON members and
// from sentences.
package when

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Reset is a header.Reset: a moment, or a delay, and the step of the notation.
type Reset struct {
	At         time.Time
	In         time.Duration
	Resolution time.Duration
}

// Known reports whether the reset was told.
func (r Reset) Known() bool { return r.Resolution > 0 }

// Delay returns how long after base the reset comes: 0 for one that has passed or is not known,
// and never more than MaxDelay.
func (r Reset) Delay(base time.Time) time.Duration {
	d := r.In
	if !r.At.IsZero() {
		d = r.At.Sub(base)
	}
	return min(max(d, 0), MaxDelay)
}

// MaxDelay leaves callers room to add delays without overflow. It is longer than
// any wait that a caller accepts.
const MaxDelay = 100 * 365 * 24 * time.Hour

// Bounds of the rule that tells the meanings of a bare number apart.
const (
	// MaxDelta is a leap year: a delay of more is not a delay.
	MaxDelta = 366 * 86400
	// MinEpoch is 2000-01-01. Older epochs were never sent as a reset; newer ones were, also
	// from recordings twenty years old.
	MinEpoch      = 946_684_800
	MinEpochMilli = 100_000_000_000         // 1973 in milliseconds, 5138 in seconds
	MinEpochMicro = 100_000_000_000_000     // 1973 in microseconds
	MinEpochNano  = 100_000_000_000_000_000 // 1973 in nanoseconds
)

// Parse reads an instant or a delay. unit is the unit of a delay where the
// field's name tells it, and 0 where it does not (then it is seconds).
//
// Text speaks for itself. Of a number, only its size decides, not the prefix
// of the field's name and not whether it lies in the future: an epoch in the
// past is a reset that has passed, never a delay. Numbers between 366 days and
// the year 2000 mean nothing, and neither do negative ones and dates before
// 1970, which are placeholders.
func Parse(s string, unit time.Duration) (Reset, bool) {
	s = scan.Unquote(scan.Trim(s))
	s = strings.TrimPrefix(s, "in ")
	n, rest, ok := scan.CutNumber(s)
	if ok && rest == "" {
		return Of(n, unit)
	}
	if d, step, ok := scan.ParseDuration(s); ok {
		return Reset{In: d, Resolution: step}, true
	}
	if t, step, ok := scan.ParseDate(s); ok && t.Unix() > 0 {
		return Reset{At: t, Resolution: step}, true
	}
	return Reset{}, false
}

// Of is Parse for a number.
func Of(n scan.Number, unit time.Duration) (Reset, bool) {
	if n.Minus && !n.Zero() {
		return Reset{}, false
	}
	v := n.Whole
	if unit != 0 && unit < time.Millisecond && v < int64(MinEpochMilli*(time.Millisecond/unit)) {
		d, ok := n.Times(unit)
		return Reset{In: d, Resolution: unit}, ok
	}
	switch {
	case v >= MinEpochNano:
		return Reset{At: time.Unix(v/1e9, v%1e9).UTC(), Resolution: 1}, true
	case v >= MinEpochMicro:
		return Reset{At: time.UnixMicro(v).UTC(), Resolution: time.Microsecond}, true
	case v >= MinEpochMilli:
		return milliReset(n), true
	case unit != 0 && unit != time.Second:
		d, ok := n.Times(unit)
		return Reset{In: d, Resolution: n.Step(unit)}, ok
	case v >= MinEpoch:
		return Reset{At: time.Unix(v, n.Nanos).UTC(), Resolution: n.Step(time.Second)}, true
	case v <= MaxDelta:
		d, ok := n.Times(time.Second)
		return Reset{In: d, Resolution: n.Step(time.Second)}, ok
	}
	return Reset{}, false
}

// milliReset reads milliseconds since the epoch. A multiple of a thousand is
// taken for rounded seconds, which is the wider and so the safer reading.
func milliReset(n scan.Number) Reset {
	step := time.Millisecond
	if n.Whole%1000 == 0 && n.Nanos == 0 {
		step = time.Second
	}
	return Reset{At: time.UnixMilli(n.Whole).UTC(), Resolution: step}
}
