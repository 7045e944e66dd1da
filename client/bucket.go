package client

import (
	"maps"
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle"
)

// of returns the limits that a request obeys.
func (l *keyState) of(now time.Time, a *attempt) *throttle.Limiter {
	if a.scope != 0 {
		return l.part(now, a.scope)
	}
	if m := l.refine(l.bucket(a), a); m != 0 {
		return l.part(now, m)
	}
	return l.whole
}

// bucket returns the mark of what a request shares its limits with, as far as responses
// name them; 0 is the whole.
func (l *keyState) bucket(a *attempt) uint64 {
	if l.buckets == nil {
		return 0
	}
	return l.buckets.Of(a.route.Name)
}

// maxParts is how many parts of a key have limits of their own at a time.
const maxParts = 1024

// part returns the limits of a part, which are unknown at first.
func (l *keyState) part(now time.Time, m uint64) *throttle.Limiter {
	if k := l.limits[m]; k != nil {
		return k
	}
	if len(l.limits) >= maxParts {
		maps.DeleteFunc(l.limits, func(_ uint64, k *throttle.Limiter) bool { return k.Idle(now) })
		clear(l.shapes)
	}
	if len(l.limits) >= maxParts { // those in use are many: any of them is learned again soon
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

// maxBuckets is how many buckets of a key have their counters looked at.
const maxBuckets = 64

// countersOf returns the counters of a bucket, or nil if there are too many.
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

// refine returns the bucket of a request, which is one of its group if each is counted
// apart.
func (l *keyState) refine(bucket uint64, a *attempt) uint64 {
	c := l.counters[bucket]
	if c == nil || c.Level() == sharing.ByBucket {
		return bucket
	}
	const odd = 0x9e3779b97f4a7c15
	return (bucket+a.groupsOf()[c.Level()])*odd | 1
}

// watchCounters takes in what a response says is left.
func (l *keyState) watchCounters(now time.Time, a *attempt) {
	c := a.counters
	if c == nil {
		return
	}
	c.Answered(now, a.taken, a.groupsOf(), &a.seen, &a.reading)
	if c.Level() >= sharing.ByThing {
		a.who.routes.Level.Store(int32(c.Level()))
	}
}
