package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// limiterOf returns the limiter that applies to a request.
func (l *keyState) limiterOf(now time.Time, a *attempt) *throttle.Limiter {
	if a.scope != 0 {
		return l.part(now, a.scope)
	}
	if m := l.refine(l.bucket(a), a); m != 0 {
		l.apart = true
		known := l.limits[m]
		if known == nil {
			known = l.part(now, m)
			known.Adopt(now, 0) // what was sent before
		}
		return known
	}
	return l.whole
}

// bucket returns the fingerprint of the bucket of a request, as far as responses distinguish
// buckets; 0 for whole.
func (l *keyState) bucket(a *attempt) uint64 {
	if l.untold.Apart(a.route.ID) {
		return untoldBucket
	}
	if l.buckets == nil {
		return 0
	}
	return l.buckets.Of(a.route.Name)
}

// untoldBucket is the bucket of the routes that tell no limits, and do not count in those that others
// tell. Fingerprints are odd.
const untoldBucket = 2

// joinUntold lets the requests of routes that tell no limits wait for those that others tell, because
// they count in them.
func (l *keyState) joinUntold(now time.Time) {
	inFlight := 0
	if apart := l.limits[untoldBucket]; apart != nil {
		inFlight, l.before = apart.InFlight(now), apart
		delete(l.limits, untoldBucket)
	}
	l.whole.Adopt(now, inFlight)
}

// maxParts is how many buckets of a key have limiters of their own at a time.
const maxParts = 1024

// part returns the limiter of a bucket or scope, and creates it if necessary.
func (l *keyState) part(now time.Time, m uint64) *throttle.Limiter {
	if k := l.limits[m]; k != nil {
		return k
	}
	if len(l.limits) >= maxParts {
		maps.DeleteFunc(l.limits, func(_ uint64, k *throttle.Limiter) bool { return k.Idle(now) })
		clear(l.shapes)
	}
	if len(l.limits) >= maxParts { // all in use: forget any of them, which is soon learned again
		for other := range l.limits {
			delete(l.limits, other)
			break
		}
	}
	if l.limits == nil {
		l.limits = make(map[uint64]*throttle.Limiter)
	}
	k := newThrottle(l.policy, now)
	l.limits[m] = k
	return k
}

// maxBuckets is how many buckets of a key have their counters examined.
const maxBuckets = 64

// countersOf returns the counters of a bucket, or nil if too many buckets have counters.
func (l *keyState) countersOf(bucket uint64) *sharing.Counters {
	c := l.counters[bucket]
	if c == nil && len(l.counters) < maxBuckets {
		if l.counters == nil {
			l.counters = make(map[uint64]*sharing.Counters)
		}
		c = new(sharing.Counters)
		l.counters[bucket] = c
	}
	return c
}

// strayPatience is how long buckets wait for the requests that were sent before the split.
const strayPatience = 2 * time.Second

// awaitStrays has buckets wait for the requests that a limiter let go before the split.
func (l *keyState) awaitStrays(now time.Time, before *throttle.Limiter) {
	l.before, l.patience = before, now.Add(strayPatience)
}

// strays reports whether requests that were sent before the key was split are in flight.
func (l *keyState) strays(now time.Time) bool { return l.before != nil && l.before.InFlight(now) > 0 }

// count has the counters of the bucket of a request, and of the key, count it as sent.
func (l *keyState) count(a *attempt) {
	if a.counters = l.countersOf(l.bucket(a)); a.counters != nil {
		a.seen = a.counters.Sent(a.groupsOf())
	}
	if all := l.counters[0]; all != a.counters && all.Two() {
		a.all, a.seenOfAll = all, all.Sent(a.groupsOf())
	}
}

// refine returns the bucket of a request's group, if the API counts the groups of the bucket
// separately, and otherwise the bucket itself.
func (l *keyState) refine(bucket uint64, a *attempt) uint64 {
	if m := l.models[bucket]; m != nil && a.model != "" {
		if of := m.Group(a.route.ID); of != 0 {
			return finer(bucket, of)
		}
	}
	c := l.counters[bucket]
	if c == nil || c.Level() == sharing.ByBucket {
		return bucket
	}
	return finer(bucket, a.groupsOf()[c.Level()])
}

// watchModels notes what a response says remains of the limits of its model, and splits the bucket if
// its models turn out to be counted separately.
func (l *keyState) watchModels(now time.Time, a *attempt) {
	if a.model == "" || a.scope != 0 || a.reading.Refused || a.reading.Stale || l.shown.Mark == 0 {
		return
	}
	bucket := l.bucket(a)
	m := l.models[bucket]
	if m == nil {
		if len(l.models) >= maxBuckets {
			return
		}
		if l.models == nil {
			l.models = make(map[uint64]*sharing.Models)
		}
		m = new(sharing.Models)
		l.models[bucket] = m
	}
	if m.Show(a.route.ID, &a.reading) {
		l.awaitStrays(now, a.part)
	}
}

// watchCounters compares what a response says remains with the counters of the bucket.
func (l *keyState) watchCounters(now time.Time, a *attempt) {
	if all := a.all; all != nil {
		all.Answered(now, a.taken, a.groupsOf(), &a.seenOfAll, &a.reading)
		l.raise(now, all)
	}
	c := a.counters
	if c == nil {
		return
	}
	was := c.Level()
	c.Answered(now, a.taken, a.groupsOf(), &a.seen, &a.reading)
	if c.Level() != was && a.part == l.whole { // what is in flight spends the counters of groups
		l.awaitStrays(now, l.whole)
	}
	l.raise(now, c)
	a.route.Level.Store(int32(c.Level()))
}

// raise follows the limits that all counters of the key share, beside one that is counted apart.
func (l *keyState) raise(now time.Time, c *sharing.Counters) {
	switch shares := c.Shares(); {
	case c != l.counters[0] || shares == l.above.told:
	case shares:
		if l.above.told = true; l.above.limiter == nil {
			l.above.limiter = newThrottle(l.policy, now)
		}
	default:
		l.above = above{}
	}
}

// mayExplore reports whether a request may test whether its path has a counter of its own.
func (l *keyState) mayExplore(now time.Time, a *attempt) bool {
	if !l.paths || a.scope != 0 {
		return false
	}
	c := l.counters[l.bucket(a)]
	return c != nil && c.MayExplore(now, a.groupsOf())
}

// explores reports whether a request that has to wait for a limit goes as such a test.
func (l *keyState) explores(now time.Time, a *attempt, name string) bool {
	return name != throttle.Refusal && l.mayExplore(now, a)
}

// explore lets a request go as such a test: on a limiter of its own, so that the others do not
// mistake it for one of theirs.
func (l *keyState) explore(now time.Time, a *attempt) {
	bucket := l.bucket(a)
	l.counters[bucket].Explore(now)
	a.explores = true
	a.part = l.part(now, finer(bucket, a.groupsOf()[sharing.ByPath]))
}

// finer returns the bucket of a group of a bucket.
func finer(bucket, group uint64) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return (bucket+group)*odd | 1
}

// An above is what limits all buckets of a key, above the limits of each: refusals show it that name no limit and do not
// concern their route alone, or responses tell it beside a limit that is counted apart.
type above struct {
	told    bool              // responses tell it
	limiter *throttle.Limiter // nil until there is such a refusal
	scopes  bool              // a refusal said that it concerns more than what was asked for, so that scopes count too
}

// of returns the limiter of the limit if a request is under it, and otherwise nil.
func (u *above) of(a *attempt) *throttle.Limiter {
	if a.scope != 0 && !u.scopes {
		return nil
	}
	return u.limiter
}

// ask replaces the decision on a request if the limit holds it back for longer.
func (u *above) ask(now time.Time, decided *limit.Decision, d *limit.Demand, a *attempt) {
	k := u.of(a)
	if k == nil {
		return
	}
	next := k.Ask(now, d.Requests)
	if next.Relax(now, d); next.After(decided) {
		*decided = next
	}
}

// opens returns when the limit lets a request go, or at if that is later.
func (u *above) opens(now, at time.Time) time.Time {
	if u.limiter != nil {
		if next := u.limiter.Ask(now, 1).At; next.After(at) {
			return next
		}
	}
	return at
}

// idle reports whether the limit can be forgotten.
func (u *above) idle(now time.Time) bool { return u.limiter == nil || u.limiter.Idle(now) }

// forgetRefusals notes that the refusals do not concern all buckets.
func (u *above) forgetRefusals(now time.Time) {
	if u.limiter != nil {
		u.limiter.ForgetRefusals(now)
	}
}

// takeAbove counts a request as sent.
func (a *attempt) takeAbove(now time.Time, u *above) {
	if a.above = u.of(a); a.above != nil {
		a.aboveTicket = a.above.Take(now, a.Cost)
		a.aboveTicket.Retry = a.again
	}
}

// cancelAbove takes in that a request was never sent.
func (a *attempt) cancelAbove() {
	if a.above != nil {
		a.above.Cancel(a.aboveTicket)
	}
}

// abandonAbove takes in that a request got no response.
func (a *attempt) abandonAbove(now time.Time) {
	if a.above != nil {
		a.above.Abandon(now, a.aboveTicket)
	}
}
