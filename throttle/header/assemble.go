package header

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// assemble makes windows of the parts.
func (r *Reading) assemble() {
	if len(r.policies) > 0 {
		r.joinPolicies()
	}
	if len(r.periods) > 0 {
		r.joinPeriods()
	}
	r.spreadPolicies()
	if r.shared {
		r.settleShares()
	}
	for i := range r.parts {
		p := &r.parts[i]
		r.complete(p)
		if r.unit != "" && p.Unit == "" && p.family == r.unitFamily {
			p.Unit = r.unit
		}
	}
	if len(r.parts) > 1 && !r.apart() {
		r.merge()
	}
	r.freeUnlimited()
	r.nameCosts()
	r.addWindows()
	if len(r.Windows) > 1 {
		r.nameApart()
	}
}

// joinPolicies gives the unnamed policies to the windows that they describe:
// those of the same name, else those of the same limit. What is left describes
// windows of which the response tells nothing else.
func (r *Reading) joinPolicies() {
	r.policies = uniquePolicies(r.policies)
	measured := len(r.parts)
	for i := range measured {
		p := &r.parts[i]
		best, bestFit := -1, -1
		family := 0
		for j := range r.policies {
			q := &r.policies[j]
			if q.family != p.family {
				continue
			}
			family++
			if fit := r.fit(p, q); !q.assigned && fit >= 0 && (fit > bestFit || fit == bestFit && q.length < r.policies[best].length) {
				best, bestFit = j, fit
			}
		}
		if best < 0 || bestFit == 0 && family > 1 {
			continue
		}
		r.policies[best].apply(p, family > 1)
	}
	for j := range r.policies {
		q := &r.policies[j]
		if q.assigned {
			continue
		}
		p := r.find(q.family, q.text, "", 0)
		if p == nil {
			return
		}
		p.policy = true
		q.apply(p, true)
	}
}

// spreadPolicies gives a named policy to all the partition keys that it is for.
func (r *Reading) spreadPolicies() {
	for i := range r.parts {
		p := &r.parts[i]
		if p.item == 0 || p.Scope == "" || p.Limit.State != Absent {
			continue
		}
		if o := r.known(p.family, p.key, 0); o != nil {
			p.Limit = o.Limit
			p.setLength(o.Length)
			p.Unit = max(p.Unit, o.Unit)
		}
	}
}

// joinPeriods gives the periods of a dialect to the members of lists.
func (r *Reading) joinPeriods() {
	for i := range r.parts {
		p := &r.parts[i]
		list := p.item > 0 || p.item == 0 && r.known(p.family, p.key, 1) != nil
		if !list || p.item >= len(r.periods) || p.key != "" || p.Length > 0 {
			continue
		}
		period := r.periods[p.item]
		scope := p.Name
		if p.unnamed {
			scope = ""
		}
		p.Name, p.unnamed, p.Length = joinName(scope, period.Name), false, period.Length
		if period.Aligned && period.Length > 0 && !p.Reset.Known() {
			p.Reset = Reset{At: r.base().UTC().Truncate(period.Length).Add(period.Length), Resolution: time.Second}
		}
	}
}

// fit tells how well a policy describes a window: -1 not at all, 0 only if there
// is no other, 1 by its limit, 2 also by the time left, 3 by its name.
func (r *Reading) fit(p *part, q *policy) int {
	switch {
	case q.name != "" && q.name == p.key:
		return 3
	case p.key != "" && !p.Limit.Known():
		return 0
	case p.key != "" || p.Length != 0:
		return -1
	case !p.Limit.Known():
		return 0
	case p.Limit.Value != q.quota.Value:
		return -1
	case p.Reset.Known() && q.length > 0 && p.Reset.Delay(r.base()) > q.length:
		return 1
	}
	return 2
}

func (q *policy) apply(p *part, several bool) {
	q.assigned = true
	if !p.Limit.Known() {
		p.setLimit(q.quota)
	}
	p.setLength(q.length)
	if p.Unit == "" {
		p.Unit = q.unit
	}
	if p.Scope == "" {
		p.Scope = q.scope
	}
	switch {
	case !p.unnamed:
	case q.name != "":
		p.Name, p.unnamed = q.name, false
	case several:
		p.Name, p.unnamed = q.text, false
	}
}

func uniquePolicies(all []policy) []policy {
	unique := all[:0]
	for _, q := range all {
		same := func(o policy) bool {
			return o.family == q.family && o.quota == q.quota && o.length == q.length && o.name == q.name && o.scope == q.scope
		}
		if !slices.ContainsFunc(unique, same) {
			unique = append(unique, q)
		}
	}
	return unique
}

// complete derives what follows from the parts that the server told, and takes
// back what cannot be.
func (r *Reading) complete(p *part) {
	success := r.status < 400
	if p.Remaining.State == Unlimited && p.Limit.State != Unlimited && !success {
		// On a refusal -1 is a counter below zero, not the mark of no limit.
		p.Remaining = Count{State: Known}
	}
	if p.ofStem && p.Limit.Known() && p.Remaining.Known() && p.Limit.Value < p.Remaining.Value && !p.Used.Known() {
		p.Used, p.Limit = p.Limit, Count{} // more is left than the number under the stem: it is the use
	}
	if p.aside > 0 {
		r.regard(p, &r.asides[p.aside-1])
	}
	if p.named && p.Length == 0 {
		p.Length = periodNamed(p.key)
	}
	if p.unitlessLength && p.milli && p.Length >= 1000*time.Second && p.Length%(1000*time.Second) == 0 {
		p.Length /= 1000 // in the unit of the reset
	}
	p.derive()
	if p.Limit.State == Unlimited && p.Remaining.State == Unlimited {
		p.Reset = Reset{} // it is a placeholder too
	}
	if p.broken && !p.Reset.Known() && success && p.Remaining.none() {
		// Nothing left until a moment that cannot be, and yet the request was let
		// in: the server's limiter is out of order and the zero is no count.
		p.Remaining = Count{State: Malformed}
	}
	if in := p.Reset.In; p.unitless && p.Length > 0 && in > 10*p.Length && in/1000 <= p.Length {
		// Half a day to the end of a minute: the number is in milliseconds.
		p.Reset = Reset{In: in / 1000, Resolution: max(p.Reset.Resolution/1000, 1)}
	}
}

// regard applies what is kept aside: the size of the bucket, the period that the length
// counts, and a ttl, which is the length if another field tells the reset.
func (r *Reading) regard(p *part, a *aside) {
	if !p.Limit.Known() && a.burst.Known() && p.Remaining.Known() && p.Remaining.Value <= a.burst.Value {
		p.setLimit(a.burst) // the bucket that the rest is in
	}
	if a.period > 0 {
		p.countPeriods(a.period)
	}
	switch {
	case !a.ttl.Known():
	case !p.Reset.Known():
		p.Reset = a.ttl
	case p.Reset.Delay(r.base()) <= a.ttl.In:
		p.setLength(a.ttl.In)
	}
}

// countPeriods applies a period that a field of its own tells: Interval: 2 beside
// Time-Unit: minute is two minutes, and Window: 60 beside Unit: minute is one.
func (p *part) countPeriods(period time.Duration) {
	if n := int64(p.Length / time.Second); p.unitlessLength && n > 0 && p.Length < period && int64(period) <= int64(maxDelta*time.Second)/n {
		p.Length = time.Duration(n * int64(period))
		p.unitlessLength = false
		return
	}
	p.setLength(period)
}

// derive computes the count that follows from the use and another one.
func (p *part) derive() {
	if p.Used.Known() {
		p.deriveFromUse()
	}
}

func (p *part) deriveFromUse() {
	if p.Limit.Known() && !p.Remaining.Known() {
		p.Remaining = Count{Value: max(0, p.Limit.Value-p.Used.Value), State: Known}
	}
	if p.sum && p.Remaining.Known() && !p.Limit.Known() {
		p.Limit = Count{Value: p.Used.Value + p.Remaining.Value, State: Known}
	}
}

// counts reports whether the response tells of a window how much is left or spent.
func (p *part) counts() bool { return p.Remaining.State != Absent || p.Used.State != Absent }

// nameCosts gives the only window of a response the unit of what its requests cost, if the
// response tells a cost other than one, and no unit. Requests that cost one are counted as
// requests, which the limiter can plan ahead.
func (r *Reading) nameCosts() {
	if !r.costs {
		return
	}
	var sole *part
	for i := range r.parts {
		p := &r.parts[i]
		switch {
		case p.merged || !p.reported():
		case sole != nil || p.Unit != "":
			return
		default:
			sole = p
		}
	}
	if sole != nil {
		sole.Unit = "cost"
	}
}

// nameApart gives windows that share a name their numbers: several limiters in
// a row can each send an unnamed window.
func (r *Reading) nameApart() {
	for i := 1; i < len(r.Windows); i++ {
		for n := range i {
			if w := &r.Windows[i]; r.Windows[n].Name == w.Name && r.Windows[n].Scope == w.Scope {
				w.Name = w.Name + "#" + strconv.Itoa(i+1)
				break
			}
		}
	}
}

// near reports whether two counts may be the same, one of them cut down to an
// integer.
func near(a, b float64) bool {
	return a == b || math.Abs(a-b) < 1 && (a == math.Trunc(b) || b == math.Trunc(a))
}
