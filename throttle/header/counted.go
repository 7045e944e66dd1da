package header

import (
	"strings"
	"time"
)

// assignCounted reads a count with what it counts and its period behind it: 10 requests,
// 100 per minute, 100 requests/hour. It reports whether that is what the value is.
func (r *Reading) assignCounted(f *field, item int, n number, words string) bool {
	if len(words) > maxName {
		return false
	}
	own := *f
	var length time.Duration
	for w := range strings.FieldsFuncSeq(lowerString(words), func(c rune) bool { return c == ' ' || c == '/' }) {
		switch known := lookUp(w); {
		case known.kind == wordUnit:
			own.unit = known.unit
		case known.kind == wordPeriod && length == 0:
			length = known.length
		case w == "per", w == "a", w == "an", w == "each", w == "every", w == "in", w == "left":
		default:
			return false
		}
	}
	r.assignNumber(&own, item, n)
	if p := r.at(f, item); p != nil {
		p.setLength(length)
	}
	return true
}
