package queue

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// limiter is a limit with those who wait for it. A limiter of one key holds flows; a shared one holds
// entries.
type limiter struct {
	limit   limit.Limiter
	rule    *rule      // where limit comes from; nil for a key's own
	waiting *waitQueue // nil when no request waits here
	share   *share     // nil when no waiting request needs the limiter
	name    string     // of the limit that refused last
	at      int64      // when to ask again, in queue time; never when only news can tell

	alarmPlace int32
	version    uint32 // of the rule, when limit was made
	shared     bool
	unknown    bool // the last refusal named no time
	voluntary  bool // the last refusal was; see [limit.Decision]
	dirty      bool // is to be asked again before the lock is released
}

type bySoonest struct{}

func (bySoonest) less(a, b *limiter) bool { return a.at < b.at }
func (bySoonest) place(g *limiter) *int32 { return &g.alarmPlace }

func (g *limiter) ask(now time.Time, d limit.Demand) limit.Decision {
	if g.rule != nil && g.version != g.rule.version {
		g.rule.renew(g, now)
	}
	a := g.limit.Ask(now, d)
	a.Relax(now, &d)
	return a
}

// flight is the limiter's limit, if it counts requests in flight.
func (g *limiter) flight() *inFlight {
	b, _ := g.limit.(*inFlight)
	return b
}

// busy reports whether requests wait at the limiter.
func (g *limiter) busy() bool { return g.waiting != nil }

// admitTo puts x, with its place set, into the limiter's wait queue.
func (l *Queue) admitTo(g *limiter, x *node) {
	if g.waiting == nil {
		g.waiting = l.waitQueues.get()
		g.at, g.voluntary, g.share.soonest = never, false, 0
		l.alarms.push(g)
	}
	g.waiting.push(x)
	if x.flow != nil {
		l.noteDeadline(g.waiting)
	}
}

// leaveLimiter takes x out of the limiter's wait queue. The next one may want less than x did.
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

// close notes why the first of the limiter's wait queue cannot go, and turns away those who cannot wait so
// long.
func (l *Queue) close(now time.Time, g *limiter, a *limit.Decision) {
	g.name, g.unknown, g.voluntary, g.at = a.Limit, a.Unknown, a.Paced > 0, never
	g.share.soonest = 0
	if !a.Unknown {
		g.at = l.since(a.At)
	}
	l.alarms.fix(g, true)
	if a.Unknown || len(g.waiting.dates) == 0 {
		return
	}
	f := g.next().leader()
	g.share.soonest = l.since(a.Earliest())
	if cheap := f.head().asks(now); cheap.Requests > 1 {
		// The order may change before, and a cheap request go where this one cannot.
		cheap.Requests = 1
		answer := g.ask(now, cheap)
		g.share.soonest = l.since(answer.Earliest())
	}
	if l.expireFlow(f, a) || l.expire(g.waiting, g) {
		l.markDirty(g)
	}
}

// expire turns away all members of a wait queue whose deadline is before the time at which one of them can go at
// the soonest.
func (l *Queue) expire(c *waitQueue, g *limiter) (did bool) {
	for len(c.dates) > 0 && c.dates[0].deadline < g.share.soonest {
		did = true
		if x := c.dates[0]; x.entry != nil {
			l.expire(&x.entry.ready, g)
		} else {
			t := x.flow.dates[0]
			l.fail(t, l.tooLate(t, g))
		}
	}
	return did
}

// expireFlow turns away those of a flow whose deadline is before a.
func (l *Queue) expireFlow(f *flow, a *limit.Decision) (did bool) {
	if a.Unknown || a.Max > 0 {
		return false
	}
	at := l.since(a.Earliest())
	if f.earliest() >= at {
		return false
	}
	g := limiter{name: a.Limit, at: at, share: &share{soonest: at}}
	for n := len(f.dates); n > 0 && f.dates[0].deadline < at; n-- {
		l.fail(f.dates[0], l.tooLate(f.dates[0], &g))
		did = true
	}
	return did
}

// markDirty marks a limiter to be asked again.
func (l *Queue) markDirty(g *limiter) {
	if g.waiting != nil && !g.dirty {
		g.dirty = true
		l.dirtyLimiters = append(l.dirtyLimiters, g)
	}
}

// inFlight bounds how many requests are under way. The queue gives back what it took when a permit is
// released, which is later than Done.
type inFlight struct {
	limit.NoHooks

	max, now int
	name     string
}

func (b *inFlight) Ask(time.Time, limit.Demand) limit.Decision {
	if b.now < b.max {
		return limit.Decision{}
	}
	return limit.Decision{Limit: b.name, Unknown: true}
}

func (b *inFlight) Take(time.Time, limit.Demand) { b.now++ }

func (b *inFlight) Forecast(time.Time, int, limit.Demand) limit.Decision {
	return limit.Decision{Limit: b.name}
}

// Idle reports whether nothing is under way.
func (b *inFlight) Idle(time.Time) bool { return b.now == 0 }
