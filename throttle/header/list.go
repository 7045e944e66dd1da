package header

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// assignLists reads the values of a field that are not one plain number: several
// lines, lists, pairs, durations, dates.
func (r *Reading) assignLists(f *names.Field, values []string) {
	item := 0
	for _, v := range values {
		v = r.cut(v)
		if slashList(v) {
			v = strings.ReplaceAll(v, "/", ",")
		} else if inThousands(v) {
			v = strings.ReplaceAll(v, ",", "")
		}
		for v != "" && item < maxWindows {
			var member string
			if member, v = nextMember(f, v); member != "" && (scan.IsDigit(member[0]) || !r.assignLabelled(f, member)) {
				r.assignMember(f, &item, member)
			}
		}
	}
}

// slashList reports whether a value is a list of three plain numbers or more with slashes
// between them, as Lightspeed's 300/3000/12000. Two are a use and a limit, or a rate; and
// 2026/03/01 is a date.
func slashList(v string) bool {
	slashes := 0
	for i := range len(v) {
		switch c := v[i]; {
		case c == '/' && i > 0 && scan.IsDigit(v[i-1]):
			slashes++
		case !scan.IsDigit(c):
			return false
		}
	}
	return slashes > 1 && scan.IsDigit(v[len(v)-1]) && !(len(v) == 10 && v[4] == '/' && v[7] == '/')
}

// inThousands reports whether commas separate the thousands of one number, and no members of
// a list: they stand before groups of three, one of which begins with a zero. 1,000 is a
// thousand, and 1,500 may be two numbers.
func inThousands(v string) bool {
	zero := false
	for first := true; ; first = false {
		group, rest, more := strings.Cut(v, ",")
		if group == "" || len(group) > 3 || !first && len(group) != 3 || strings.Trim(group, "0123456789") != "" {
			return false
		}
		zero = zero || !first && group[0] == '0'
		if v = rest; !more {
			return zero
		}
	}
}

// nextMember cuts the first member off a list. Dates and pairs have commas in
// them that do not make a list.
func nextMember(f *names.Field, v string) (member, rest string) {
	if f.Role == names.RoleLength || !scan.IsDigit(v[0]) && (f.Role == names.RoleReset || firstMark(v) == '=') {
		return v, ""
	}
	if n, rest, ok := scan.CutThousands(v); ok && rest == "" && n.Whole > 0 {
		return v, ""
	}
	return cutMember(v)
}

// cutMember cuts at the first comma outside quotes.
func cutMember(v string) (member, rest string) {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return scan.Trim(v[:i]), scan.Trim(v[i+1:])
		}
	}
	return scan.Trim(v), ""
}

// assignMember reads one member of a list.
func (r *Reading) assignMember(f *names.Field, item *int, v string) {
	n, rest, ok := scan.CutNumber(scan.Unquote(v))
	switch {
	case ok && rest == "":
		r.assignNumber(f, *item, n)
		*item++
		return
	case ok && f.Role == names.RoleReset:
		r.assignReset(f, *item, v)
		*item++
		return
	case ok && rest[0] == ';' && f.Role == names.RoleLimit:
		r.addPolicies(f, v)
		return
	case ok && rest[0] == ';' && f.Role == names.RoleRemaining:
		// Docker Hub repeats the policy behind the number.
		if *item == 0 {
			r.assignNumber(f, 0, n)
			*item++
		}
		return
	case ok && rest[0] == ':' && (f.Role == names.RoleLimit || f.Role == names.RoleUsed):
		r.assignSpan(f, n, rest[1:])
		return
	case ok && rest[0] == ' ' && (f.Role == names.RoleLimit || f.Role == names.RoleRemaining || f.Role == names.RoleUsed) && r.assignCounted(f, *item, n, rest):
		*item++
		return
	case ok && f.Role == names.RoleLimit && len(rest) == 2 && rest[0] == 'p' && scan.UnitOf(rest[1:]) > 0:
		r.assignRate(f, *item, n, "/"+rest[1:]) // 10ps, as Apigee writes a rate
		*item++
		return
	case ok && f.Role == names.RoleLimit && len(rest) == 3 && names.LookUp(strings.ToLower(rest)).Kind == names.WordPeriod:
		r.assignRate(f, *item, n, "/"+strings.ToLower(rest)) // 60rpm
		*item++
		return
	case ok && (rest[0] == '/' || strings.HasPrefix(rest, "r/")):
		if !r.assignShare(f, v) && f.Role == names.RoleLimit {
			r.assignRate(f, *item, n, rest)
		}
		*item++
		return
	}
	if !r.assignWord(f, *item, v) {
		if mark := firstMark(v); mark == ';' && f.Role == names.RoleRemaining {
			r.assignItems(f, v) // Azure: Microsoft.Compute/GetVM3Min;239
			return
		} else if mark != 0 && r.assignPairs(f, v) {
			return
		}
	}
	*item++
}

// assignLabelled reads a value with the name of its window before it, as dev tunnels send in
// each of their fields: RateLimit-Limit: HttpRequestRatePerPort:1500/m. It reports whether
// that is what the value is.
func (r *Reading) assignLabelled(f *names.Field, v string) bool {
	if f.Role == names.RoleLength {
		return false
	}
	label, value, ok := strings.Cut(v, ":")
	if !ok || len(label) < 2 || len(label) > 48 || value == "" || !scan.IsDigit(value[0]) || strings.IndexByte(value, ':') >= 0 {
		return false
	}
	for i := range len(label) {
		if !scan.IsLetter(label[i]) && label[i] != '-' && label[i] != '_' {
			return false
		}
	}
	label = strings.ToLower(label)
	if role, _ := pairRole(label); role != names.RoleNone || names.LookUp(label) != (names.Word{}) {
		return false
	}
	if role := names.Of("ratelimit-" + label).Role; role != names.RoleNone && role != names.RoleStem {
		return false
	}
	own, item := *f, 0
	own.Key, own.Label = joinKey(f.Key, label), joinName(f.Label, label)
	r.assignMember(&own, &item, value)
	return true
}

// assignWord reads a member that is no number. It reports whether it could.
func (r *Reading) assignWord(f *names.Field, item int, v string) bool {
	switch f.Role {
	case names.RoleReset:
		r.assignReset(f, item, v)
		return true
	case names.RoleLength:
		d, _, ok := scan.ParseDuration(scan.Unquote(v))
		if !ok {
			d = periodIn(scan.Unquote(v))
		}
		if p := r.at(f, item); p != nil {
			p.setLength(d)
		}
		return d > 0
	}
	p := r.at(f, item)
	if p == nil {
		return true
	}
	if share, ok := strings.CutSuffix(v, "%"); ok && f.Role != names.RoleLimit {
		return p.setPercent(f.Role, parseCount(scan.Trim(share)))
	}
	c := parseCount(v)
	if d, _, ok := scan.ParseDuration(scan.Unquote(v)); ok && c.State == Malformed && f.Role == names.RoleLimit {
		// AspNetCoreRateLimit sends the period where the limit belongs.
		p.setLength(d)
		return true
	}
	p.describe(f)
	switch f.Role {
	case names.RoleLimit:
		p.setLimit(c)
	case names.RoleRemaining:
		p.setRemaining(c)
	case names.RoleUsed:
		p.setUsed(c)
	}
	return c.State != Malformed
}

// assignReset reads a reset that is not a plain number.
func (r *Reading) assignReset(f *names.Field, item int, v string) {
	p := r.at(f, item)
	if p == nil {
		return
	}
	p.describe(f)
	if v, ok := parseReset(v, f.Step); ok {
		p.setReset(v, false)
	} else {
		p.broken = true
	}
}

// assignRate reads a limit with its period behind it, as in 100/hour, 10/1m, and the 60r/m of
// nginx.
func (r *Reading) assignRate(f *names.Field, item int, n scan.Number, per string) {
	period, ok := strings.CutPrefix(strings.TrimPrefix(per, "r"), "/")
	if period = scan.Trim(period); !ok {
		return
	}
	if len(period) == 1 {
		period = "1" + period
	}
	d, _, ok := scan.ParseDuration(period)
	if !ok {
		d = periodIn(period)
	}
	if p := r.at(f, item); p != nil && d > 0 {
		p.describe(f)
		p.setLimit(countOf(n))
		p.setLength(d)
	}
}

// assignSpan reads one of Riot's number:seconds, and number:seconds:penalty of Path of
// Exile. The seconds name the window, for limits and uses come in different orders.
func (r *Reading) assignSpan(f *names.Field, n scan.Number, seconds string) {
	seconds, _, _ = strings.Cut(seconds, ":")
	s, ok := scan.ParseNumber(seconds)
	if !ok || s.Minus || s.Whole == 0 || s.Whole > maxDelta {
		return
	}
	p := r.at(f, -int(s.Whole))
	if p == nil {
		return
	}
	if p.Length == 0 {
		p.Length, _ = s.Times(1e9)
		p.Name, p.unnamed = joinName(f.Label, seconds+"s"), false
	}
	if f.Role == names.RoleUsed {
		p.setUsed(countOf(n))
	} else {
		p.setLimit(countOf(n))
	}
}

func joinName(scope, name string) string {
	if scope == "" || name == "" {
		return scope + name
	}
	return scope + "-" + name
}
