package queue

import "time"

// gate is a limit with those who wait for it. A gate of one key holds flows; a shared one holds
// seats.
type gate struct {
	limit Limit
	rule  *rule  // where limit comes from; nil for a key's own
	crowd *crowd // nil when nobody waits here
	share *share // nil when nobody waits who needs the gate
	name  string // of the limit that refused last
	at    int64  // when to ask again, in line time; never when only news can tell

	alarmPlace int32
	version    uint32 // of the rule, when limit was made
	shared     bool
	unknown    bool // the last refusal named no time
	voluntary  bool // the last refusal was; see [Answer]
	stirred    bool // is to be asked again before the lock is released
}

type bySoonest struct{}

func (bySoonest) less(a, b *gate) bool { return a.at < b.at }
func (bySoonest) place(g *gate) *int32 { return &g.alarmPlace }

func (g *gate) ask(now time.Time, r *Request) Answer {
	if g.rule != nil && g.version != g.rule.version {
		g.rule.renew(g, now)
	}
	return g.limit.Ask(now, r)
}

// nameOf names the gate's limit before it has refused anything.
func (g *gate) nameOf() string {
	switch l := g.limit.(type) {
	case *inFlight:
		return l.name
	case *rolling:
		return l.q.name
	case *aligned:
		return l.q.name
	case *smooth:
		return l.q.name
	case *weighed:
		return l.q.name
	}
	return g.name
}

// flight is the gate's limit, if it counts requests in flight.
func (g *gate) flight() *inFlight {
	b, _ := g.limit.(*inFlight)
	return b
}

// crowded reports whether somebody waits at the gate.
func (g *gate) crowded() bool { return g.crowd != nil }

// admitTo puts x, with its place set, into the gate's crowd.
func (l *Line) admitTo(g *gate, x *node) {
	if g.crowd == nil {
		g.crowd = l.crowds.get()
		g.at, g.voluntary, g.share.soonest = never, false, 0
		l.alarms.push(g)
	}
	g.crowd.push(x)
	if x.flow != nil {
		l.noteDeadline(g.crowd)
	}
}

// leaveGate takes x out of the gate's crowd. Whoever comes next may want less than x did.
func (l *Line) leaveGate(g *gate, x *node) {
	g.crowd.remove(x)
	if x.flow != nil {
		l.noteDeadline(g.crowd)
	}
	if g.crowd.n > 0 {
		l.stir(g)
		return
	}
	l.crowds.put(g.crowd)
	g.crowd = nil
	l.alarms.remove(g)
}

// close notes why the first of the gate's crowd cannot go, and turns away those who cannot wait so
// long.
func (l *Line) close(now time.Time, g *gate, a *Answer) {
	g.name, g.unknown, g.voluntary, g.at = a.Name, a.Unknown, a.Voluntary, never
	g.share.soonest = 0
	if !a.Unknown {
		g.at = l.since(a.At)
	}
	l.alarms.fix(g, true)
	if a.Unknown || len(g.crowd.dates) == 0 {
		return
	}
	f := g.next().leader()
	g.share.soonest = l.since(a.early())
	if r := f.head().r; r.cost() > 1 {
		// The order may change before, and a cheap request go where this one cannot.
		cheap := *r
		cheap.Cost = 1
		answer := g.ask(now, &cheap)
		g.share.soonest = l.since(answer.early())
	}
	if l.expireFlow(f, a) || l.expire(g.crowd, g) {
		l.stir(g)
	}
}

// expire turns away all members of a crowd whose deadline is before the time at which one of them can go at
// the soonest.
func (l *Line) expire(c *crowd, g *gate) (did bool) {
	for len(c.dates) > 0 && c.dates[0].deadline < g.share.soonest {
		did = true
		if x := c.dates[0]; x.seat != nil {
			l.expire(&x.seat.ready, g)
		} else {
			t := x.flow.dates[0]
			l.fail(t, l.tooLate(t, g))
		}
	}
	return did
}

// expireFlow turns away those of a flow whose deadline is before a.
func (l *Line) expireFlow(f *flow, a *Answer) (did bool) {
	if a.Unknown || a.Max > 0 {
		return false
	}
	at := l.since(a.early())
	if f.earliest() >= at {
		return false
	}
	g := gate{name: a.Name, at: at, share: &share{soonest: at}}
	for n := len(f.dates); n > 0 && f.dates[0].deadline < at; n-- {
		l.fail(f.dates[0], l.tooLate(f.dates[0], &g))
		did = true
	}
	return did
}

// stir marks a gate to be asked again.
func (l *Line) stir(g *gate) {
	if g.crowd != nil && !g.stirred {
		g.stirred = true
		l.stirredGates = append(l.stirredGates, g)
	}
}

// inFlight is the Limit that bounds how many requests are under way.
type inFlight struct {
	max, now int
	name     string
}

func (b *inFlight) Ask(time.Time, *Request) Answer {
	if b.now < b.max {
		return Answer{}
	}
	return Answer{Name: b.name, Unknown: true}
}

func (b *inFlight) Take(time.Time, *Request) { b.now++ }

// Idle reports whether nothing is under way.
func (b *inFlight) Idle(time.Time) bool { return b.now == 0 }
