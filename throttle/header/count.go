package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Text that servers send for "no limit at all".
func saysUnlimited(s string) bool {
	for _, word := range [...]string{"unlimited", "infinity", "infinite", "inf", "no limit", "nolimit"} {
		if scan.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// parseCount reads a counter: an integer or a decimal, in quotes or not, with
// thousands separators if decimals follow them (Dataverse: "1,200.00").
// Minus one, and the words for it, are the notation for "no limit".
func parseCount(s string) Count {
	s = scan.Unquote(scan.Trim(s))
	n, rest, ok := scan.CutNumber(s)
	if ok && rest != "" && rest[0] == ',' {
		n, rest, ok = scan.CutThousands(s)
	}
	if !ok || rest != "" {
		if saysUnlimited(s) {
			return Count{State: Unlimited}
		}
		return Count{State: Malformed}
	}
	return countOf(n)
}

func countOf(n scan.Number) Count {
	if n.Minus && n.Whole == 1 && n.Nanos == 0 {
		return Count{State: Unlimited}
	}
	return Count{Value: n.Float(), State: Known}
}

// assignCounted reads a count with what it counts and its period behind it: 10 requests,
// 100 per minute, 100 requests/hour. It reports whether that is what the value is.
func (r *Reading) assignCounted(f *names.Field, item int, n scan.Number, words string) bool {
	if len(words) > names.MaxName {
		return false
	}
	own := *f
	var length time.Duration
	times := ""
	for w := range strings.FieldsFuncSeq(strings.ToLower(words), func(c rune) bool { return c == ' ' || c == '/' }) {
		known := names.LookUp(times + w)
		times = ""
		switch {
		case known.Kind == names.WordUnit:
			own.Unit = known.Unit
		case known.Kind == names.WordPeriod && length == 0:
			length = known.Length
		case scan.IsDigit(w[0]) && len(w) < 6 && length == 0:
			times = w // per 1 minute
		case w == "per", w == "a", w == "an", w == "each", w == "every", w == "in", w == "left":
		default:
			return false
		}
	}
	if times != "" {
		return false
	}
	r.assignNumber(&own, item, n)
	if p := r.at(f, item); p != nil {
		p.setLength(length)
	}
	return true
}
