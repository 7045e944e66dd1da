package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
)

// merge joins the parts that describe one window under several names. Two
// families in one response are the same limiter at Kong, tollbooth and
// Zendesk, and different ones at Tripadvisor, GoCardless and Groq; only their
// numbers can tell.
func (r *Reading) merge() {
	r.mergePairs(samePrefix)
	r.mergePairs(r.sameNumbers)
	r.mergeSole(complement)
	r.mergeSole(restOnly)
	r.mergeSole(limitOnly)
	r.mergeSole(resetOnly)
	r.mergeSole(resetOfLast)
	r.spreadReset()
	r.mergePairs(sameLength)
	r.shareResets()
}

// apart reports that nothing can be merged: each window has a name of its own, a limit, a
// rest and a reset.
func (r *Reading) apart() bool {
	for i := range r.parts {
		p := &r.parts[i]
		if p.unnamed || p.key == "" || !p.Limit.Known() || !p.Remaining.Known() || !p.Reset.Known() {
			return false
		}
	}
	return true
}

// mergePairs merges every part into another one that into says is the same.
func (r *Reading) mergePairs(into func(from, to *part) bool) {
	for i := range r.parts {
		from := &r.parts[i]
		for j := range r.parts {
			to := &r.parts[j]
			if i != j && !from.merged && !to.merged && into(from, to) {
				to.absorb(from)
			}
		}
	}
}

// mergeSole merges every part into the only other one that into says is the same.
func (r *Reading) mergeSole(into func(from, to *part) bool) {
	for i := range r.parts {
		from := &r.parts[i]
		var sole *part
		n := 0
		for j := range r.parts {
			to := &r.parts[j]
			if i != j && !from.merged && !to.merged && into(from, to) {
				sole = to
				n++
			}
		}
		if n == 1 {
			sole.absorb(from)
		}
	}
}

func (p *part) absorb(from *part) {
	from.merged = true
	if from.Limit.Known() && p.Limit.Known() && from.Limit.Value != p.Limit.Value {
		// One was cut down to an integer: the other is the accurate one.
		p.Limit.Value = max(p.Limit.Value, from.Limit.Value)
	} else {
		p.setLimit(from.Limit)
	}
	p.setRemaining(from.Remaining)
	p.setUsed(from.Used)
	p.setReset(from.Reset, from.unitless)
	p.setLength(from.Length)
	if p.Unit == "" {
		p.Unit = from.Unit
	}
	if p.Scope == "" {
		p.Scope = from.Scope
	}
	if p.unnamed && !from.unnamed {
		p.Name, p.unnamed = from.Name, false
	}
}

// sameNumbers joins an unnamed window, or one that another field names, with one of another
// name, or of that name, that has the same limit and the same rest, and nothing that speaks
// against it.
func (r *Reading) sameNumbers(from, to *part) bool {
	if !from.unnamed && (from.key != "" || from.Name != to.Name) || from.family == to.family && from.key == to.key && from.item == to.item {
		return false
	}
	if to.unnamed && (from.item > to.item || from.item == to.item && from.family > to.family) {
		return false // one direction is enough
	}
	limits := from.Limit.Known() && to.Limit.Known()
	rests := from.Remaining.Known() && to.Remaining.Known()
	switch {
	case !limits && !rests,
		limits && !near(from.Limit.Value, to.Limit.Value),
		rests && !near(from.Remaining.Value, to.Remaining.Value),
		!limits && from.Limit.Known() == to.Limit.Known(),
		from.Used.Known() && to.Used.Known() && from.Used.Value != to.Used.Value,
		from.Length > 0 && to.Length > 0 && from.Length != to.Length,
		from.Unit != "" && to.Unit != "" && from.Unit != to.Unit,
		from.Scope != "" && to.Scope != "" && from.Scope != to.Scope:
		return false
	}
	if from.Reset.Known() && to.Reset.Known() {
		a, b := from.Reset.Delay(r.base()), to.Reset.Delay(r.base())
		return max(a-b, b-a) <= time.Second+max(from.Reset.Resolution, to.Reset.Resolution)
	}
	return true
}

// samePrefix joins X-MBX-USED-WEIGHT with its twin X-MBX-USED-WEIGHT-1M,
// ResourceRemaining with ResourceDailyLimit, and X-Daily-Usage with
// X-Daily-Requests-Left.
func samePrefix(from, to *part) bool {
	if from.family != to.family || from.item != to.item || !startsKey(to.key, from.key) {
		return false
	}
	twin := from.Used.Known() && from.Used == to.Used && !from.Limit.Known() && !from.Remaining.Known()
	return twin || disjoint(from, to) && !from.Reset.Known() && (from.Length == 0 || from.Length == to.Length)
}

// startsKey reports whether a key begins with all the words of another one and
// has more.
func startsKey(key, words string) bool {
	return words != "" && len(key) > len(words) && key[:len(words)] == words && key[len(words)] == '-'
}

// disjoint reports whether no count is known of both, and some of each.
func disjoint(a, b *part) bool {
	clash := a.Limit.Known() && b.Limit.Known() || a.Remaining.Known() && b.Remaining.Known() ||
		a.Used.Known() && b.Used.Known()
	return !clash && a.counted() && b.counted()
}

func (p *part) counted() bool { return p.Limit.Known() || p.Remaining.Known() || p.Used.Known() }

// complement joins an unnamed reset or length with the only window of the same
// family that lacks it.
func complement(from, to *part) bool {
	return from.unnamed && from.key == "" && from.family == to.family && to.key != "" &&
		!from.counted() && from.Limit.State != Unlimited && to.counted() &&
		!(from.Reset.Known() && to.Reset.Known()) && !(from.Length > 0 && to.Length > 0)
}

// restOnly joins an unnamed rest with the only named limit of the same family
// that has none, RateLimit-DailyLimit with RateLimit-Remaining, or with the only unnamed one
// of another prefix, X-RateLimit-Limit with X-Rate-Remaining.
func restOnly(from, to *part) bool {
	if !from.unnamed || from.key != "" || !from.Remaining.Known() || from.Limit.Known() ||
		!to.Limit.Known() || to.Remaining.Known() || to.policy || from.Reset.Known() && to.Reset.Known() {
		return false
	}
	if from.family == to.family {
		return to.key != ""
	}
	return to.unnamed && to.key == "" && !from.Used.Known() && !to.Used.Known() && from.item == to.item &&
		from.Remaining.Value <= to.Limit.Value && from.family != dialectFamily && to.family != dialectFamily
}

// limitOnly joins an unnamed limit with the only rest of the same family that is named for
// what it counts: RateLimit-Limit with RateLimit-Requests-Remain, X-Rate-Limit-Limit with
// X-Rate-Calls-Remaining.
func limitOnly(from, to *part) bool {
	return from.unnamed && from.key == "" && (from.family == to.family || from.family == to.family+"-limit") && from.item == to.item &&
		names.Dictionary[to.key].Kind == names.WordUnit && from.Limit.Known() && !from.Remaining.Known() && !from.Used.Known() &&
		to.Remaining.Known() && !to.Limit.Known() && !to.Used.Known() && !(from.Reset.Known() && to.Reset.Known())
}

// resetOnly joins an unnamed reset with the only window that has neither a reset nor a
// period, whatever its prefix: X-RateLimit-Reset with X-Limit-Remaining.
func resetOnly(from, to *part) bool {
	return from.unnamed && from.key == "" && from.Reset.Known() && !from.counted() && from.Length == 0 && from.family != to.family &&
		to.counted() && to.Length == 0 && to.family != dialectFamily && !to.policy && !to.Reset.Known()
}

// resetOfLast joins a reset with the only window without one whose name ends with the same
// word: X-Plan-Quota-Reset with X-Packagekey-Quota-Allotted. The name of a policy stands for
// itself.
func resetOfLast(from, to *part) bool {
	return from.Reset.Known() && !from.counted() && from.Length == 0 && !from.unnamed && from.family == to.family && from.key != to.key &&
		!from.named && !to.named && to.counted() && !to.Reset.Known() && lastWord(from.key) == lastWord(to.key)
}

func lastWord(key string) string { return key[strings.LastIndexByte(key, '-')+1:] }

// sameLength joins a limit, a rest and a use of one period that have no stem in
// common: X-Rate-Limit-Daily, X-Daily-Requests-Left and X-Daily-Usage.
func sameLength(from, to *part) bool {
	return from.family > to.family && from.Length > 0 && from.Length == to.Length &&
		(from.Unit == to.Unit || from.Unit == "" || to.Unit == "") &&
		disjoint(from, to) && !from.policy && !to.policy &&
		!(from.Reset.Known() && to.Reset.Known()) && from.item == to.item
}

// spreadReset gives the reset of a family that names no window to all its windows, none of
// which has one of its own: it is meant for them all, unless their periods are told
// and differ.
func (r *Reading) spreadReset() {
	for i := range r.parts {
		from := &r.parts[i]
		if from.merged || !from.unnamed || from.key != "" || from.counted() || !from.Reset.Known() {
			continue
		}
		fits := func(to *part) bool {
			return !to.merged && to != from && to.family == from.family && to.key != "" && to.counted() && !to.policy
		}
		length, n, same := time.Duration(0), 0, true
		for j := range r.parts {
			if to := &r.parts[j]; fits(to) {
				same = same && !to.Reset.Known() && (n == 0 || to.Length == length)
				length = to.Length
				n++
			}
		}
		if n < 2 || !same {
			continue
		}
		for j := range r.parts {
			if to := &r.parts[j]; fits(to) {
				to.setReset(from.Reset, from.unitless)
			}
		}
		from.merged = true
	}
}

// shareResets gives the reset of a window to those of the same period that are
// named after it: ResourceDaily resets when Daily does.
func (r *Reading) shareResets() {
	for i := range r.parts {
		p := &r.parts[i]
		if p.merged || !p.Reset.Known() || p.Length == 0 || p.key == "" {
			continue
		}
		for j := range r.parts {
			o := &r.parts[j]
			if !o.merged && !o.Reset.Known() && o.Length == p.Length && o.family == p.family &&
				len(o.key) > len(p.key) && strings.HasSuffix(o.key, p.key) && o.key[len(o.key)-len(p.key)-1] == '-' {
				o.Reset = p.Reset
			}
		}
	}
}
