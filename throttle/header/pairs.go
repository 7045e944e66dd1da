package header

import (
	"net/url"
	"strings"
	"time"
)

// assignPairs reads key=value or key:value, separated by anything: the seventh
// IETF draft (limit=100, remaining=50, reset=5), Zendesk, Unity, Upbit, App
// Store Connect, Salesforce, Copilot, IBM, and Trakt's JSON. A key that comes again
// begins the next window. It reports whether it found a key that it knows.
func (r *Reading) assignPairs(f *field, v string) bool {
	v = trim(v)
	if len(v) > 1 && v[0] == '{' && v[len(v)-1] == '}' {
		v = v[1 : len(v)-1]
	}
	t := pairReader{r: r, f: f, own: *f}
	for v != "" {
		var pair string
		pair, v = cutPair(v)
		t.read(pair)
	}
	return t.found
}

// cutPair cuts off the text up to the next separator outside quotes.
func cutPair(v string) (pair, rest string) {
	quoted := false
	for i := range len(v) {
		switch v[i] {
		case '"':
			quoted = !quoted
		case ',', ';', '&':
			if !quoted {
				return trim(v[:i]), v[i+1:]
			}
		}
	}
	return trim(v), ""
}

type pairReader struct {
	r     *Reading
	f     *field
	own   field // f with the role of the pair at hand
	item  int
	seen  [roleCache + 1]bool // roles seen in the window at hand
	found bool
}

func (t *pairReader) read(pair string) {
	i := strings.IndexAny(pair, "=:")
	if i < 0 {
		// IBM: name=<rule>,<n>. The number is what the field is named for.
		if n, ok := parseNumber(pair); ok && t.found {
			t.assign(t.f.role, n)
		}
		return
	}
	key, value := unquote(trim(pair[:i])), unquote(trim(pair[i+1:]))
	// Pairs one after the other: Remaining: 33994 Time until reset: 3519.
	if end := strings.IndexByte(value, ' '); end > 0 && isDigit(value[0]) && strings.IndexByte(value[end:], ':') > 0 && isLetter(firstByte(trim(value[end:]))) {
		defer t.read(trim(value[end:]))
		value = value[:end]
	}
	if key == "" || value == "" || len(key) > 48 {
		return
	}
	role, step := pairRole(key)
	if role == roleNone {
		t.compound(key, value)
		return
	}
	if t.seen[role] {
		t.item++
		clear(t.seen[:])
	}
	t.seen[role] = true
	t.found = true
	if strings.IndexByte(value, '%') >= 0 {
		if plain, err := url.QueryUnescape(value); err == nil {
			value = plain
		}
	}
	t.own.role, t.own.step = role, step
	t.own.full = 0
	if role == roleRemaining && key == "rem" && t.f.strict {
		t.percent(value)
		return
	}
	t.r.assignPair(&t.own, t.item, value)
}

// percent reads Copilot's rem, which is in percent of an entitlement (ent) that
// is not in the same unit.
func (t *pairReader) percent(value string) {
	if p := t.r.at(&t.own, t.item); p != nil {
		p.Unit = "percent"
		p.setRemaining(parseCount(value))
		p.Limit = Count{Value: 100, State: Known}
	}
}

func (t *pairReader) assign(role role, n number) {
	t.own.role = role
	if role == roleStem {
		t.own.role = roleLimit
	}
	t.r.assignNumber(&t.own, t.item, n)
}

// assignPair reads the value of one pair.
func (r *Reading) assignPair(f *field, item int, value string) {
	switch f.role {
	case roleName, roleScope, roleKind:
		r.assignText(f, item, value)
	case roleReset:
		r.assignReset(f, item, value)
		if p := r.at(f, item); p != nil {
			p.unitless = f.step == 0
		}
	default:
		if n, ok := parseNumber(value); ok {
			r.assignNumber(f, item, n)
		} else {
			r.assignWord(f, item, value)
		}
	}
}

// compound reads a pair whose key names a window: user-hour-lim:3500 (a role is
// in it), api-usage=135/5000 and sec=29 (it is in the value or in the field's
// own name).
func (t *pairReader) compound(key, value string) {
	f := t.own
	f.key, f.label = joinKey(t.f.key, key), joinName(t.f.label, key)
	if n := strings.IndexByte(value, ' '); n > 0 {
		t.scoped(&f, value)
		return
	}
	if t.r.assignShare(&f, value) {
		t.found = true
		return
	}
	n, ok := parseNumber(value)
	if !ok {
		return
	}
	if w := lookUp(strings.ToLower(key)); w.kind == wordPeriod && t.f.role == roleRemaining {
		f.role, f.length = roleRemaining, w.length
		t.found = true
		t.r.assignNumber(&f, 0, n)
		return
	}
	part := fieldOf("ratelimit-" + strings.ReplaceAll(key, " ", "-"))
	switch part.role {
	case roleLimit, roleRemaining, roleUsed, roleReset:
		f.role, f.length, f.unit, f.step = part.role, part.length, part.unit, part.step
		f.key, f.label = joinKey(t.f.key, part.key), joinName(t.f.label, part.label)
		t.found = true
		t.r.assignNumber(&f, 0, n)
	}
}

// scoped reads Eventbrite's "token:NAME 45/2000 reset=600s".
func (t *pairReader) scoped(f *field, value string) {
	for word := range strings.FieldsSeq(value) {
		if t.r.assignShare(f, word) {
			t.found = true
		} else if after, ok := strings.CutPrefix(word, "reset="); ok {
			t.r.assignReset(f, 0, after)
		}
	}
}

func joinKey(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "-" + b
}

// pairRole tells what the key of a pair means. It is a switch, not classify,
// because the seventh draft goes through here with every response.
func pairRole(key string) (role, time.Duration) {
	if len(key) > 16 {
		return roleNone, 0
	}
	var buf [16]byte
	for i := range len(key) {
		buf[i] = lower(key[i])
	}
	switch string(buf[:len(key)]) {
	case "limit", "q", "total", "lim", "max", "quota":
		return roleLimit, 0
	case "remaining", "r", "rem", "left", "remain":
		return roleRemaining, 0
	case "used", "usage", "consumed", "count":
		return roleUsed, 0
	case "reset", "resets", "rst", "until", "resettime", "reset_at", "reset_time", "resets_at", "expires":
		return roleReset, 0
	case "t", "reset_in", "resets_in", "reset_after", "ttl":
		return roleReset, time.Second
	case "period", "window", "w", "interval", "duration":
		return roleLength, 0
	case "name", "policy", "b":
		return roleName, 0
	case "scope", "bucket":
		return roleScope, 0
	}
	return roleNone, 0
}
