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

// assignShare reads used/limit (Shopify, Recharge), or nothing if that is not
// what the value is.
func (r *Reading) assignShare(f *names.Field, v string) bool {
	used, rest, ok := scan.CutNumber(v)
	if after, found := strings.CutPrefix(strings.TrimPrefix(rest, " out"), " of "); found {
		rest = "/" + after
	}
	if strings.HasPrefix(rest, " /") {
		rest = rest[1:]
	}
	if !ok || rest == "" || rest[0] != '/' {
		return false
	}
	limit, rest, ok := scan.CutNumber(scan.Trim(rest[1:]))
	if !ok || rest != "" && rest[0] != '(' {
		return false // Salesforce puts an application behind it, in brackets
	}
	p := r.at(f, 0)
	if p == nil {
		return true
	}
	p.describe(f)
	if f.Role == names.RoleRemaining {
		p.setRemaining(countOf(used))
	} else {
		p.setUsed(countOf(used))
	}
	p.setLimit(countOf(limit))
	return true
}

// setPercent sets what is left or used as a share of a hundred.
func (p *part) setPercent(role names.Role, c Count) bool {
	if !c.Known() || c.Value > 200 {
		return false
	}
	p.Unit = "percent"
	p.setLimit(Count{Value: 100, State: Known})
	if role == names.RoleRemaining {
		p.setRemaining(c)
	} else {
		p.setUsed(c)
	}
	return true
}

// shareItem sets what is told as a share of the limit apart from the counts of the same window.
const shareItem = 1 << 20

// settleShares makes windows of shares, except of those whose counts are told as well.
func (r *Reading) settleShares() {
	for i := range r.parts {
		p := &r.parts[i]
		if p.item < shareItem {
			continue
		}
		p.item -= shareItem
		for j := range r.parts {
			o := &r.parts[j]
			switch {
			case i == j || o.family != p.family || o.key != p.key || o.item != p.item:
			case o.counted():
				p.merged = true
			default:
				o.absorb(p)
			}
		}
	}
}
