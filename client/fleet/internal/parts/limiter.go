package parts

import (
	"sync"
	"time"

	"github.com/forbear-go/forbear/client/fleet/internal/loop"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Config is what a Limiter needs of the fleet that it is part of.
type Config struct {
	ID      string
	Lease   time.Duration // for so long a member may send without a word from the ledger,
	Grace   time.Duration // and for so much longer others believe it to be alive
	Timeout time.Duration // of a call
	Members int           // as many are believed to share a quota while the ledger has yet to be reached
	// Exchange calls the store. It returns within the timeout.
	Exchange func(q *Report) (Reply, error)
	Go       func(f func())
	Enter    func() bool // the limiter is in use; false if the fleet is closed
	Leave    func()      // it is no longer. Both may be called under its lock
	Wake     func()      // has the queue ask again
	Away     func(away bool)
}

// A Limiter keeps a part of a quota. It implements queue.Portion.
type Limiter struct {
	limit.NoHooks // Settle: a fleet counts requests

	c     Config
	whole limit.Quota
	most  int64
	span  time.Duration

	mu       sync.Mutex
	each     int64 // the part that is held,
	local    limit.Limiter
	part     *limit.Quota // of local
	promised int64        // by Ask, to a Take that may follow at once
	flying   int          // requests that were sent and not answered

	// What is needed: since when requests could not go for want of a part, and the highest of their priorities.
	starved bool // since the last report
	cost    int64
	short   time.Time
	rank    int64
	ranked  time.Time
	recent  recent

	seq, heard, ver int64
	inc             string
	pushed          int64 // since the report heard
	members, fair   int64
	lease           time.Time // what is held may be sent until then
	used            time.Time
	waits           time.Time // since then requests wait for a ledger that was never reached

	loop           loop.Loop
	joined, closed bool
	dirty          bool // something is to be told at once
	lower          bool // the part shrinks to this
	target         int64
	turn           bool // to nothing, once it is used
	lowerAt        time.Time
	failing, alone bool
	retry, nextAsk time.Time
	pause          time.Duration
	told           int64 // the rank that was told last
	lastCall       time.Time
	calls, fails   int
}

// New returns a limiter, which holds nothing yet.
func New(q limit.Quota, c Config) *Limiter {
	l := &Limiter{c: c, whole: q, most: int64(q.Most()), span: q.Span(), members: 1}
	l.loop.Init(&l.mu, c.Go, l.step)
	return l
}

// Ask implements limit.Limiter.
func (l *Limiter) Ask(now time.Time, d limit.Demand) limit.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	cost := int64(d.Count())
	if cost > l.most {
		return limit.Decision{Limit: l.whole.String(), Max: int(l.most)}
	}
	l.use(now)
	over := int64(0) // what is to be given up
	if l.lower {
		over = l.each - l.target
	}
	if !l.may(now) || l.each-over < cost {
		l.starve(now, cost, int64(d.Priority))
		return limit.Decision{Limit: l.whole.String(), Unknown: true}
	}
	d.Requests = int(cost + over)
	a := l.local.Ask(now, d)
	if a.Admits(now) {
		l.promised = cost
		return a
	}
	l.starve(now, cost, int64(d.Priority))
	if l.each < l.fair || l.calling() { // the part may grow before that
		a.Soonest = now
	}
	return a
}

// use notes that the limiter is in use.
func (l *Limiter) use(now time.Time) {
	l.used = now
	if l.joined || l.closed {
		return
	}
	l.joined = true
	if l.closed = !l.c.Enter(); l.closed {
		l.loop.Stop()
	}
}

// may reports whether what is held may be sent.
func (l *Limiter) may(now time.Time) bool {
	if now.Before(l.lease) {
		return true
	}
	l.goAlone(now)
	return l.alone
}

// starve notes that a request could not go for want of a part.
func (l *Limiter) starve(now time.Time, cost, rank int64) {
	if rank >= l.rank || now.Sub(l.ranked) > rankFor {
		l.rank, l.ranked = rank, now
	}
	l.short, l.starved, l.cost = now, true, cost
	if !now.Before(l.nextAsk) || l.rank > l.told {
		l.loop.Kick()
	} else {
		l.loop.By(l.next(now), now)
	}
}

// rankFor is how long a request of a high priority counts among those that wait.
const rankFor = 100 * time.Millisecond

// calling reports whether the ledger is being asked.
func (l *Limiter) calling() bool { return l.loop.Busy() && !l.failing }

// Take implements limit.Limiter.
func (l *Limiter) Take(now time.Time, d limit.Demand) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.promised = 0; l.turn && l.local != nil {
		defer func() { l.lowerTo(now, 0); l.loop.Kick() }()
	}
	l.flying++
	l.recent.add(now, int64(d.Count()), l.span)
	if l.local != nil {
		l.local.Take(now, d)
	}
}

// Cancel implements limit.Limiter.
func (l *Limiter) Cancel(taken time.Time, d limit.Demand) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	if l.local != nil {
		l.local.Cancel(taken, d)
	}
}

// Done implements limit.Limiter.
func (l *Limiter) Done(now, taken time.Time, d limit.Demand) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	if l.local != nil {
		l.local.Done(now, taken, d)
	}
}

// Forecast implements limit.Limiter. Nothing is known while the part may grow.
func (l *Limiter) Forecast(now time.Time, ahead int, d limit.Demand) limit.Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.local == nil || l.each < max(l.fair, int64(d.Count())) || l.calling() {
		return limit.Decision{}
	}
	return l.local.Forecast(now, ahead, d)
}

// Idle implements limit.Limiter.
func (l *Limiter) Idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.joined && l.spent(now) == 0
}

// Remaining implements queue.Portion.
func (l *Limiter) Remaining(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.Before(l.lease) && !l.alone {
		return 0
	}
	return int(l.left(now))
}

// left returns how much of the part is left.
func (l *Limiter) left(now time.Time) int64 {
	if l.local == nil {
		return 0
	}
	return int64(l.part.Remaining(l.local, now))
}

// spent returns how much of the part counts yet, or is about to.
func (l *Limiter) spent(now time.Time) int64 { return max(l.each-l.left(now)+l.promised, 0) }

// hold makes the part so large.
func (l *Limiter) hold(now time.Time, each int64) {
	if each == l.each && !l.alone {
		return
	}
	l.each, l.alone = each, false
	l.keep(now, l.whole)
}

// keep has the part be one of a quota.
func (l *Limiter) keep(now time.Time, q limit.Quota) {
	if l.each <= 0 {
		l.local = nil
		return
	}
	part := q.Part(int(l.each))
	l.part = &part
	l.local = l.part.Replace(l.local, now)
}

// A recent counts what was sent over one to two spans.
type recent struct {
	since     time.Time
	now, last int64
}

func (r *recent) add(now time.Time, n int64, span time.Duration) {
	if past := now.Sub(r.since); past >= 2*span {
		r.since, r.now, r.last = now, 0, 0
	} else if past >= span {
		r.since, r.now, r.last = now, 0, r.now
	}
	r.now += n
}

// most returns the most that was sent in a span lately.
func (r *recent) most(now time.Time, span time.Duration) int64 {
	if now.Sub(r.since) >= 2*span {
		return 0
	}
	return max(r.now, r.last)
}
