package header

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// maxDelta is the longest delay, in seconds.
const maxDelta = when.MaxDelta

// parseReset reads an instant or a delay, as when.Parse does.
func parseReset(s string, unit time.Duration) (Reset, bool) {
	t, ok := when.Parse(s, unit)
	return Reset(t), ok
}

// resetOf is parseReset for a number.
func resetOf(n scan.Number, unit time.Duration) (Reset, bool) {
	t, ok := when.Of(n, unit)
	return Reset(t), ok
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
