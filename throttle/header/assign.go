package header

import (
	"strings"
	"time"
)

// assign adds the values of one field to the windows.
func (r *Reading) assign(f *field, values []string) {
	values = values[:min(len(values), maxValues)]
	switch f.role {
	case roleLimit, roleRemaining, roleUsed, roleReset, roleLength:
		if len(values) == 1 {
			if n, ok := digits(values[0]); ok {
				r.assignNumber(f, 0, number{whole: n})
				return
			}
			if n, ok := parseNumber(values[0]); ok {
				r.assignNumber(f, 0, n)
				return
			}
			if (f.role == roleUsed || f.role == roleRemaining) && r.assignShare(f, trim(values[0])) {
				return // 42/1000, 99 of 100
			}
		}
		r.assignLists(f, values)
	case roleRetry, roleBackoff, roleDelay:
		for _, v := range values {
			// Proxies join repeated lines: 5, 60. A date has a comma of its own.
			for v = r.cut(v); v != "" && isDigit(v[0]); {
				var member string
				member, v = cutMember(v)
				r.waits.add(f, member)
			}
			r.waits.add(f, v)
		}
	case rolePacked:
		for _, v := range values {
			r.assignPacked(f, r.cut(v))
		}
	case rolePolicy:
		r.assignPolicies(f, values)
	case roleStem:
		r.assignStem(f, values)
	case rolePair:
		for _, v := range values {
			if v = r.cut(v); r.assignShare(f, v) {
				continue
			}
			if n, ok := digits(v); ok {
				weak := field{role: roleLimit, family: weakFamily, key: f.key, weak: true}
				r.assignNumber(&weak, 0, number{whole: n})
			}
		}
	case roleCost:
		n, ok := parseNumber(r.cut(values[0]))
		r.costs = r.costs || ok && !n.minus
	case roleName, roleScope, roleKind:
		for i, v := range values {
			r.assignText(f, i, unquote(r.cut(v)))
		}
	}
}

// cut bounds the work that values can make.
func (r *Reading) cut(v string) string {
	v = v[:min(len(v), maxValue, maxText-r.text)]
	r.text += len(v)
	return trim(v)
}

// assignNumber reads the value that nearly every field has.
func (r *Reading) assignNumber(f *field, item int, n number) {
	p := r.at(f, item)
	if p == nil {
		return
	}
	p.describe(f)
	switch f.role {
	case roleLimit, roleStem:
		p.setLimit(countOf(n))
	case roleRemaining:
		if f.full > 0 {
			p.setLimit(Count{Value: f.full, State: Known})
		}
		p.setRemaining(countOf(n))
	case roleUsed:
		p.setUse(f, n)
	case roleLength:
		p.setLength(lengthOf(n, f.step))
		p.unitlessLength = f.step == 0
	case roleReset:
		if v, ok := resetOf(n, f.step); ok {
			p.setReset(v, f.step == 0)
			p.milli = n.whole >= minEpochMilli && n.whole < minEpochMicro
		} else {
			p.broken = true
		}
	}
}

// assignBare takes the number behind a name without a role, such as
// X-RateLimit-Concurrent-Jobs, for the limit of the window that has that name, if the
// response tells no other limit of it.
func (r *Reading) assignBare(f *field, values []string) {
	if f.role != roleStem || !f.strict || len(values) != 1 {
		return
	}
	n, ok := parseNumber(values[0])
	if p := r.known(f.family, f.key, 0); ok && p != nil && p.Limit.State == Absent && (p.Remaining.Known() || p.Used.Known()) {
		p.setLimit(countOf(n))
	}
}

// setUse sets a use, or what follows from it if it is a share of the limit.
func (p *part) setUse(f *field, n number) {
	if f.full == 0 {
		p.setUsed(countOf(n))
		return
	}
	full, unit := f.full, f.unit
	if full == 1 && n.whole > 2 {
		full, unit = 100, "percent" // twice the limit is a share, fifty times is not
	}
	p.Unit = unit
	p.setLimit(Count{Value: full, State: Known})
	p.setUsed(countOf(n))
}

// lengthOf reads the length of a window. Without a unit in the name it is in
// seconds, unless that made it longer than a year.
func lengthOf(n number, step time.Duration) time.Duration {
	if step == 0 {
		step = time.Second
		if n.whole > maxDelta {
			step = time.Millisecond
		}
	}
	d, _ := n.times(step)
	return d
}

// assignText reads the fields that describe the unnamed window in words. Repeated
// lines belong to the windows that the other fields describe in the same
// order.
func (r *Reading) assignText(f *field, item int, v string) {
	if v == "" {
		return
	}
	p := r.at(f, item)
	if p == nil {
		return
	}
	switch f.role {
	case roleName:
		if p.unnamed {
			p.Name, p.unnamed = v, false
		}
		if d := periodNamed(v); d > 0 && p.Length == 0 {
			p.Length = d
		}
	case roleScope:
		if p.Scope == "" || v < p.Scope {
			p.Scope = v
		}
	case roleKind:
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
		switch at := lookUp(w); at.kind {
		case wordPeriod:
			if d > 0 {
				return 0
			}
			d = at.length
		case wordFiller, wordUnit, wordLimit, wordQuota:
		default:
			return 0
		}
	}
	return d
}

// periodIn returns the period that a text of words and dashes names, 0 when it
// names none.
func periodIn(v string) time.Duration {
	if len(v) > maxName {
		return 0
	}
	start := 0
	for i := 0; i <= len(v); i++ {
		if i < len(v) && v[i] != '-' && v[i] != '_' && v[i] != ' ' {
			continue
		}
		if w := lookUp(strings.ToLower(v[start:i])); w.kind == wordPeriod {
			return w.length
		}
		start = i + 1
	}
	return 0
}
