package header

import (
	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// assignStem reads a field that is named by the stem alone. Depending on who sends
// it, it holds a limit, IETF's list of windows, or pairs of many kinds.
func (r *Reading) assignStem(f *names.Field, values []string) {
	for _, v := range values {
		v = r.cut(v)
		if v == "" {
			continue
		}
		if n, ok := scan.ParseNumber(v); ok {
			if f.Strict {
				r.bare = true
			} else {
				r.assignNumber(f, 0, n)
			}
			continue
		}
		switch firstMark(v) {
		case 0:
			if !f.Strict && scan.IsDigit(v[0]) {
				r.assignLists(f, []string{v}) // 12, 30, 45
			}
		case ';':
			if scan.IsDigit(v[0]) {
				r.addPolicies(f, v)
			} else {
				r.assignItems(f, v)
			}
		case '=', ':':
			if scan.IsDigit(v[0]) {
				asLimit := *f
				asLimit.Role = names.RoleLimit
				r.assignLists(&asLimit, []string{v})
			} else {
				r.assignPairs(f, v)
			}
		case '/':
			if !r.assignShare(f, v) {
				if n, per, ok := scan.CutNumber(v); ok {
					asLimit := *f
					asLimit.Role = names.RoleLimit
					r.assignRate(&asLimit, 0, n, per)
				}
			}
		}
	}
}

// firstMark returns the byte outside quotes that tells notations apart: mostly
// the first one that can.
func firstMark(v string) byte {
	if v[0] == '{' || v[0] == '[' {
		return ':'
	}
	quoted, params := false, false
	var mark byte
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\':
			i++
		case quoted:
		case c == ';':
			// A token too may have a colon in it: after:all;x=y;r=5.
			if mark == 0 || letterAssigned(v[i+1:]) {
				return c
			}
			params = true
		case c == '=' && !params, (c == ':' || c == '/') && scan.IsDigit(v[0]):
			return c
		case c == ':' && mark == 0:
			mark = c
		}
	}
	return mark
}

// letterAssigned reports whether a parameter of one letter follows: r=5.
func letterAssigned(s string) bool {
	s = scan.Trim(s)
	return len(s) > 2 && scan.IsLetter(s[0]) && s[1] == '='
}

// assignItems reads IETF's list: "day";r=100;t=36000, "hour";r=5.
func (r *Reading) assignItems(f *names.Field, v string) {
	var it item
	for v != "" {
		v = it.scan(v)
		if it.name != "" && (it.measured || it.limits) {
			r.assignItem(f, &it)
		} else if it.name != "" && it.count {
			if p := r.find(f.Family, it.name, it.name, 0); p != nil {
				p.setRemaining(countOf(it.value))
			}
		}
	}
}
