package header

import "strings"

// assignLists reads the values of a field that are not one plain number: several
// lines, lists, pairs, durations, dates.
func (r *Reading) assignLists(f *field, values []string) {
	item := 0
	for _, v := range values {
		v = r.cut(v)
		if slashList(v) {
			v = strings.ReplaceAll(v, "/", ",")
		}
		for v != "" && item < maxWindows {
			var member string
			if member, v = nextMember(f, v); member != "" {
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
		case c == '/' && i > 0 && isDigit(v[i-1]):
			slashes++
		case !isDigit(c):
			return false
		}
	}
	return slashes > 1 && isDigit(v[len(v)-1]) && !(len(v) == 10 && v[4] == '/' && v[7] == '/')
}

// nextMember cuts the first member off a list. Dates and pairs have commas in
// them that do not make a list.
func nextMember(f *field, v string) (member, rest string) {
	if f.role == roleLength || !isDigit(v[0]) && (f.role == roleReset || firstMark(v) == '=') {
		return v, ""
	}
	if n, rest, ok := scanThousands(v); ok && rest == "" && n.whole > 0 {
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
			return trim(v[:i]), trim(v[i+1:])
		}
	}
	return trim(v), ""
}

// assignMember reads one member of a list.
func (r *Reading) assignMember(f *field, item *int, v string) {
	n, rest, ok := scanNumber(unquote(v))
	switch {
	case ok && rest == "":
		r.assignNumber(f, *item, n)
		*item++
		return
	case ok && f.role == roleReset:
		r.assignReset(f, *item, v)
		*item++
		return
	case ok && rest[0] == ';' && f.role == roleLimit:
		r.addPolicies(f, v)
		return
	case ok && rest[0] == ';' && f.role == roleRemaining:
		// Docker Hub repeats the policy behind the number.
		if *item == 0 {
			r.assignNumber(f, 0, n)
			*item++
		}
		return
	case ok && rest[0] == ':' && (f.role == roleLimit || f.role == roleUsed):
		r.assignSpan(f, n, rest[1:])
		return
	case ok && rest[0] == ' ' && (f.role == roleLimit || f.role == roleRemaining || f.role == roleUsed) && r.assignCounted(f, *item, n, rest):
		*item++
		return
	case ok && rest[0] == '/':
		if !r.assignShare(f, v) && f.role == roleLimit {
			r.assignRate(f, *item, n, rest[1:])
		}
		*item++
		return
	}
	if !r.assignWord(f, *item, v) {
		if mark := firstMark(v); mark == ';' && f.role == roleRemaining {
			r.assignItems(f, v) // Azure: Microsoft.Compute/GetVM3Min;239
			return
		} else if mark != 0 && r.assignPairs(f, v) {
			return
		}
	}
	*item++
}

// assignWord reads a member that is no number. It reports whether it could.
func (r *Reading) assignWord(f *field, item int, v string) bool {
	switch f.role {
	case roleReset:
		r.assignReset(f, item, v)
		return true
	case roleLength:
		d, _, ok := parseDuration(unquote(v))
		if !ok {
			d = periodIn(unquote(v))
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
	if share, ok := strings.CutSuffix(v, "%"); ok && f.role != roleLimit {
		return p.setPercent(f.role, parseCount(trim(share)))
	}
	c := parseCount(v)
	if d, _, ok := parseDuration(unquote(v)); ok && c.State == Malformed && f.role == roleLimit {
		// AspNetCoreRateLimit sends the period where the limit belongs.
		p.setLength(d)
		return true
	}
	p.describe(f)
	switch f.role {
	case roleLimit:
		p.setLimit(c)
	case roleRemaining:
		p.setRemaining(c)
	case roleUsed:
		p.setUsed(c)
	}
	return c.State != Malformed
}

// setPercent sets what is left or used as a share of a hundred.
func (p *part) setPercent(role role, c Count) bool {
	if !c.Known() || c.Value > 200 {
		return false
	}
	p.Unit = "percent"
	p.setLimit(Count{Value: 100, State: Known})
	if role == roleRemaining {
		p.setRemaining(c)
	} else {
		p.setUsed(c)
	}
	return true
}

// assignReset reads a reset that is not a plain number.
func (r *Reading) assignReset(f *field, item int, v string) {
	p := r.at(f, item)
	if p == nil {
		return
	}
	p.describe(f)
	if v, ok := parseReset(v, f.step); ok {
		p.setReset(v, false)
	} else {
		p.broken = true
	}
}

// assignShare reads used/limit (Shopify, Recharge), or nothing if that is not
// what the value is.
func (r *Reading) assignShare(f *field, v string) bool {
	used, rest, ok := scanNumber(v)
	if after, found := strings.CutPrefix(rest, " of "); found {
		rest = "/" + after
	}
	if !ok || rest == "" || rest[0] != '/' {
		return false
	}
	limit, rest, ok := scanNumber(trim(rest[1:]))
	if !ok || rest != "" && rest[0] != '(' {
		return false // Salesforce puts an application behind it, in brackets
	}
	p := r.at(f, 0)
	if p == nil {
		return true
	}
	p.describe(f)
	if f.role == roleRemaining {
		p.setRemaining(countOf(used))
	} else {
		p.setUsed(countOf(used))
	}
	p.setLimit(countOf(limit))
	return true
}

// assignRate reads a limit with its period, as in 100/hour and 10/1m.
func (r *Reading) assignRate(f *field, item int, n number, period string) {
	d, _, ok := parseDuration(trim(period))
	if !ok {
		d = periodIn(trim(period))
	}
	if p := r.at(f, item); p != nil && d > 0 {
		p.describe(f)
		p.setLimit(countOf(n))
		p.setLength(d)
	}
}

// assignSpan reads one of Riot's number:seconds, and number:seconds:penalty of Path of
// Exile. The seconds name the window, for limits and uses come in different orders.
func (r *Reading) assignSpan(f *field, n number, seconds string) {
	seconds, _, _ = strings.Cut(seconds, ":")
	s, ok := parseNumber(seconds)
	if !ok || s.minus || s.whole == 0 || s.whole > maxDelta {
		return
	}
	p := r.at(f, -int(s.whole))
	if p == nil {
		return
	}
	if p.Length == 0 {
		p.Length, _ = s.times(1e9)
		p.Name, p.unnamed = joinName(f.label, seconds+"s"), false
	}
	if f.role == roleUsed {
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
