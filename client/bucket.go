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
	if l.untold.Apart(l.tellerOf(a)) {
		return untoldBucket
	}
	if l.buckets == nil {
		return 0
	}
	return l.buckets.Of(a.route.Name)
}

// tellerOf returns the number of a request's route among those that tell limits or not, or of its group, where that
// makes the difference.
func (l *keyState) tellerOf(a *attempt) uint64 {
	if level := l.untold.LevelOf(a.route.ID); level != sharing.ByBucket {
		return a.groupsOf()[level]
	}
	return a.route.ID
}

// untoldBucket is the bucket of the routes that tell no limits, and do not count in those that others
// tell. Fingerprints are odd.
const untoldBucket = 2

// watchUntold takes in whether a response tells limits.
func (l *keyState) watchUntold(now time.Time, a *attempt) {
	if l.untold.Answered(now, l.tellerOf(a), &a.untold, &a.reading) {
		l.joinUntold(now)
	}
	if l.untold.Varies() {
		l.untold.Note(a.groupsOf(), &a.reading)
	}
}

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
func (l *keyState) count(now time.Time, a *attempt) {
	if a.counters = l.countersOf(l.bucket(a)); a.counters != nil {
		a.note(a.counters)
		a.seen = a.counters.Sent(now, a.groupsOf())
	}
	if all := l.counters[0]; all != a.counters && all.Two() {
		a.all, a.seenOfAll = all, all.Sent(now, a.groupsOf())
	}
}

// note has counters note a request once.
func (a *attempt) note(c *sharing.Counters) {
	if !a.noted {
		a.noted = true
		c.Note(a.groupsOf())
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
	if a.scope == 0 && a.reading.Exhausted() {
		if c := l.countersOf(l.bucket(a)); c != nil {
			c.Spend(now, a.groupsOf(), &a.reading)
		}
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
	l.setLevel(a)
}

// setLevel has the queue keep groups apart that need not wait for each other.
func (l *keyState) setLevel(a *attempt) {
	level := max(l.untold.LevelOf(a.route.ID), l.places.Examined(a.route.ID))
	if a.counters != nil {
		level = max(level, a.counters.Level())
	}
	a.route.Level.Store(int32(level))
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

// mayTest returns the counters of the bucket of a request if they have something to test, and otherwise nil.
func (l *keyState) mayTest(now time.Time, a *attempt) *sharing.Counters {
	if l.counters == nil || a.scope != 0 || l.share != nil {
		return nil
	}
	if c := l.counters[l.bucket(a)]; c != nil && c.MayTest(now) {
		a.note(c)
		return c
	}
	return nil
}

// hurry shortens the wait of a request to when it may go as a test of whether it shares the counter that
// it waits for.
func (l *keyState) hurry(now time.Time, hold *limit.Decision, a *attempt) {
	c := l.mayTest(now, a)
	if c == nil {
		return
	}
	if due, level := c.Test(now, hold.At, hold.Limit == throttle.Refusal, a.groupsOf()); level != sharing.ByBucket {
		sooner(hold, due)
	}
}

// explores has a request go as such a test if it would have to wait, and the test is due.
func (l *keyState) explores(now time.Time, a *attempt, d limit.Demand) {
	c := l.mayTest(now, a)
	if c == nil {
		return
	}
	hold := l.ask(now, a.part, &d, a)
	if !hold.At.After(now) {
		return
	}
	if due, level := c.Test(now, hold.At, hold.Limit == throttle.Refusal, a.groupsOf()); level != sharing.ByBucket && !due.After(now) {
		l.explore(now, a, c, level)
	}
}

// explore lets a request go as such a test: on a limiter of its own, so that the others do not
// mistake it for one of theirs.
func (l *keyState) explore(now time.Time, a *attempt, c *sharing.Counters, level sharing.Level) {
	a.explores = c.Explore(now, a.groupsOf())
	a.part = l.part(now, finer(l.bucket(a), a.groupsOf()[level]))
}

// explored takes in what became of such a test.
func (l *keyState) explored(now time.Time, a *attempt) {
	if a.counters != nil && a.counters == l.counters[l.bucket(a)] { // it showed limits of the same names
		a.counters.Explored(now, a.explores, a.groupsOf(), &a.reading)
	}
	a.part.Observe(now, a.ticket, &a.reading)
}

// finer returns the bucket of a group of a bucket.
func finer(bucket, group uint64) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return (bucket+group)*odd | 1
}
