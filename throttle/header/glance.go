package header

import (
	"math"
	"net/http"
	"strings"
)

// A Glance recognises responses that say the same of limits as an earlier one did, but
// that a little less is left. It looks at nothing else: when a window opens, or what its
// limit is, the readings of other responses tell. It is immutable, and costs a few
// lookups where a reading costs many.
type Glance struct {
	fields int        // that the earlier one had
	same   []sameText // fields that are to be as they were
	left   []leftText // and those that tell how much is left
}

type sameText struct{ name, value string }

// A leftText is a field in which only some numbers change, each behind the same text,
// and with the same text behind the last.
type leftText struct {
	name  string
	parts []leftPart
	end   string
}

type leftPart struct {
	before string
	least  int64 // that may be left; noLeast of a number that tells something else
}

const noLeast = math.MinInt64

// Glance returns a Glance for what follows a success with the given header, which the
// reader has read, when requests worth so much were sent and not answered yet, or soon
// will be: no less may be left than these explain. It is nil where a response has to be
// read to know what it says.
func (rd *Reader) Glance(h http.Header, spent int) *Glance {
	if len(h) >= maxShape || rd.bodies || rd.periods != nil {
		return nil
	}
	s := rd.shapes[len(h)].Load()
	if s == nil || !s.limit {
		return nil
	}
	g := &Glance{fields: len(h)}
	for _, f := range s.told {
		values := h[f.name]
		if len(values) != 1 || !g.add(f, values[0], int64(spent)) {
			return nil
		}
	}
	if len(g.left) == 0 || !g.spares(s.told) {
		return nil
	}
	return g
}

// add adds a field. It reports false when the field tells something else.
func (g *Glance) add(f *field, value string, spent int64) bool {
	if f.read != nil {
		return false
	}
	switch f.role {
	case roleLimit, roleReset, roleLength, rolePolicy, roleUsed:
		return true
	case roleName, roleScope:
		g.same = append(g.same, sameText{f.name, strings.Clone(value)})
		return true
	case roleRemaining:
		n, ok := digits(value)
		g.left = append(g.left, leftText{name: f.name, parts: []leftPart{{"", n - spent}}})
		return ok && !f.sum && !f.strict && f.full == 0
	case roleBare:
		if _, ok := digits(value); ok {
			return true
		}
		g.left = append(g.left, leftText{name: f.name})
		return g.left[len(g.left)-1].take(strings.Clone(value), spent)
	}
	return false
}

// spares reports whether all fields that tell what is used stand beside one that tells
// what is left of the same.
func (g *Glance) spares(told []*field) bool {
	for _, used := range told {
		if used.role != roleUsed {
			continue
		}
		known := false
		for _, f := range told {
			known = known || f.role == roleRemaining && f.key == used.key && f.family == used.family
		}
		if !known {
			return false
		}
	}
	return true
}

// take takes IETF's list apart: "day";r=100;t=36000, "hour";r=5;t=12. It reports false
// when some member does not tell what is left.
func (l *leftText) take(value string, spent int64) bool {
	left := 0
	for {
		i := nextParam(value)
		if i < 0 {
			break
		}
		before := value[:i]
		number, after, ok := leadingDigits(value[i:])
		if !ok || strings.Count(before, `"`)%2 != 0 {
			return false
		}
		least := int64(noLeast)
		if value[i-2] == 'r' {
			least = number - spent
			left++
		}
		l.parts, value = append(l.parts, leftPart{before, least}), after
	}
	l.end = value
	return left > 0
}

// nextParam returns where the value of the next parameter r or t begins, or -1.
func nextParam(s string) int {
	for i := 3; i <= len(s); i++ {
		if s[i-3] == ';' && (s[i-2] == 'r' || s[i-2] == 't') && s[i-1] == '=' {
			return i
		}
	}
	return -1
}

// leadingDigits reads the number that s begins with, and returns what follows it.
func leadingDigits(s string) (n int64, rest string, ok bool) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	n, ok = digits(s[:i])
	return n, s[i:], ok
}

// Matches reports whether the header of a success is as was to be expected.
func (g *Glance) Matches(h http.Header) bool {
	if len(h) != g.fields {
		return false
	}
	for i := range g.same {
		if values := h[g.same[i].name]; len(values) != 1 || values[0] != g.same[i].value {
			return false
		}
	}
	for i := range g.left {
		values := h[g.left[i].name]
		if len(values) != 1 || !g.left[i].matches(values[0]) {
			return false
		}
	}
	return true
}

func (l *leftText) matches(value string) bool {
	for i := range l.parts {
		p := &l.parts[i]
		if !strings.HasPrefix(value, p.before) {
			return false
		}
		n, rest, ok := leadingDigits(value[len(p.before):])
		if !ok || n < p.least {
			return false
		}
		value = rest
	}
	return value == l.end
}
