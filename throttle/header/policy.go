package header

import "time"

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
func (r *Reading) assignPolicies(f *field, values []string) {
	var it item
	for _, v := range values {
		v = r.cut(v)
		if v = it.scan(v); v == "" && !it.limits && !it.count && it.name != "" {
			if p := r.at(f, 0); p != nil && p.unnamed {
				p.Name, p.unnamed = it.name, false
			}
			continue
		}
		r.addPolicy(f, &it)
		r.addPolicies(f, v)
	}
}

// addPolicies reads a list of policies. Those with a name become windows at
// once; the others wait until it is known which windows they are for.
func (r *Reading) addPolicies(f *field, v string) {
	var it item
	for v != "" && len(r.policies) < maxWindows {
		v = it.scan(v)
		r.addPolicy(f, &it)
	}
}

func (r *Reading) addPolicy(f *field, it *item) {
	switch {
	case len(r.policies) == maxWindows:
	case it.name != "" && it.limits:
		r.assignItem(f, it)
	case it.count && it.text != "" && !it.value.minus:
		r.policies = append(r.policies, policy{
			family: f.family, name: it.label, text: it.text, quota: countOf(it.value),
			length: it.length, unit: it.unit, scope: it.scope,
		})
	}
}

// assignItem adds a named member of RateLimit or RateLimit-Policy to its window.
func (r *Reading) assignItem(f *field, it *item) {
	label := it.name
	if f.label != "" {
		label = joinName(f.label, it.name)
	}
	// One policy may apply to several partition keys, each with its own rest.
	for i := range 8 {
		p := r.find(f.family, it.name, label, i)
		if p == nil {
			return
		}
		if p.Scope != "" && it.scope != "" && p.Scope != it.scope {
			continue
		}
		if p.Scope == "" {
			p.Scope = it.scope
		}
		if it.unit != "" {
			p.Unit = it.unit
		}
		p.setLimit(it.quota)
		p.setRemaining(it.rest)
		p.setLength(it.length)
		p.named = true
		p.setReset(it.reset, false)
		return
	}
}
