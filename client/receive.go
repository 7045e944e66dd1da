package client

import (
	"slices"
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// receive learns from the response to an attempt.
func (l *keyState) receive(now time.Time, a *attempt) {
	if l.late(a) {
		return
	}
	r := &a.reading
	shown := sharing.FingerprintOf(r)
	if shown.Mark != 0 && !r.Stale && a.scope == 0 && (!r.Refused || l.introduces(a, shown)) {
		l.observeFingerprint(now, a, shown)
	}
	if a.scope == 0 {
		l.watchUntold(now, a)
	}
	l.watchModels(now, a)
	l.watchCounters(now, a)
	if a.scope == 0 && l.places.Watches(a.route.ID) && l.places.Answered(a.taken, a.route.ID, a.groupsOf(), r.Refused) {
		l.setLevel(a)
	}
	own, all := l.divide(a)
	defer a.passAbove(now, all)
	switch {
	case a.half != sharing.Neither:
		l.endPair(now, a)
		return
	case a.explores != 0:
		l.explored(now, a)
		return
	}
	belongs := a.part
	if a.scope == 0 && (l.buckets != nil || a.counters != nil || l.models != nil) {
		belongs = l.limiterOf(now, a)
	}
	if finalError(r) != nil || r.Refused && l.refuseAlone(now, a) {
		// Waiting does not help, or the refusal says nothing of other requests.
		a.observeAlone(now, own)
		return
	}
	if !r.Refused {
		l.serveRoute(now, a)
		l.serveURL(now, a)
	}
	bare := r.Refused && a.scope == 0 && !r.Exhausted() && !r.Overloaded() // an overloaded server tells no limit
	if bare && a.part == l.cooldown(l.placeOf(a)) {
		a.own, a.ownTicket = a.part, a.ticket // it became a cooldown's while the attempt was in flight
	}
	if bare && l.refuseRoute(now, a) {
		if a.part != a.own {
			l.excuse(now, a, own)
		}
		return
	}
	if a.own != nil && a.own != a.part {
		l.observeOwn(now, a, outcome(r))
	}
	if a.scope == 0 && !r.Refused {
		l.spread.Served(l.placeOf(a), a.taken)
	}
	if l.concernsAll(a, bare) {
		l.refuseAll(now, a, all)
		a.part.Observe(now, a.ticket, unrefused(own))
		return
	}
	l.observe(now, a, own, belongs)
	if a.scope == 0 && !r.Refused {
		l.witness(now, a)
	}
}

// witness takes in that a request was served. If the refusal with which all routes closed last should have
// concerned it, the routes do not share a limit, unless it proved that the server sheds load and opened them.
func (l *keyState) witness(now time.Time, a *attempt) {
	if !l.spread.Witness(l.placeOf(a), a.taken) {
		return
	}
	if next := l.whole.Ask(now, 1); !next.Admits(now) || l.above.opens(now, now).After(now) {
		route, until := l.spread.Separate()
		l.separate(now, route, until)
	}
}

// observe passes a response on to the limiter to which its request belongs. That is another one than the
// request's own if it was sent before its bucket was known.
func (l *keyState) observe(now time.Time, a *attempt, r *header.Reading, belongs *throttle.Limiter) {
	if belongs == a.part {
		a.part.Observe(now, a.ticket, r)
		return
	}
	a.part.Observe(now, a.ticket, &header.Reading{})
	if r.Refused {
		observe(belongs, now, r)
	} else if !l.strays(now) {
		observe(belongs, now, a.remaining(r))
	}
}

// remaining returns what a response says of the limits of its bucket, r, with no more left than any response to the
// group of its request said, as others may have overtaken it.
func (a *attempt) remaining(r *header.Reading) *header.Reading {
	if a.counters == nil || len(r.Windows) > 2 || len(r.Windows) > 1 && !a.counters.Two() {
		return r
	}
	least := *r
	least.Windows = slices.Clone(r.Windows)
	for i := range least.Windows {
		w := &least.Windows[i]
		if left, ok := a.counters.Left(w.Name, a.groupsOf()); ok {
			w.Remaining.Value = min(w.Remaining.Value, float64(left))
		}
	}
	return &least
}

// concernsAll reports whether a refusal concerns all buckets of the key. bare says that it names no limit, and did not
// concern its route alone.
func (l *keyState) concernsAll(a *attempt, bare bool) bool {
	return l.apart && bare || l.limits != nil && a.global && !a.reading.Overloaded()
}

// refuseAll takes in a refusal that names no limit and may concern all buckets of the key. all is what it says of
// limits that they share, nil for nothing.
func (l *keyState) refuseAll(now time.Time, a *attempt, all *header.Reading) {
	u := &l.above
	u.scopes = u.scopes || a.global
	if u.limiter == nil {
		u.limiter = newThrottle(l.policy, a.taken)
		a.above, a.aboveTicket = u.limiter, u.limiter.Take(a.taken, a.Cost)
	}
	if a.above != u.limiter {
		return // it was sent before the first such refusal came, and refused for the same reason
	}
	if all == nil {
		all = a.only(nil)
	}
	a.above.Observe(now, a.aboveTicket, all)
	a.above = nil
}

// passAbove takes in what the response to a request says of the limits above its bucket, if it is no refusal that
// they caused without a word. all is nil if it tells none.
func (a *attempt) passAbove(now time.Time, all *header.Reading) {
	switch {
	case a.above == nil:
	case all == nil:
		a.above.Observe(now, a.aboveTicket, outcome(&a.reading))
	case all.Refused && !all.Exhausted():
		a.above.Observe(now, a.aboveTicket, unrefused(all))
	default:
		a.above.Observe(now, a.aboveTicket, all)
	}
}

// divide returns what a response says of the limits of its bucket and, where it tells some that all buckets share,
// what it says of those.
func (l *keyState) divide(a *attempt) (own, all *header.Reading) {
	c := l.counters[0]
	if c == nil || !c.Shares() || l.above.limiter == nil || a.scope != 0 {
		return &a.reading, nil
	}
	var of [2][]header.Window
	for _, w := range a.reading.Windows {
		i := 0
		if c.Above(w.Name) {
			i = 1
		}
		of[i] = append(of[i], w)
	}
	if of[1] == nil {
		return &a.reading, nil
	}
	return a.only(of[0]), a.only(of[1])
}

// only returns what a response says of some of its windows.
func (a *attempt) only(windows []header.Window) *header.Reading {
	r := a.reading
	if r.Windows = windows; r.Refused && a.reading.Exhausted() && !r.Exhausted() {
		return unrefused(&r)
	}
	return &r
}

// unrefused returns what a refusal says of limits that did not cause it.
func unrefused(r *header.Reading) *header.Reading {
	return &header.Reading{Windows: r.Windows, Date: r.Date, Stale: r.Stale || len(r.Windows) == 0}
}

// excuse has the limiter of a request take in a refusal that it did not cause. Where nothing was ever served, and the
// refusal tells nothing of its limits, the request is taken back: it does not count as admitted.
func (l *keyState) excuse(now time.Time, a *attempt, own *header.Reading) {
	if l.served == 0 && len(own.Windows) == 0 {
		a.part.Cancel(a.ticket)
		return
	}
	a.part.Observe(now, a.ticket, unrefused(own))
}

// outcome returns what a cooldown learns from a response: that the request was served, or nothing if
// a known limit refused it.
func outcome(r *header.Reading) *header.Reading {
	return &header.Reading{Date: r.Date, Stale: r.Stale || r.Refused}
}

// introduces reports whether a refusal shows what limits a route of which nothing else was shown: a route whose quota
// was spent before is served nothing that could show it. The refusal has to say what it counts, since others may tell
// only the limit that was exceeded; or routes are known to have different limits. What is served shows the rest later.
func (l *keyState) introduces(a *attempt, shown sharing.Fingerprint) bool {
	switch b := l.buckets; {
	case b != nil && b.Knows(a.route.Name):
		return false
	case shown.Scope != 0 && (l.shown.Mark == 0 || l.shown.Scope != 0):
		return true
	default:
		return a.reading.Exhausted() && b != nil && b.Of(a.route.Name) != 0
	}
}

// observeFingerprint records the fingerprint of a response, and splits the key if its routes turn out to have
// different limits.
func (l *keyState) observeFingerprint(now time.Time, a *attempt, shown sharing.Fingerprint) {
	before, route := l.shown, l.shownBy
	l.shown, l.shownBy = shown, a.route
	if l.buckets == nil {
		if before.Mark == 0 || before.Mark == shown.Mark {
			return
		}
		l.buckets = sharing.NewBuckets(route.Name, before)
	}
	if l.buckets.Show(a.route.Name, shown, before) {
		l.awaitStrays(now, l.whole)
		l.whole = newThrottle(l.policy, now)
	}
}

// observe passes a response on to a limiter that did not admit its request.
func observe(k *throttle.Limiter, now time.Time, r *header.Reading) {
	k.Observe(now, k.Take(now, 1), r)
}

// lose counts an attempt that got no response.
func (l *keyState) lose(now time.Time, a *attempt) {
	l.abandonShare(now, a)
	if l.late(a) {
		return
	}
	l.untold.Lost(&a.untold)
	a.part.Abandon(now, a.ticket)
	a.abandonAbove(now)
	if a.own != nil {
		a.own.Abandon(now, a.ownTicket)
	}
}
