package header

import (
	"net/url"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// assignPairs reads key=value or key:value, separated by anything: the seventh
// IETF draft (limit=100, remaining=50, reset=5), Zendesk, Unity, Upbit, App
// Store Connect, Salesforce, Copilot, IBM, and Trakt's JSON. A key that comes again
// begins the next window. It reports whether it found a key that it knows.
func (r *Reading) assignPairs(f *names.Field, v string) bool {
	if v = scan.Trim(v); v != "" && (v[0] == '{' || v[0] == '[') {
		return r.assignJSON(f, v)
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
				return scan.Trim(v[:i]), v[i+1:]
			}
		}
	}
	return scan.Trim(v), ""
}

// assignJSON reads pairs in JSON: one window an object, which its key may name.
func (r *Reading) assignJSON(f *names.Field, v string) bool {
	t := pairReader{r: r, f: f, own: *f}
	s := scan.JSON{Text: v}
	object, parent, found := 0, "", false
	for s.Next() {
		if s.Object != object {
			if name := s.Path[max(s.Depth-1, 0)]; name != parent {
				found = found || t.found
				t, parent = pairReader{r: r, f: f, own: *f}, name
				if w := names.LookUp(strings.ToLower(name)); w.Kind != names.WordLimit && names.Of("ratelimit-"+name).Role != names.RoleNone {
					t.own.Key, t.own.Label = joinKey(f.Key, name), joinName(f.Label, name)
					t.own.Length = max(f.Length, w.Length)
				}
			}
			object = s.Object
		}
		t.read(s.Key + "=" + s.Value)
	}
	return found || t.found
}

type pairReader struct {
	r     *Reading
	f     *names.Field
	own   names.Field // f with the role of the pair at hand
	item  int
	seen  [names.RoleCache + 1]bool // roles seen in the window at hand
	found bool
}

// read reads a pair, or several one after the other: Remaining: 33994 Time until reset: 3519,
// limit=100 remaining=99.
func (t *pairReader) read(pair string) {
	for pair != "" {
		i := markOf(pair)
		if i < 0 {
			// IBM: name=<rule>,<n>. The number is what the field is named for.
			if n, ok := scan.ParseNumber(pair); ok && t.found {
				t.assign(t.f.Role, n)
			}
			return
		}
		key, value := scan.Unquote(scan.Trim(pair[:i])), scan.Unquote(scan.Trim(pair[i+1:]))
		pair = ""
		if end := strings.IndexByte(value, ' '); end > 0 && scan.IsDigit(value[0]) && markOf(value[end:]) > 0 &&
			scan.IsLetter(scan.FirstByte(scan.Trim(value[end:]))) {
			value, pair = value[:end], scan.Trim(value[end:])
		}
		t.readValue(key, value)
	}
}

// markOf returns where the mark between a key and its value is, -1 if there is none.
func markOf(pair string) int {
	for i := range len(pair) {
		if pair[i] == '=' || pair[i] == ':' {
			return i
		}
	}
	return -1
}

func (t *pairReader) readValue(key, value string) {
	if key == "" || value == "" || len(key) > 48 {
		return
	}
	role, step := pairRole(key)
	if role == names.RoleNone && scan.EqualFold(key, "time") {
		// time:10 second is the period, as a number alone would not be.
		if _, rest, ok := scan.CutNumber(value); ok && rest != "" {
			if d, _, ok := scan.ParseDuration(value); ok && d > 0 {
				role = names.RoleLength
			}
		}
	}
	if role == names.RoleNone {
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
	t.own.Role, t.own.Step = role, step
	t.own.Full = 0
	if role == names.RoleRemaining && key == "rem" && t.f.Strict {
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

func (t *pairReader) assign(role names.Role, n scan.Number) {
	t.own.Role = role
	if role == names.RoleStem {
		t.own.Role = names.RoleLimit
	}
	t.r.assignNumber(&t.own, t.item, n)
}

// assignPair reads the value of one pair.
func (r *Reading) assignPair(f *names.Field, item int, value string) {
	switch f.Role {
	case names.RoleName, names.RoleScope, names.RoleKind:
		r.assignText(f, item, value)
	case names.RoleBurst:
		r.assignBurst(f, value)
	case names.RoleReset:
		r.assignReset(f, item, value)
		if p := r.at(f, item); p != nil {
			p.unitless = f.Step == 0
		}
	default:
		if n, ok := scan.ParseNumber(value); ok {
			r.assignNumber(f, item, n)
		} else if item > 0 || f.Role != names.RoleRemaining && f.Role != names.RoleUsed || !r.assignShare(f, value) {
			r.assignWord(f, item, value)
		}
	}
}

// compound reads a pair whose key names a window: user-hour-lim:3500 (a role is
// in it), api-usage=135/5000 and sec=29 (it is in the value or in the field's
// own name).
func (t *pairReader) compound(key, value string) {
	f := t.own
	f.Key, f.Label = joinKey(t.f.Key, key), joinName(t.f.Label, key)
	if n := strings.IndexByte(value, ' '); n > 0 {
		t.scoped(&f, value)
		return
	}
	if t.r.assignShare(&f, value) {
		t.found = true
		return
	}
	n, ok := scan.ParseNumber(value)
	if !ok {
		return
	}
	if w := names.LookUp(strings.ToLower(key)); w.Kind == names.WordPeriod &&
		(t.f.Role == names.RoleRemaining || t.f.Role == names.RoleLimit || t.f.Role == names.RoleUsed) {
		f.Role, f.Length = t.f.Role, w.Length
		t.found = true
		t.r.assignNumber(&f, 0, n)
		return
	}
	part := names.Of("ratelimit-" + strings.ReplaceAll(key, " ", "-"))
	switch part.Role {
	case names.RoleLimit, names.RoleRemaining, names.RoleUsed, names.RoleReset:
		f.Role, f.Length, f.Unit, f.Step = part.Role, part.Length, part.Unit, part.Step
		f.Key, f.Label = joinKey(t.f.Key, part.Key), joinName(t.f.Label, part.Label)
		t.found = true
		t.r.assignNumber(&f, 0, n)
	}
}

// scoped reads Eventbrite's "token:NAME 45/2000 reset=600s".
func (t *pairReader) scoped(f *names.Field, value string) {
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

// pairRole tells what the key of a pair means. It is a switch, not names.Classify,
// because the seventh draft goes through here with every response.
func pairRole(key string) (names.Role, time.Duration) {
	if len(key) > 16 {
		return names.RoleNone, 0
	}
	var buf [16]byte
	for i := range len(key) {
		buf[i] = scan.Lower(key[i])
	}
	switch string(buf[:len(key)]) {
	case "limit", "q", "total", "lim", "max", "quota":
		return names.RoleLimit, 0
	case "remaining", "r", "rem", "left", "remain":
		return names.RoleRemaining, 0
	case "used", "usage", "consumed", "count":
		return names.RoleUsed, 0
	case "reset", "resets", "rst", "until", "resettime", "reset_at", "reset_time", "resets_at", "expires":
		return names.RoleReset, 0
	case "t", "reset_in", "resets_in", "reset_after", "ttl":
		return names.RoleReset, time.Second
	case "period", "window", "w", "interval", "duration":
		return names.RoleLength, 0
	case "name", "policy", "b":
		return names.RoleName, 0
	case "scope", "bucket":
		return names.RoleScope, 0
	case "burst":
		return names.RoleBurst, 0
	}
	return names.RoleNone, 0
}
