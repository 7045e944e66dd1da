package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Bounds of the rule that tells the meanings of a bare number apart.
const (
	// A delay of more than a leap year is not a delay.
	maxDelta = 366 * 86400
	// 2000-01-01. Older epochs were never sent as a reset; newer ones were, also
	// from recordings twenty years old.
	minEpoch      = 946_684_800
	minEpochMilli = 100_000_000_000         // 1973 in milliseconds, 5138 in seconds
	minEpochMicro = 100_000_000_000_000     // 1973 in microseconds
	minEpochNano  = 100_000_000_000_000_000 // 1973 in nanoseconds
)

// parseReset reads an instant or a delay. unit is the unit of a delay where the
// field's name tells it, and 0 where it does not (then it is seconds).
//
// Text speaks for itself. Of a number, only its size decides, not the prefix
// of the field's name and not whether it lies in the future: an epoch in the
// past is a reset that has passed, never a delay. Numbers between 366 days and
// the year 2000 mean nothing, and neither do negative ones and dates before
// 1970, which are placeholders.
func parseReset(s string, unit time.Duration) (Reset, bool) {
	s = scan.Unquote(scan.Trim(s))
	s = strings.TrimPrefix(s, "in ")
	n, rest, ok := scan.CutNumber(s)
	if ok && rest == "" {
		return resetOf(n, unit)
	}
	if d, step, ok := scan.ParseDuration(s); ok {
		return Reset{In: d, Resolution: step}, true
	}
	if t, step, ok := scan.ParseDate(s); ok && t.Unix() > 0 {
		return Reset{At: t, Resolution: step}, true
	}
	return Reset{}, false
}

func resetOf(n scan.Number, unit time.Duration) (Reset, bool) {
	if n.Minus && !n.Zero() {
		return Reset{}, false
	}
	v := n.Whole
	if unit != 0 && unit < time.Millisecond && v < int64(minEpochMilli*(time.Millisecond/unit)) {
		d, ok := n.Times(unit)
		return Reset{In: d, Resolution: unit}, ok
	}
	switch {
	case v >= minEpochNano:
		return Reset{At: time.Unix(v/1e9, v%1e9).UTC(), Resolution: 1}, true
	case v >= minEpochMicro:
		return Reset{At: time.UnixMicro(v).UTC(), Resolution: time.Microsecond}, true
	case v >= minEpochMilli:
		return milliReset(n), true
	case unit != 0 && unit != time.Second:
		d, ok := n.Times(unit)
		return Reset{In: d, Resolution: n.Step(unit)}, ok
	case v >= minEpoch:
		return Reset{At: time.Unix(v, n.Nanos).UTC(), Resolution: n.Step(time.Second)}, true
	case v <= maxDelta:
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

// better picks one of two resets that a response gives for the same window.
// The finer notation says more; of equals a delay, which needs no clock; of
// equals still, the later, which is the safe one.
func better(a, b Reset) Reset {
	switch {
	case !b.Known():
		return a
	case !a.Known():
		return b
	case a.Resolution != b.Resolution:
		if b.Resolution < a.Resolution {
			return b
		}
	case a.At.IsZero() != b.At.IsZero():
		if b.At.IsZero() {
			return b
		}
	case b.In > a.In || b.At.After(a.At):
		return b
	}
	return a
}
