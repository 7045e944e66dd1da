package header

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// part is a window under construction: what the fields of one family say of
// one key, and, where they hold lists, of one item.
type part struct {
	Window
	family         string
	key            string
	item           int
	named          bool  // its key is the name of a policy, which may be a period
	needsRest      bool  // the reset counts only beside a rest
	needsLimit     bool  // the rest counts only beside a limit or a use
	sum            bool  // use and rest add up to the limit
	unnamed        bool  // the server gave it no name
	ofStem         bool  // the limit came under the stem alone, which does not say what it is
	unitless       bool  // the reset came as a plain number without a unit
	milli          bool  // the reset came in milliseconds of the epoch
	unitlessLength bool  // the length came as a plain number without a unit
	broken         bool  // the reset is there but cannot be: negative, or of the year 1
	policy         bool  // only a policy describes it: nothing was measured
	merged         bool  // merged into another one
	aside          uint8 // which of Reading.asides is its own, counted from one; 0 for none
}

// aside is what few responses say of a window, kept apart because parts are copied much.
type aside struct {
	ttl    Reset         // of a field called ttl
	burst  Count         // what the bucket holds
	period time.Duration // what a plain length counts, as a field of its own says
}

// asideOf returns the aside of a part, and makes it if there is none yet.
func (r *Reading) asideOf(p *part) *aside {
	if p.aside == 0 {
		r.asides = append(r.asides, aside{})
		p.aside = uint8(len(r.asides))
	}
	return &r.asides[p.aside-1]
}

// at returns the part that a field speaks of, and makes it if there is none
// yet. It returns nil when there are too many.
func (r *Reading) at(f *names.Field, item int) *part { return r.find(f.Family, f.Key, f.Label, item) }

func (r *Reading) find(family, key, label string, item int) *part {
	if p := r.known(family, key, item); p != nil {
		return p
	}
	if len(r.parts) == maxWindows {
		return nil
	}
	n := len(r.parts)
	if n == cap(r.parts) {
		r.parts = slices.Grow(r.parts, 1)
	}
	r.parts = r.parts[:n+1]
	p := &r.parts[n]
	*p = part{} // in place, because a part is large
	p.family, p.key, p.item, p.Name = family, key, item, label
	if label == "" {
		p.Name = unnamed
		p.unnamed = true
	}
	return p
}

// known returns a part, nil if there is none. Making another one invalidates it.
func (r *Reading) known(family, key string, item int) *part {
	for i := range r.parts {
		if p := &r.parts[i]; p.item == item && p.key == key && p.family == family {
			return p
		}
	}
	return nil
}

// describe adds what every field of a window says by its name alone.
func (p *part) describe(f *names.Field) {
	if f.Length > p.Length {
		p.Length = f.Length
	}
	if f.Unit != "" && f.Unit > p.Unit {
		p.Unit = f.Unit
	}
	p.sum = p.sum || f.Sum
	p.needsRest = p.needsRest || f.Strict
	p.needsLimit = p.needsLimit || f.Weak
}

// Fields of a response come in no order, and one of them may come twice under
// spellings of different case. Of two values, the stricter one is kept.

func (p *part) setLimit(c Count) {
	if c.Known() && c.Value < 0 {
		c = Count{State: Malformed}
	}
	if beats(c, p.Limit) || c.Known() && p.Limit.Known() && c.Value < p.Limit.Value {
		p.Limit = c
	}
}

func (p *part) setRemaining(c Count) {
	// Below zero more was spent than allowed, so nothing is left.
	c.Value = max(c.Value, 0)
	if beats(c, p.Remaining) || c.Known() && p.Remaining.Known() && c.Value < p.Remaining.Value {
		p.Remaining = c
	}
}

func (p *part) setUsed(c Count) {
	if c.Known() && c.Value < 0 || c.State == Unlimited {
		c = Count{State: Malformed}
	}
	if beats(c, p.Used) || c.Known() && p.Used.Known() && c.Value > p.Used.Value {
		p.Used = c
	}
}

// beats reports whether a says more than b by its state: a number more than
// "no limit", that more than nonsense, and nonsense more than nothing.
func beats(a, b Count) bool {
	if b.State == Known || a.State == b.State {
		return false
	}
	return a.State == Known || a.State > b.State
}

func (p *part) setReset(v Reset, bare bool) {
	if v.Known() && (!p.Reset.Known() || better(p.Reset, v) != p.Reset) {
		p.Reset, p.unitless = v, bare
	}
}

func (p *part) setLength(d time.Duration) {
	if d > 0 && (p.Length == 0 || d < p.Length) {
		p.Length = d
	}
}

// reported reports whether the response said anything of the window that is worth
// passing on.
func (p *part) reported() bool {
	if p.family == names.WeakFamily && !(p.Limit.Known() && p.Remaining.Known() && (p.Reset.Known() || p.Used.Known())) {
		return false
	}
	if p.needsRest && !p.Remaining.Known() || p.needsLimit && !p.Limit.Known() && !p.Used.Known() {
		return false
	}
	if p.family == names.NoFamily && p.Length == 0 && !p.Remaining.Known() && !p.Used.Known() && !p.Reset.Known() {
		return false // a limit of what one request asks for: X-Complexity-Limit
	}
	return p.Limit.Known() || p.Remaining.Known() || p.Used.Known() || p.Reset.Known() ||
		p.Limit.State == Unlimited || p.Remaining.State == Unlimited
}

// addWindows adds the windows of the parts that are reported, sorted by Length and Name. It
// sorts their places, by insertion, because windows are few and large.
func (r *Reading) addWindows() {
	var places [maxWindows]uint8
	n := 0
	for i := range r.parts {
		p := &r.parts[i]
		if p.merged || !p.reported() {
			continue
		}
		p.derive()
		k := n
		for ; k > 0 && compareWindows(&p.Window, &r.parts[places[k-1]].Window) < 0; k-- {
			places[k] = places[k-1]
		}
		places[k] = uint8(i)
		n++
	}
	for _, i := range places[:n] {
		r.Windows = append(r.Windows, r.parts[i].Window)
	}
}

func compareWindows(a, b *Window) int {
	if a.Length != b.Length {
		return cmp.Compare(a.Length, b.Length)
	}
	return cmp.Or(
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope),
		cmp.Compare(a.Limit.Value, b.Limit.Value), cmp.Compare(a.Remaining.Value, b.Remaining.Value),
		cmp.Compare(a.Used.Value, b.Used.Value), a.Reset.At.Compare(b.Reset.At), cmp.Compare(a.Reset.In, b.Reset.In))
}

// policy is a member of a policy list that has no name to join it by: 100;w=60.
type policy struct {
	family   string
	name     string // of the parameter name, which Envoy adds; "" for none
	text     string // quota and window, as written
	quota    Count
	length   time.Duration
	unit     string
	scope    string
	assigned bool
}

// assignPolicies reads a Policy field. It lists limits and their lengths; a lone
// word names the window that the other fields describe.
func (r *Reading) assignPolicies(f *names.Field, values []string) {
	var it item
	for _, v := range values {
		v = r.cut(v)
		if v != "" && scan.IsDigit(v[0]) && strings.IndexByte(v, ';') < 0 && !strings.ContainsAny(v, ",\"") && strings.IndexAny(v, "/ ") > 0 {
			asLimit := *f
			asLimit.Role = names.RoleLimit
			r.assignLists(&asLimit, []string{v}) // 100 per minute
			continue
		}
		if v = it.scan(v); v == "" && !it.limits && !it.count && it.name != "" {
			if p := r.at(f, 0); p != nil && p.unnamed {
				p.Name, p.unnamed = it.name, false
			}
			continue
		}
		r.addPolicy(f, &it)
		if v != "" {
			r.addPolicies(f, v)
		}
	}
}

// addPolicies reads a list of policies. Those with a name become windows at
// once; the others wait until it is known which windows they are for.
func (r *Reading) addPolicies(f *names.Field, v string) {
	var it item
	for v != "" && len(r.policies) < maxWindows {
		v = it.scan(v)
		r.addPolicy(f, &it)
	}
}

func (r *Reading) addPolicy(f *names.Field, it *item) {
	switch {
	case len(r.policies) == maxWindows:
	case it.name != "" && it.limits:
		r.assignItem(f, it)
	case it.count && it.text != "" && !it.value.Minus:
		r.policies = append(r.policies, policy{
			family: f.Family, name: it.label, text: it.text, quota: countOf(it.value),
			length: it.length, unit: it.unit, scope: it.scope,
		})
	}
}

// freeUnlimited finds the zeros that mean "no limit": a limit of 0 with 0 left, or with
// nothing told, on an answer that was let in, or with 0 left beside a window that explains
// the refusal. And nothing is left to wait for of what has no limit.
func (r *Reading) freeUnlimited() {
	explained := r.status < 400
	for i := 0; !explained && i < len(r.parts); i++ {
		p := &r.parts[i]
		explained = !p.merged && p.Remaining.none() && p.Limit.Known() && p.Limit.Value > 0
	}
	if !explained {
		return
	}
	for i := range r.parts {
		p := &r.parts[i]
		if p.Limit.State == Unlimited && p.Remaining.none() ||
			p.Limit.none() && (p.Remaining.none() || r.status < 400 && !p.counts()) {
			p.Limit, p.Remaining = Count{State: Unlimited}, Count{State: Unlimited}
		}
	}
}
