package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A key is what the queue knows about one key.
type key struct {
	name     string
	own      limit.Limiter // from WithKeyLimit, or nil
	limiters []*limiter    // of rules with scope PerKey, by slot; nil until used

	bucket *bucket // one with waiting requests; nil for none
	others *others // nil before there are several

	prev, next      *key // by last use
	used            int64
	waiting, flying int32
	haste           haste
	trip            roundTrip
}

// A bucket holds the requests of a key that wait behind each other.
type bucket struct {
	name    string
	limiter limiter // of the key's own limit, which may decide differently for each bucket
	flows   []*flow // never empty
	turn    int64   // of its last permit, or when the first request came, by Queue.turn
	place   int     // among the others of its key
}

// yields reports whether no request of the key waits for anything but pacing.
func (k *key) yields() bool {
	if k.waiting == 0 {
		return true
	}
	for _, g := range k.limiters {
		if g != nil && g.busy() {
			return false
		}
	}
	for n := range k.eachBucket {
		if n.limiter.busy() && !n.limiter.voluntary {
			return false
		}
	}
	return true
}

// key returns the key with that name, and creates it if necessary. The lock must be held.
func (l *Queue) key(name string, now time.Time) *key {
	k := l.lastKey
	if k == nil || k.name != name {
		k = l.keys[name]
		if k == nil {
			return l.newKey(name, now)
		}
		l.lastKey = k
	}
	// The order by last use is exact to a second: moving a key costs more than asking a limit.
	if at := l.since(now); at-k.used > int64(time.Second) {
		k.used = at
		l.touch(k)
	}
	return k
}

func (l *Queue) newKey(name string, now time.Time) *key {
	if len(l.keys) >= l.maxKeys {
		l.forgetOldest(now)
	}
	k := &key{name: name, used: l.since(now)}
	if l.newLimit != nil {
		k.own = l.newLimit(name)
	}
	l.keys[name] = k
	l.linkKey(k)
	l.lastKey = k
	return k
}

// touch makes a key the one used last.
func (l *Queue) touch(k *key) {
	l.unlinkKey(k)
	l.linkKey(k)
}

func (l *Queue) linkKey(k *key) {
	k.prev, k.next = l.newest, nil
	if l.newest == nil {
		l.oldest = k
	} else {
		l.newest.next = k
	}
	l.newest = k
}

func (l *Queue) unlinkKey(k *key) {
	if k.prev == nil {
		l.oldest = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		l.newest = k.prev
	} else {
		k.next.prev = k.prev
	}
}

// forgetKey removes a key that is not in use.
func (l *Queue) forgetKey(k *key) {
	l.unlinkKey(k)
	delete(l.keys, k.name)
	if l.lastKey == k {
		l.lastKey = nil
	}
}

// forgetOldest makes room for a key. It removes the least recently used key that is not in use and whose
// next request could be sent at once. As long as there are such keys, it keeps those that have to wait,
// so that keys that are used only once do not displace what a server said about a long wait. It never
// removes keys in use, even if there are more of them than the maximum.
func (l *Queue) forgetOldest(now time.Time) {
	const tries = 8 // few keys at the old end have to stay, and those move to the new end
	for range tries {
		k := l.oldest
		if k == nil {
			return
		}
		if !k.busy() && !k.holds(now) {
			l.forgetKey(k)
			return
		}
		l.touch(k)
	}
	if len(l.keys) < l.maxKeys+l.maxKeys/8 {
		return // the next call looks at more keys
	}
	for range tries {
		k := l.oldest
		if !k.busy() {
			l.forgetKey(k)
			return
		}
		l.touch(k)
	}
}

// holds reports whether a request of the key would have to wait for a limit of the key alone.
func (k *key) holds(now time.Time) bool {
	if k.own != nil && holds(k.own, now) {
		return true
	}
	for _, g := range k.limiters {
		if g != nil && holds(g.limit, now) {
			return true
		}
	}
	return false
}

func holds(l limit.Limiter, now time.Time) bool {
	a := l.Ask(now, limit.Demand{})
	return a.Max <= 0 && !a.Admits(now)
}

func (k *key) busy() bool {
	return k.waiting > 0 || k.flying > 0
}

// idle reports whether forgetting the key would change nothing.
func (k *key) idle(now time.Time) bool {
	if k.busy() || k.own != nil && !k.own.Idle(now) {
		return false
	}
	for _, g := range k.limiters {
		if g != nil && !g.limit.Idle(now) {
			return false
		}
	}
	return true
}

const (
	// unused is how long a key is left alone before the queue asks whether it is idle.
	unused = 10 * time.Minute
	// sweepSize bounds how long a sweep holds the lock, to some tens of microseconds.
	sweepSize = 256
)

// sweep forgets keys that are idle. It looks at those not used for a while, a few at a time.
func (l *Queue) sweep(now time.Time) {
	at := l.since(now)
	for range sweepSize {
		k := l.oldest
		if k == nil || at-k.used < int64(unused) {
			break
		}
		if k.idle(now) {
			l.forgetKey(k)
			continue
		}
		k.used = at // look again later
		l.touch(k)
	}
}

// sweepAt is when to sweep next, in queue time.
func (l *Queue) sweepAt() int64 {
	if l.oldest == nil {
		return never
	}
	return l.oldest.used + int64(unused)
}

// bucketOf returns the bucket with that name, and creates it if necessary.
func (l *Queue) bucketOf(k *key, name string) *bucket {
	if k.bucket != nil && k.bucket.name == name {
		return k.bucket
	}
	if k.others != nil && k.others.named[name] != nil {
		return k.others.named[name]
	}
	n := l.buckets.get()
	l.turn++
	n.name, n.limiter.limit, n.turn = name, k.own, l.turn
	if k.bucket == nil {
		k.bucket = n
		return n
	}
	if k.others == nil {
		k.others = &others{named: map[string]*bucket{}, turns: share{floor: l.floor}}
	}
	k.others.add(n)
	return n
}

// flowOf returns the flow of such requests. If necessary it creates the flow, in no wait queue.
func (l *Queue) flowOf(k *key, c *class, bucket string, level int8) *flow {
	n := l.bucketOf(k, bucket)
	for _, f := range n.flows {
		if f.kind == c && f.level == level {
			return f
		}
	}
	f := l.flows.get()
	f.node = node{flow: f, level: level, deadline: never}
	f.key, f.bucket, f.kind = k, n, c
	n.flows = append(n.flows, f)
	return f
}

// forgetFlow removes an empty flow, and its bucket if no other flow is left there.
func (l *Queue) forgetFlow(f *flow) {
	n, k := f.bucket, f.key
	for i, other := range n.flows {
		if other == f {
			last := len(n.flows) - 1
			n.flows[i], n.flows[last] = n.flows[last], nil
			n.flows = n.flows[:last]
			break
		}
	}
	*f = flow{dates: f.dates[:0]}
	l.flows.put(f)
	if len(n.flows) > 0 {
		return
	}
	if k.bucket == n {
		k.bucket = nil
	} else {
		k.others.remove(n)
	}
	// A limiter that is still marked dirty must not be reused: leave it to the garbage collector.
	if n.limiter.dirty == 0 {
		*n = bucket{flows: n.flows[:0]}
		l.buckets.put(n)
	}
}
