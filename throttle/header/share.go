package header

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

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
