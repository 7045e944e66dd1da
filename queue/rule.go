package queue

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Rule says which requests some limits apply to, and whose requests they count together. A request
// obeys all the rules that match it.
type Rule struct {
	// Name names the rule in errors and in [Queue.SetLimits]. It may be empty; two rules must not have
	// the same name.
	Name string
	// Pattern is which requests the rule is for, as in [net/http.ServeMux]: "[METHOD ][HOST]/[PATH]",
	// for example "POST /v1/virtual-accounts/{id}". It matches the Method, Host (without its port)
	// and escaped Path of a [Request]: a "%2F" belongs to its segment. Unlike in a mux, the most
	// specific pattern is nothing special, and paths are neither cleaned nor redirected. Empty is all
	// requests.
	Pattern string
	// Match, if not nil, has to agree too. It may be called by several goroutines at once.
	Match func(r *Request) bool
	// Scope is whose requests count together. The zero value is PerKey.
	Scope Scope
	// Limits must all agree.
	Limits []Quota
	// MaxInFlight is how many requests may be under way, that is, hold a permit that is not released.
	// 0 is no bound.
	MaxInFlight int
	// New, if not nil, makes a limit of the caller's own for each key, host or line, beside the other
	// limits. It is called under the queue's lock and must not return nil.
	New func() limit.Limiter
}

// Scope says whose requests a [Rule] counts together.
type Scope uint8

// The scopes of a rule.
const (
	PerKey  Scope = iota // those of each key by itself
	PerHost              // those of each host by itself, whatever the key
	Global               // all
)

// maxRules is how many rules a queue can have: the set of those that match is one word.
const maxRules = 64

// WithRule adds a rule. Up to 64 may be given, in any order.
func WithRule(r Rule) Option {
	return func(l *Queue) error {
		if r.Pattern != "" {
			p, err := parsePattern(r.Pattern)
			if err != nil {
				return err
			}
			if p.method != strings.ToUpper(p.method) {
				return fmt.Errorf("queue: pattern %q: methods are case-sensitive, and %q is none", r.Pattern, p.method)
			}
			match := r.Match
			r.Match = func(req *Request) bool { return p.matches(req) && (match == nil || match(req)) }
		}
		switch {
		case r.Scope > Global:
			return fmt.Errorf("queue: rule %q: the scope must be PerKey, PerHost or Global, got %d", r.Name, r.Scope)
		case len(r.Limits) == 0 && r.MaxInFlight == 0 && r.New == nil:
			return fmt.Errorf("queue: rule %q limits nothing", r.Name)
		case len(l.rules) == maxRules:
			return fmt.Errorf("queue: more than %d rules", maxRules)
		case r.Name != "" && l.ruleNamed(r.Name) != nil:
			return fmt.Errorf("queue: two rules are named %q", r.Name)
		}
		c := &rule{Rule: r, bit: 1 << len(l.rules)}
		if r.Scope == PerKey {
			c.slot = l.slots
			l.slots += 2
		}
		if err := c.set(r.Limits, r.MaxInFlight); err != nil {
			return err
		}
		l.rules = append(l.rules, c)
		return nil
	}
}

// rule is a Rule of a queue. It may have two limiters: one for rates, one for what is in flight.
type rule struct {
	Rule
	bit     uint64
	slot    int // of the first of the two limiters in a key's, if the scope is PerKey
	version uint32
}

func (l *Queue) ruleNamed(name string) *rule {
	for _, r := range l.rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// set changes the numbers of the rule. The limiters learn of it when they are asked next.
func (r *rule) set(limits []Quota, maxInFlight int) error {
	if maxInFlight < 0 || maxInFlight > math.MaxInt32 {
		return fmt.Errorf("queue: rule %q: MaxInFlight must be from 0 to %d, got %d", r.Name, math.MaxInt32, maxInFlight)
	}
	named := make([]Quota, len(limits))
	for i, q := range limits {
		if err := q.Validate(); err != nil {
			return fmt.Errorf("queue: rule %q: %w", r.Name, err)
		}
		name := q.String()
		if r.Name != "" && name == q.Named("").String() { // it has no name of its own
			name = r.Name + ", " + name
		}
		named[i] = q.Named(name)
	}
	r.Limits, r.MaxInFlight = named, maxInFlight
	r.version++
	return nil
}

// SetLimits replaces the quotas of the rule with that name, at once and also for those who wait. What
// was sent before counts under the new quotas too, as far as it is remembered: a quota takes it over
// from the one of the same kind at the same place in the list.
//
// The number in flight stays as it is, see [Queue.SetMaxInFlight]. An unknown name is an error, and so
// is a rule that had no quotas: requests that are under way were not counted.
func (l *Queue) SetLimits(name string, quotas ...Quota) error {
	return l.change(name, func(r *rule) error {
		if len(quotas) == 0 || len(r.Limits) == 0 {
			return fmt.Errorf("queue: rule %q: a rule cannot gain or lose its quotas", name)
		}
		return r.set(quotas, r.MaxInFlight)
	})
}

// SetMaxInFlight changes how many requests the rule with that name lets be in flight, at once and also
// for those who wait. If more are under way, none goes until enough are done. It is an error if the
// rule had no such bound.
func (l *Queue) SetMaxInFlight(name string, n int) error {
	return l.change(name, func(r *rule) error {
		if n < 1 || r.MaxInFlight == 0 {
			return fmt.Errorf("queue: rule %q: a rule cannot gain or lose its bound on requests in flight, got %d", name, n)
		}
		return r.set(r.Limits, n)
	})
}

func (l *Queue) change(name string, f func(*rule) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.ruleNamed(name)
	if r == nil || name == "" {
		return fmt.Errorf("queue: no rule is named %q", name)
	}
	if err := f(r); err != nil {
		return err
	}
	l.replan()
	return nil
}

// limiter returns a new limiter of the rule: for rates, or for what is in flight.
func (r *rule) limiter(flight bool) *limiter {
	g := &limiter{rule: r, version: r.version, shared: r.Scope != PerKey}
	if flight {
		g.limit = &inFlight{name: r.flightName(), max: r.MaxInFlight}
		return g
	}
	r.renew(g, time.Time{})
	return g
}

func (r *rule) flightName() string {
	if r.Name == "" {
		return "in flight"
	}
	return r.Name + ", in flight"
}

// renew brings the limit of a limiter up to date after the rule changed.
func (r *rule) renew(g *limiter, now time.Time) {
	g.version = r.version
	if b := g.flight(); b != nil {
		b.max = r.MaxInFlight
		return
	}
	var old []limit.Limiter
	if g.limit != nil {
		old = limit.Parts(g.limit)
	}
	parts := make([]limit.Limiter, 0, len(r.Limits)+1)
	for i := range r.Limits {
		var before limit.Limiter
		if i < len(old) {
			before = old[i]
		}
		parts = append(parts, r.Limits[i].Replace(before, now))
	}
	switch {
	case r.New == nil:
	case old == nil:
		parts = append(parts, r.New())
	default:
		parts = append(parts, old[len(old)-1])
	}
	g.limit = limit.All(parts...)
	if len(parts) == 1 && len(r.Limits) == 1 {
		g.name = r.Limits[0].String()
	}
}
