package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A Permit allows one request to be sent. It is a small value; its copies stand for the same permit.
// The zero value is not a permit, and its methods do nothing.
//
// Every permit must be released once its request is over; otherwise its key counts as in use forever.
// All methods are safe for concurrent use. They do not block, except for the queue's lock.
type Permit struct {
	t   *ticket
	gen uint32
}

// Release returns what the permit holds while its request is in flight: its places under MaxInFlight
// bounds. What the request spent of a rate stays spent. Only the first Release, Settle or Cancel of a
// permit has an effect.
func (p Permit) Release() { p.end(nil, true) }

// Update calls f with the key's own limit (see [WithKeyLimit]; nil without that option) under the
// queue's lock, then reconsiders the key's waiting requests. Call it when a response has arrived. The
// permit stays valid; after its release, Update does nothing. f must not call the queue.
func (p Permit) Update(f func(now time.Time, own limit.Limiter)) { p.end(f, false) }

// Settle does Update and Release in one step.
func (p Permit) Settle(f func(now time.Time, own limit.Limiter)) { p.end(f, true) }

// Cancel undoes everything that the permit took, from MaxInFlight bounds as well as rates, because its
// request was not sent. It does not count as a round trip, and does nothing after the permit is released.
func (p Permit) Cancel() {
	if p.t == nil {
		return
	}
	l := p.t.queue
	l.mu.Lock()
	defer l.mu.Unlock() // because a limiter may panic
	if t := p.t; t.gen == p.gen && t.state == granted {
		l.undo(t)
		l.dispatch(l.now())
	}
}

// end implements Release, Settle and Cancel.
func (p Permit) end(f func(now time.Time, own limit.Limiter), release bool) {
	if p.t == nil {
		return
	}
	l := p.t.queue
	l.mu.Lock()
	defer l.mu.Unlock() // because f may panic
	t := p.t
	if t.gen != p.gen || t.state != granted {
		return
	}
	now := l.now()
	k, news := t.key, f != nil
	if !t.observed {
		t.observed = true
		l.done(now, t)
		news = news || k.own != nil // the key's own limit may admit more now
	}
	if f != nil {
		f(now, k.own)
	}
	l.markKeyDirty(k, !news)
	if release {
		l.release(t)
	}
	if l.unsettled() {
		l.dispatch(now)
	}
}

// release ends a permit.
func (l *Queue) release(t *ticket) {
	t.key.flying--
	l.flying--
	c := t.class
	if c.bounded {
		for _, s := range c.slots {
			l.giveBack(t.key.limiters[s.slot])
		}
		for _, g := range c.limiters {
			l.giveBack(g)
		}
	}
	l.recycle(t)
}

func (l *Queue) giveBack(g *limiter) {
	if b := g.flight(); b != nil {
		b.now--
		l.markDirty(g)
	}
}

// done tells the limiters that t's request is over. They may admit more then.
func (l *Queue) done(now time.Time, t *ticket) {
	t.key.trip.observe(now.Sub(t.taken))
	if t.key.own != nil {
		t.key.own.Done(now, t.taken, t.demand)
	}
	for _, s := range t.class.slots {
		l.doneAt(t.key.limiters[s.slot], now, t)
	}
	for _, g := range t.class.limiters {
		l.doneAt(g, now, t)
	}
}

func (l *Queue) doneAt(g *limiter, now time.Time, t *ticket) {
	if g.flight() == nil {
		g.limit.Done(now, t.taken, t.demand)
		l.markDirty(g)
	}
}

// markKeyDirty makes the queue reconsider the requests that wait for the key's own limit, or only those
// that wait for an update of it.
func (l *Queue) markKeyDirty(k *key, unknownOnly bool) {
	if k.waiting == 0 {
		return
	}
	for n := range k.eachBucket {
		if n.limiter.unknown || !unknownOnly {
			l.markDirty(&n.limiter)
		}
	}
}

// Update calls f with the limit of a key under the queue's lock, then reconsiders the key's waiting
// requests; see [Permit.Update]. If the queue does not know the key, Update adds it. f must not call
// the queue.
func (l *Queue) Update(key string, f func(now time.Time, own limit.Limiter)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	k := l.key(key, now)
	if f != nil {
		f(now, k.own)
	}
	l.markKeyDirty(k, false)
	l.dispatch(now)
}

// Each calls f, under the queue's lock, for every key that the queue remembers, with the key's own
// limit and what the queue holds for it. It takes time in proportion to the number of keys. f must not
// call the queue.
func (l *Queue) Each(f func(key string, own limit.Limiter, holds Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, k := range l.keys {
		f(name, k.own, k.stats())
	}
}

// Replan asks every limit that has waiting requests again. Call it after a change that no Update
// reports, such as when a limit shared by several keys has become looser. It takes time in proportion
// to the number of these limits.
func (l *Queue) Replan() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replan()
}

func (l *Queue) replan() {
	for _, g := range l.alarms {
		l.markDirty(g)
	}
	l.dispatch(l.now())
}

// CountsUnits reports whether any quota of a rule counts something other than requests; see [Quota.Of].
func (l *Queue) CountsUnits() bool { return l.units.Load() }

func (l *Queue) noteUnits(quotas []Quota) {
	for _, q := range quotas {
		if q.Unit() != "requests" {
			l.units.Store(true)
		}
	}
}

// Settle tells the quotas that count something other than requests what a Metered request cost. Call it once
// for each permit of such a request that was not canceled, as soon as the response says so, even after the
// permit was released. r must be unchanged, except for its Tag.
//
// The request spent nothing of units that are not in used, as when it was refused. A nil map means that the
// cost is not known; quotas then count what other requests cost.
func (l *Queue) Settle(r *Request, used map[string]float64) {
	if !r.Metered || !l.CountsUnits() {
		return
	}
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	now, d := l.now(), r.demand()
	k, c := l.key(r.Key, now), l.classOf(id)
	for i := range c.slots {
		l.settle(l.limiterOf(k, &c.slots[i]), now, d, used)
	}
	for _, g := range c.limiters {
		l.settle(g, now, d, used)
	}
	l.dispatch(now)
}

func (l *Queue) settle(g *limiter, now time.Time, d limit.Demand, used map[string]float64) {
	g.limit.Settle(now, d, used)
	l.markDirty(g)
}
