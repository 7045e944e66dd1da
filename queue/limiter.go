package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A limiter is a limit with the requests that wait for it: flows if it belongs to one key, entries if it is
// shared.
type limiter struct {
	limit   limit.Limiter
	rule    *rule      // where limit comes from; nil for a key's own
	waiting *waitQueue // nil when no request waits here
	share   *share     // nil when no waiting request needs the limiter
	name    string     // of the limit that refused last
	at      int64      // when to ask again, in queue time; never if only a change can help

	alarmPlace int32
	dirty      int32  // its place among those to be asked again before the lock is released, from 1; 0 if it is none
	version    uint32 // of the rule, when limit was made
	shared     bool
	unknown    bool // the last refusal named no time
	voluntary  bool // the last refusal was pacing
}

// A Fleet returns the limiter of a quota that several processes keep together: all those that give the same
// name to it. wake has the queue ask the limiter again; it must not be called from a method of the limiter. A
// Fleet is called under the queue's lock and must not block or call the queue.
type Fleet func(name string, q Quota, wake func()) Portion

// A Portion is the limiter of a quota that several processes keep together.
type Portion interface {
	limit.Limiter
	// Remaining returns how much this process may admit now without asking the others.
	Remaining(now time.Time) int
}

// WithFleet sets the fleet of the rules that have one; see [Rule]. Without it such a rule is an error.
func WithFleet(f Fleet) Option {
	return func(l *Queue) error {
		if f == nil {
			return errors.New("queue: WithFleet got no fleet")
		}
		l.fleet = f
		return nil
	}
}

// checkFleet returns an error if a rule is of a fleet, and there is none.
func (l *Queue) checkFleet() error {
	for _, r := range l.rules {
		if r.Fleet && l.fleet == nil {
			return fmt.Errorf("queue: rule %q is of a fleet, but there is none", r.Name)
		}
	}
	return nil
}

// joinFleet makes g the limiter of a rule of the fleet.
func (l *Queue) joinFleet(g *limiter, whose string) {
	wake := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.markDirty(g)
		l.dispatch(l.now())
	}
	portions := make([]limit.Limiter, len(g.rule.Limits))
	for i, q := range g.rule.Limits {
		portions[i] = l.fleet(fmt.Sprintf("%s\x00%d\x00%s", g.rule.Name, i, whose), q, wake)
	}
	g.limit = limit.All(portions...)
}

// eachPortion calls f for each limit of a rule of the fleet.
func (g *limiter) eachPortion(now time.Time, key, host string, f func(d Declared)) {
	for i, p := range limit.Parts(g.limit) {
		q := g.rule.Limits[i]
		f(Declared{Name: q.String(), Key: key, Host: host, Unit: q.Unit(), Limit: q.Most(), Remaining: p.(Portion).Remaining(now)})
	}
}

type bySoonest struct{}

func (bySoonest) less(a, b *limiter) bool { return a.at < b.at }
func (bySoonest) place(g *limiter) *int32 { return &g.alarmPlace }

func (g *limiter) ask(now time.Time, d *limit.Demand) limit.Decision {
	if g.rule != nil && g.version != g.rule.version {
		g.rule.renew(g, now)
	}
	a := g.limit.Ask(now, *d)
	a.Relax(now, d)
	return a
}

// busy reports whether requests wait at the limiter.
func (g *limiter) busy() bool { return g.waiting != nil }

// admitTo adds x, whose order is set, to the limiter's wait queue.
func (l *Queue) admitTo(g *limiter, x *node) {
	if g.waiting == nil {
		g.waiting = l.waitQueues.get()
		g.at, g.voluntary, g.share.soonest, g.share.trial = never, false, 0, 0
		l.alarms.push(g)
	}
	g.waiting.push(x)
	if x.flow != nil {
		l.noteDeadline(g.waiting)
	}
}

// leaveLimiter removes x from the limiter's wait queue. The next one may ask for less than x did.
func (l *Queue) leaveLimiter(g *limiter, x *node) {
	g.waiting.remove(x)
	if x.flow != nil {
		l.noteDeadline(g.waiting)
	}
	if g.waiting.n > 0 {
		l.markDirty(g)
		return
	}
	l.waitQueues.put(g.waiting)
	g.waiting = nil
	l.alarms.remove(g)
}

// pass lets another go first at a limiter that has refused x, and reports whether one does: a request that waits
// in vain delays none that costs less.
func (g *limiter) pass(x *node) bool {
	if x.level != inVain {
		return false
	}
	g.share.passed = true
	return g.next() != x
}

// close records why the first of the limiter's wait queue cannot go, and decides about the requests that
// cannot wait so long.
func (l *Queue) close(now time.Time, g *limiter, a *limit.Decision) {
	g.name, g.unknown, g.voluntary, g.at = a.Limit, a.Unknown, a.Paced > 0, never
	g.share.soonest, g.share.trial, g.share.passed = 0, 0, false
	if !a.Unknown {
		g.at = l.since(a.At)
	}
	if a.Trial.After(now) {
		g.share.trial = l.since(a.Trial)
		if g.next().level == inVain {
			g.at = min(g.at, g.share.trial)
		}
	}
	l.alarms.fix(g, true)
	if a.Unknown || len(g.waiting.dates) == 0 {
		return
	}
	f := g.next().leader()
	g.share.soonest = l.since(a.Earliest())
	if cheap := f.head().asks(now); cheap.Requests > 1 {
		// The order may change until then, and a cheap request go where this one cannot.
		cheap.Requests = 1
		answer := g.ask(now, &cheap)
		g.share.soonest = l.since(answer.Earliest())
	}
	if l.expireFlow(now, f, a) || l.expire(now, g.waiting, g) {
		l.markDirty(g)
	}
}

// expire decides about all members of a wait queue whose deadline is before the earliest time at which any of
// them can go; see miss.
func (l *Queue) expire(now time.Time, c *waitQueue, g *limiter) (did bool) {
	for len(c.dates) > 0 && c.dates[0].deadline < g.share.soonest {
		did = true
		if x := c.dates[0]; x.entry != nil {
			l.expire(now, &x.entry.ready, g)
		} else {
			t := x.flow.dates[0]
			l.miss(now, t, l.tooLate(t, g))
		}
	}
	return did
}

// expireFlow decides about the requests of a flow whose deadline is before the time of a; see miss.
func (l *Queue) expireFlow(now time.Time, f *flow, a *limit.Decision) (did bool) {
	if a.Unknown || a.Max > 0 {
		return false
	}
	at := l.since(a.Earliest())
	if f.earliest() >= at {
		return false
	}
	g := limiter{name: a.Limit, at: at, share: &share{soonest: at}}
	for n := len(f.dates); n > 0 && f.dates[0].deadline < at; n-- {
		l.miss(now, f.dates[0], l.tooLate(f.dates[0], &g))
		did = true
	}
	return did
}

// markDirty marks a limiter to be asked again.
func (l *Queue) markDirty(g *limiter) {
	if g.waiting != nil && g.dirty == 0 {
		l.dirtyLimiters = append(l.dirtyLimiters, g)
		g.dirty = int32(len(l.dirtyLimiters))
	}
}
