package queue

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Rule declares limits, the requests to which they apply, and which of these requests they count
// together. Every rule that matches a request applies to it.
type Rule struct {
	// Name identifies the rule in errors and in [Queue.SetLimits]. It may be empty; otherwise it must
	// be unique.
	Name string
	// Pattern selects the requests that the rule applies to, as in [net/http.ServeMux]:
	// "[METHOD ][HOST]/[PATH]", for example "POST /v1/virtual-accounts/{id}". It matches the Method,
	// Host (without its port) and escaped Path of a [Request], so that "%2F" does not end a segment.
	// Unlike in a ServeMux, a more specific pattern does not take precedence, and paths are neither
	// cleaned nor redirected. An empty pattern matches all requests.
	Pattern string
	// Match, if not nil, must also return true for the rule to apply. It may be called by several
	// goroutines at once.
	Match func(r *Request) bool
	// Scope selects the requests that the limits count together. The zero value is PerKey.
	Scope Scope
	// Limits are the rates to observe, all of them.
	Limits []Quota
	// MaxInFlight is how many requests may be in flight, that is, hold a permit that is not released.
	// 0 means no bound.
	MaxInFlight int
	// Fleet has the limits count the requests of all processes of a fleet together, in place of those
	// of this process alone; see [WithFleet]. Such a rule has nothing but Limits, which count requests
	// and cannot be changed by [Queue.SetLimits].
	Fleet bool
	// New, if not nil, creates an additional limit for each key or host, or one for the whole queue,
	// depending on Scope. It is called under the queue's lock and must not return nil.
	New func() limit.Limiter
}

// A Scope selects the requests that a [Rule] counts together.
type Scope uint8

// The scopes of a rule.
const (
	PerKey  Scope = iota // count each key separately
	PerHost              // count each host separately, whatever the key
	Global               // count all requests together
)

// maxRules is how many rules a queue can have: a set of rules is one word.
const maxRules = 64

// WithRule adds a rule. A queue can have up to 64 rules; their order does not matter.
func WithRule(r Rule) Option {
	return func(l *Queue) error {
		if r.Pattern != "" {
			p, err := parsePattern(r.Pattern)
			if err != nil {
				return err
			}
			if p.method != strings.ToUpper(p.method) {
				return fmt.Errorf("queue: pattern %q: methods are case-sensitive, got %q", r.Pattern, p.method)
			}
			match := r.Match
			r.Match = func(req *Request) bool { return p.matches(req) && (match == nil || match(req)) }
		}
		switch {
		case r.Scope > Global:
			return fmt.Errorf("queue: rule %q: the scope must be PerKey, PerHost or Global, got %d", r.Name, r.Scope)
		case len(r.Limits) == 0 && r.MaxInFlight == 0 && r.New == nil:
			return fmt.Errorf("queue: rule %q must set Limits, MaxInFlight or New", r.Name)
		case r.Fleet && (r.Name == "" || r.MaxInFlight > 0 || r.New != nil):
			return fmt.Errorf("queue: rule %q of a fleet must have a name, and can have neither MaxInFlight nor New", r.Name)
		case r.Fleet && slices.ContainsFunc(r.Limits, func(q Quota) bool { return q.Unit() != "requests" }):
			return fmt.Errorf("queue: rule %q: a fleet counts nothing but requests", r.Name)
		case len(l.rules) == maxRules:
			return fmt.Errorf("queue: a queue can have at most %d rules", maxRules)
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
		l.noteUnits(r.Limits)
		return nil
	}
}

// A rule is a Rule of a queue. It may have two limiters: one for rates, and one for requests in flight.
type rule struct {
	Rule
	bit     uint64
	slot    int // index of the first of its limiters in key.limiters, if the scope is PerKey
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

// set changes the numbers of the rule. Its limiters are renewed when they are asked next.
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
		if r.Name != "" && name == q.Named("").String() { // the quota has no name of its own
			name = r.Name + ", " + name
		}
		named[i] = q.Named(name)
	}
	r.Limits, r.MaxInFlight = named, maxInFlight
	r.version++
	return nil
}

// SetLimits replaces the quotas of the rule with the given name. The change takes effect at once, also
// for waiting requests. Requests sent before count under the new quotas too, as far as they are
// remembered: each quota inherits them from the quota of the same kind at the same index.
//
// SetLimits does not change MaxInFlight; see [Queue.SetMaxInFlight]. It returns an error if no rule has
// this name, or if the rule had no quotas, because then requests in flight were not counted.
func (l *Queue) SetLimits(name string, quotas ...Quota) error {
	return l.change(name, func(r *rule) error {
		if r.Fleet {
			return fmt.Errorf("queue: rule %q: SetLimits cannot change the limits of a fleet", name)
		}
		if len(quotas) == 0 || len(r.Limits) == 0 {
			return fmt.Errorf("queue: rule %q: SetLimits cannot add the first quota or remove the last", name)
		}
		if err := r.set(quotas, r.MaxInFlight); err != nil {
			return err
		}
		l.noteUnits(quotas)
		return nil
	})
}

// SetMaxInFlight changes how many requests may be in flight under the rule with the given name. The
// change takes effect at once, also for waiting requests. If more requests than n are in flight, no
// other is sent until enough of them are done. SetMaxInFlight returns an error if n is not positive,
// if no rule has this name, or if the rule had no MaxInFlight.
func (l *Queue) SetMaxInFlight(name string, n int) error {
	return l.change(name, func(r *rule) error {
		if n < 1 || r.MaxInFlight == 0 {
			return fmt.Errorf("queue: rule %q: SetMaxInFlight cannot add or remove a bound, got %d", name, n)
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

// limiter returns a new limiter of the rule, for rates or for requests in flight, that counts the requests of
// one key, one host or all.
func (l *Queue) limiter(r *rule, flight bool, whose string) *limiter {
	g := &limiter{rule: r, version: r.version, shared: r.Scope != PerKey}
	switch {
	case flight:
		g.limit = &inFlight{name: r.flightName(), max: r.MaxInFlight}
		return g
	case r.Fleet:
		l.joinFleet(g, whose)
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

// renew replaces the limit of a limiter after the rule has changed.
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

// A Quota is a limit as a value, such as 300 per minute. It is rolling unless one of its methods says
// otherwise; see [limit.Quota].
type Quota = limit.Quota

// PerSecond is n in each second.
func PerSecond(n int) Quota { return limit.Per(n, time.Second) }

// PerMinute is n in each minute.
func PerMinute(n int) Quota { return limit.Per(n, time.Minute) }

// PerHour is n in each hour.
func PerHour(n int) Quota { return limit.Per(n, time.Hour) }

// PerDay is n in each 24 hours or, with FixedWindow, in each calendar day.
func PerDay(n int) Quota { return limit.Per(n, 24*time.Hour) }

// Per is n in each span of length d. Both must be positive.
func Per(n int, d time.Duration) Quota { return limit.Per(n, d) }

// Every is one in each span of length d.
func Every(d time.Duration) Quota { return limit.Per(1, d) }
