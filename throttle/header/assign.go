package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// assign adds the values of one field to the windows.
func (r *Reading) assign(f *names.Field, values []string) {
	values = values[:min(len(values), maxValues)]
	switch f.Role {
	case names.RoleLimit, names.RoleRemaining, names.RoleUsed, names.RoleReset, names.RoleLength:
		if len(values) == 1 {
			if n, ok := digits(values[0]); ok {
				r.assignNumber(f, 0, scan.Number{Whole: n})
				return
			}
			if n, ok := scan.ParseNumber(values[0]); ok {
				r.assignNumber(f, 0, n)
				return
			}
			if (f.Role == names.RoleUsed || f.Role == names.RoleRemaining) && r.assignShare(f, scan.Trim(values[0])) {
				return // 42/1000, 99 of 100
			}
		}
		r.assignLists(f, values)
	case names.RoleRetry, names.RoleBackoff, names.RoleDelay:
		r.assignWaits(f, values)
	case names.RolePacked:
		for _, v := range values {
			r.assignPacked(f, r.cut(v))
		}
	case names.RolePolicy:
		r.assignPolicies(f, values)
	case names.RoleStem:
		r.assignStem(f, values)
	case names.RolePair:
		r.assignShares(f, values)
	case names.RoleCost:
		r.assignCost(f, values[0])
	case names.RoleBurst:
		r.assignBurst(f, values[0])
	case names.RoleUnit:
		r.assignUnit(f, scan.Unquote(r.cut(values[0])))
	case names.RoleName, names.RoleScope, names.RoleKind:
		for i, v := range values {
			r.assignText(f, i, scan.Unquote(r.cut(v)))
		}
	}
}

// assignWaits reads when to come back.
func (r *Reading) assignWaits(f *names.Field, values []string) {
	for _, v := range values {
		// Proxies join repeated lines: 5, 60. A date has a comma of its own.
		for v = r.cut(v); v != "" && scan.IsDigit(v[0]); {
			var member string
			member, v = cutMember(v)
			r.waits.add(f, member)
		}
		r.waits.add(f, v)
	}
}

// assignCost notes whether a request cost other than one, or another request of the host did.
func (r *Reading) assignCost(f *names.Field, v string) {
	n, ok := scan.ParseNumber(r.cut(v))
	r.costs = r.costs || ok && !n.Minus && !(f.Weak && n.Nanos != 0) && (r.costly || n.Whole != 1 || n.Nanos != 0)
}

// assignBurst reads how much a bucket holds.
func (r *Reading) assignBurst(f *names.Field, v string) {
	n, ok := scan.ParseNumber(r.cut(v))
	if p := r.at(f, 0); ok && p != nil {
		r.asideOf(p).burst = countOf(n)
	}
}

// assignShares reads used/limit. A plain number is a limit if the rest of that name stands
// beside it.
func (r *Reading) assignShares(f *names.Field, values []string) {
	for _, v := range values {
		if v = r.cut(v); r.assignShare(f, v) {
			continue
		}
		if n, ok := digits(v); ok {
			weak := names.Field{Role: names.RoleLimit, Family: names.WeakFamily, Key: f.Key, Weak: true}
			r.assignNumber(&weak, 0, scan.Number{Whole: n})
		}
	}
}

// cut bounds the work that values can make.
func (r *Reading) cut(v string) string {
	v = v[:min(len(v), maxValue, maxText-r.text)]
	r.text += len(v)
	return scan.Trim(v)
}

// assignNumber reads the value that nearly every field has.
func (r *Reading) assignNumber(f *names.Field, item int, n scan.Number) {
	if f.Full > 0 {
		item += shareItem
		r.shared = true
	}
	p := r.at(f, item)
	if p == nil {
		return
	}
	p.describe(f)
	switch f.Role {
	case names.RoleLimit, names.RoleStem:
		p.ofStem = f.Role == names.RoleStem
		p.setLimit(countOf(n))
	case names.RoleRemaining:
		if f.Full > 0 {
			p.setLimit(Count{Value: f.Full, State: Known})
		}
		p.setRemaining(countOf(n))
	case names.RoleUsed:
		p.setUse(f, n)
	case names.RoleLength:
		p.setLength(lengthOf(n, f.Step))
		p.unitlessLength = f.Step == 0
	case names.RoleReset:
		if v, ok := resetOf(n, f.Step); ok && f.TTL && v.At.IsZero() {
			r.asideOf(p).ttl = v
		} else if ok {
			p.setReset(v, f.Step == 0)
			p.milli = n.Whole >= when.MinEpochMilli && n.Whole < when.MinEpochMicro
		} else {
			p.broken = true
		}
	}
}

// assignBare takes the number behind a name without a role, such as
// X-RateLimit-Concurrent-Jobs, for the limit of the window that has that name, if the
// response tells no other limit of it.
func (r *Reading) assignBare(f *names.Field, values []string) {
	if f.Role != names.RoleStem || !f.Strict || len(values) != 1 {
		return
	}
	n, ok := scan.ParseNumber(values[0])
	p := r.known(f.Family, f.Key, 0)
	if p == nil && names.Dictionary[f.Key].Kind == names.WordUnit {
		if p = r.known(f.Family, "", 0); p != nil && p.Remaining.Known() && p.Remaining.Value <= n.Float() {
			p.Unit = max(p.Unit, f.Unit) // X-RateLimit-Requests: 100 beside X-RateLimit-Remaining
		} else {
			p = nil
		}
	}
	if ok && p != nil && p.Limit.State == Absent && (p.Remaining.Known() || p.Used.Known()) {
		p.setLimit(countOf(n))
	}
}

// setUse sets a use, or what follows from it if it is a share of the limit.
func (p *part) setUse(f *names.Field, n scan.Number) {
	if f.Full == 0 {
		p.setUsed(countOf(n))
		return
	}
	full, unit := f.Full, f.Unit
	if full == 1 && n.Whole > 2 {
		full, unit = 100, "percent" // twice the limit is a share, fifty times is not
	}
	p.Unit = unit
	p.setLimit(Count{Value: full, State: Known})
	p.setUsed(countOf(n))
}

// assignUnit reads what the windows of a family count, or the period of the unnamed one:
// X-RateLimit-Unit: tokens, X-RateLimit-Unit: minute. Other words say nothing.
func (r *Reading) assignUnit(f *names.Field, v string) {
	if len(v) > names.MaxName {
		return
	}
	w := strings.ToLower(v)
	if d := periodNamed(w); d > 0 {
		if p := r.at(f, 0); p != nil {
			r.asideOf(p).period = d
		}
	} else if unit := names.UnitOf(w); unit != "" {
		r.unit, r.unitFamily = unit, f.Family
	}
}

// lengthOf reads the length of a window. Without a unit in the name it is in
// seconds, unless that made it longer than a year.
func lengthOf(n scan.Number, step time.Duration) time.Duration {
	if step == 0 {
		step = time.Second
		if n.Whole > maxDelta {
			step = time.Millisecond
		}
	}
	d, _ := n.Times(step)
	return d
}

// assignText reads the fields that describe the unnamed window in words. Repeated
// lines belong to the windows that the other fields describe in the same
// order.
func (r *Reading) assignText(f *names.Field, item int, v string) {
	if v == "" {
		return
	}
	p := r.at(f, item)
	if p == nil {
		return
	}
	switch f.Role {
	case names.RoleName:
		if p.unnamed {
			p.Name, p.unnamed = v, false
		}
		if d := periodNamed(v); d > 0 && p.Length == 0 {
			p.Length = d
		}
	case names.RoleScope:
		if p.Scope == "" || v < p.Scope {
			p.Scope = v
		}
	case names.RoleKind:
		// "Daily-limit", "QPS": the length of the window that the other fields
		// speak of. Anything else ("application", "3") says nothing.
		if d := periodIn(v); d > 0 {
			p.setLength(d)
			if p.unnamed {
				p.Name, p.unnamed = v, false
			}
		}
	}
}

// periodNamed returns the period that is all that a name says, as "per_hour" and
// "daily" do, and "user-hourly" does not.
func periodNamed(v string) time.Duration {
	if len(v) > 32 {
		return 0
	}
	var d time.Duration
	for w := range strings.FieldsFuncSeq(strings.ToLower(v), func(c rune) bool { return c == '-' || c == '_' || c == ' ' }) {
		switch at := names.LookUp(w); at.Kind {
		case names.WordPeriod:
			if d > 0 {
				return 0
			}
			d = at.Length
		case names.WordFiller, names.WordUnit, names.WordLimit, names.WordQuota:
		default:
			return 0
		}
	}
	return d
}

// periodIn returns the period that a text of words and dashes names, 0 when it
// names none.
func periodIn(v string) time.Duration {
	if len(v) > names.MaxName {
		return 0
	}
	start := 0
	for i := 0; i <= len(v); i++ {
		if i < len(v) && v[i] != '-' && v[i] != '_' && v[i] != ' ' {
			continue
		}
		if w := names.LookUp(strings.ToLower(v[start:i])); w.Kind == names.WordPeriod {
			return w.Length
		}
		start = i + 1
	}
	return 0
}
