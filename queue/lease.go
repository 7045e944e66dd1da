package queue

import (
	"math"
	"sync/atomic"
	"time"
)

// Lender is a [Limit] of a key that can agree to requests before they come.
type Lender interface {
	Limit
	// Lend returns how many requests like r, at most, may go from now on and until when, all of
	// them without being asked about; 0 is none.
	Lend(now time.Time, r *Request) (n int, until time.Time)
	// Keep reports whether so many more may still go with the last Lend, and another request
	// besides, after something changed.
	Keep(now time.Time, left int) bool
	// Repay reports that so many of them went since the Lend or the last Repay, and that so many of
	// this or an earlier Lend are over. The line calls it before any other method, so that the limit
	// knows of all that went when it is asked.
	Repay(now time.Time, went, over int)
}

// Lease lets requests of one key go without asking the line for each, as long as nobody waits and
// nothing changes: see [Line.Lend]. It is safe for concurrent use; only Settle takes the line's lock.
type Lease struct {
	left atomic.Int64 // below 0 when nothing is
	line *Line
	loan *loan
}

// loan is what a key has lent. A key that never did has none.
type loan struct {
	over atomic.Int64 // requests that were settled with Done, and perhaps watched

	// Guarded by the line's lock.
	key     *key
	lender  Lender
	lease   *Lease // that may be used; nil when there is none
	granted int64  // how many it was for
	repaid  int64  // how many of those went, as the limit knows
	ended   int64  // of over, as the limit knows
	flying  int64  // that are not over, as the line knows
	until   int64  // when the lease ends, in line time
	timer   *time.Timer
	due     int64 // when that fires, no later than until; never when it does not
}

// watched is a bit that says that the line wants to know of each request that is over.
const watched = 1 << 62

// recalled is what is left of a lease that has ended. Whoever still tries makes it less.
const recalled = math.MinInt64 / 2

// Lend returns a lease for some requests like r, or nil when there is none to be had: because the line
// has rules, somebody of r's key waits, or the key's own limit is no [Lender] or does not agree. The
// lease ends after the time that the limit set, and as soon as the limit no longer agrees or somebody of
// its key has to wait. An earlier lease of the key ends now.
func (l *Line) Lend(r *Request) *Lease {
	l.mu.Lock()
	defer l.mu.Unlock() // a limit may panic
	now := l.now()
	k := l.key(r.Key, now)
	lender, ok := k.own.(Lender)
	if !ok || l.phase != open || len(l.rules) > 0 || l.keyObserves || k.waiting > 0 {
		return nil
	}
	l.recall(now, k)
	n, until := lender.Lend(now, r)
	if n <= 0 || !until.After(now) {
		return nil
	}
	if k.loan == nil {
		k.loan = &loan{key: k, lender: lender, due: never}
	}
	return l.lend(now, k.loan, n, until)
}

// lend grants a lease.
func (l *Line) lend(now time.Time, o *loan, n int, until time.Time) *Lease {
	s := &Lease{line: l, loan: o}
	s.left.Store(int64(n))
	o.lease, o.granted, o.repaid, o.until = s, int64(n), 0, l.since(until)
	o.over.And(^watched)
	if o.until < o.due { // most come one after the other: the timer is not set anew for each
		l.setTimer(now, o)
	}
	if l.loans == nil {
		l.loans = make(map[*loan]struct{})
	}
	l.loans[o] = struct{}{}
	return s
}

// setTimer sets the timer for the end of the lease.
func (l *Line) setTimer(now time.Time, o *loan) {
	o.due = o.until
	d := time.Duration(o.due - l.since(now))
	if o.timer == nil {
		o.timer = time.AfterFunc(d, func() { l.endLease(o) })
	} else {
		o.timer.Reset(d)
	}
}

// endLease is called by the timer.
func (l *Line) endLease(o *loan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.due = never
	if o.lease == nil {
		return
	}
	now := l.now()
	if o.until > l.since(now) {
		l.setTimer(now, o)
		return
	}
	l.recall(now, o.key)
}

// recall ends the lease of a key, if there is one, and repays it.
func (l *Line) recall(now time.Time, k *key) {
	o := k.loan
	if o == nil {
		return
	}
	taken := o.repaid
	if s := o.lease; s != nil {
		taken = o.granted - max(s.left.Swap(recalled), 0)
		o.lease = nil
	}
	l.repay(now, o, taken)
}

// account repays what is due of a key's lease, which goes on.
func (l *Line) account(now time.Time, k *key) {
	o := k.loan
	if o == nil {
		return
	}
	taken := o.repaid
	if o.lease != nil {
		taken = o.granted - int64(o.lease.Left())
	}
	l.repay(now, o, taken)
}

// repay tells the limit what went and what is over; taken is how many went with the lease until now.
func (l *Line) repay(now time.Time, o *loan, taken int64) {
	over := o.over.Load() &^ watched
	if went, ended := taken-o.repaid, over-o.ended; went > 0 || ended > 0 {
		o.repaid, o.ended = taken, over
		o.count(l, went-ended)
		o.lender.Repay(now, int(went), int(ended))
	}
	if o.flying == 0 && o.lease == nil {
		delete(l.loans, o)
	}
}

// count adds to the requests that are under way.
func (o *loan) count(l *Line, n int64) {
	o.flying += n
	o.key.flying += int32(n)
	l.flying += int(n)
}

// review repays what is due of a key's lease, and ends it if the limit no longer agrees.
func (l *Line) review(now time.Time, k *key) {
	l.account(now, k)
	if o := k.loan; o != nil && o.lease != nil && !o.lender.Keep(now, int(o.granted-o.repaid)) {
		l.recall(now, k)
	}
}

// passBy makes sure that a request may be let go beside a lease of its key, or ends that.
func (l *Line) passBy(now time.Time, k *key, r *Request) {
	if r.cost() > 1 {
		l.recall(now, k)
		return
	}
	l.review(now, k)
}

// accountAll repays what is due of all leases.
func (l *Line) accountAll() {
	for o := range l.loans {
		l.account(l.now(), o.key)
	}
}

// watch ends the lease of a key and has the line told of each of its requests that is over: somebody
// waits for that.
func (l *Line) watch(now time.Time, k *key) {
	if k.loan != nil {
		k.loan.over.Or(watched)
		l.recall(now, k)
	}
}

// watchAll does so for all keys.
func (l *Line) watchAll() {
	for o := range l.loans {
		l.watch(l.now(), o.key)
	}
}

// Take reports whether one more request may go, and counts it. Each one that goes has to be settled,
// with Done or Settle.
func (s *Lease) Take() bool { return s.left.Add(-1) >= 0 }

// Left returns how many more may go.
func (s *Lease) Left() int { return int(max(s.left.Load(), 0)) }

// Done settles a request that is over as was to be expected. It reports false, and does nothing,
// if the line has to know all that can be known about it: then Settle must be called.
func (s *Lease) Done() bool {
	over := &s.loan.over
	for {
		n := over.Load()
		if n&watched != 0 {
			return false
		}
		if over.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Settle settles a request of which there is news. It ends the lease, and is like [Permit.Settle]
// otherwise.
func (s *Lease) Settle(f func(now time.Time, own Limit)) {
	l, o := s.line, s.loan
	l.mu.Lock()
	defer l.mu.Unlock() // f may panic
	now := l.now()
	l.recall(now, o.key)
	o.count(l, -1)
	if o.flying == 0 {
		delete(l.loans, o)
	}
	if f != nil {
		f(now, o.key.own)
	}
	l.restir(o.key, false)
	l.settle(now)
}
