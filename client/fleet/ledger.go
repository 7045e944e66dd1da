package fleet

import "maps"

// A ledger is the state of one key. It numbers the units of cost that it grants: granted
// is how many members ever held, finished how many of those belong to requests that are
// over. Of each window it knows a bound: up to which number units are covered by what a
// response said remained. It grants while granted is below each bound, so that the sum of
// what members hold and have under way never exceeds what is left of any window.
//
// script.lua of package redisfleet is the same, for Redis.
type ledger struct {
	inc      string
	ver      int64
	at       int64
	granted  int64
	finished int64
	hold     int64
	open     int64 // nothing is shared until then
	doubt    bool  // because what is announced cannot be
	recalled int64 // when a recall is next due

	term, began int64 // see begin; 0: none
	most, until int64 // so much is allotted in all until then
	told        int64 // when credit is next told

	learn      int64 // nothing is granted until then,
	need       int64 // or until so many members were heard
	since      int64 // since then
	rebuilt    bool  // or that was so once
	prober     string
	probe      int64 // the call that granted it
	expires    int64
	went, past int64 // when it went, and how many units were over

	log     []moment
	members map[string]*memberState
	windows map[string]*windowState
}

type memberState struct {
	seq, granted, finished, lease, want, hungry, served, heard int64

	denied bool  // it got nothing, the last time
	pushed int64 // and so much since

	term, each, base int64 // it knows this term; its allotment; see begin
	lapses           int64 // the allotment does, then
	vain             int64 // so often in turn it got no more
}

type windowState struct {
	limit, bound    int64
	known           bool  // bound is
	raised          int64 // the version that set it
	earliest, reset int64
	tries           int64
	shared          int64 // others are believed to spend it until then
	// Of the time between the bounds of the reset, so many quarters are waited for. They
	// become fewer as long as probes find the window open.
	quarters, floor int64

	phase      phase
	fixed      bool  // it is proved not to roll, nor to refill
	went, past int64 // of the last opening; see renewed
	shut       int64 // the probe under way finds out whether it opened since; 0 is not known

	length int64
	early  bool  // the probe under way goes before the reset, by the log; none goes
	next   int64 // before this,
	fails  int64 // after so many in turn that found nothing
}

// opens returns when a probe may go.
func (w *windowState) opens() int64 {
	return w.earliest + (w.reset-w.earliest)*w.quarters/4 + ledgerMargin
}

const (
	ledgerMargin = 5     // after a reset
	openFor      = 60000 // what is not shared is looked at again after that
)

func newLedger(inc string) *ledger {
	return &ledger{inc: inc, members: make(map[string]*memberState), windows: make(map[string]*windowState)}
}

// exchange takes in a report. l is nil if the ledger was lost or never was.
func exchange(l *ledger, q *report, time int64) (*ledger, reply) {
	now, n := time, new(news)
	if l == nil {
		l = newLedger(q.Nonce)
		if q.Members > 1 {
			l.rebuild(q, now, n)
		}
	}
	now = max(now, l.at) // a failover may set the clock back
	if m := l.members[q.ID]; m != nil && q.Seq <= m.seq {
		return l, reply{Stale: true, Time: now}
	}
	l.check(q, now, n)
	l.at, l.ver = now, l.ver+1
	l.bury(q, now)
	m := l.enter(q, now)
	l.note(now)
	before := l.left()
	l.hear(q, now, n)
	if l.term != 0 && l.ends(q, now) {
		l.end(q, now, n)
	}
	learning := l.learning(now)
	r := l.answer(q, m, now, learning, n)
	if left := l.left(); left > 0 && (before <= 0 || now >= l.told) && r.Hungry > 0 && !learning && l.hold <= now {
		n.Credit, l.told = true, now+20
	}
	r.Time, r.Inc, r.Ver, r.Granted, r.Fleet, r.Learn = now, l.inc, l.ver, m.granted, l.finished, learning
	r.Members = max(int64(len(l.members)), l.need)
	r.Hold, r.Windows = l.hold, make(map[string]fact, len(l.windows))
	if l.open > now {
		r.Open = l.open
	}
	for name, w := range l.windows {
		f := fact{Limit: w.limit, Bound: -1, Latest: w.reset}
		if w.known {
			f.Bound = w.bound
		}
		if w.phase.known() {
			apart := (now - w.phase.at) / drift // as far as the clocks may have come apart since
			f.Opens, f.Opened, f.Period = w.phase.lo-apart, w.phase.hi+apart, w.phase.period
		}
		r.Windows[name] = f
	}
	if n.any() {
		r.News = n
	}
	return l, r
}

// check finds out whether the ledger has forgotten what the member knows of.
func (l *ledger) check(q *report, now int64, n *news) {
	m := l.members[q.ID]
	switch {
	case q.Inc == l.inc && (q.Ver > l.ver || m != nil && q.Heard > m.seq):
		// An older ledger took the place of the newest.
		l.inc = q.Nonce
		for _, w := range l.windows {
			w.known = false
		}
		l.rebuild(q, now, n)
	case q.Inc != "" && q.Inc != l.inc && q.Members > 1 && !l.rebuilt:
		// A newcomer, who knew of no other, made it.
		l.rebuild(q, now, n)
		l.need += int64(len(l.members))
	}
}

// rebuild has the ledger wait for what the members hold.
func (l *ledger) rebuild(q *report, now int64, n *news) {
	l.learn, l.need, l.since, l.rebuilt = now+q.TTL+q.Grace, q.Members, now, true
	l.term, n.Roll = 0, true
}

// bury takes what the dead held as spent: their leases are over, so it will not be sent.
func (l *ledger) bury(q *report, now int64) {
	maps.DeleteFunc(l.members, func(id string, m *memberState) bool {
		if id == q.ID || m.lease+q.Grace >= now {
			return false
		}
		l.finished += m.granted - m.finished
		return true
	})
}

// enter takes in what the member holds.
func (l *ledger) enter(q *report, now int64) *memberState {
	m := l.members[q.ID]
	known := m != nil
	if !known {
		m = &memberState{served: l.ver}
		l.members[q.ID] = m
		alone := int64(0) // what it sent by itself, since it was last heard
		if q.Inc == l.inc {
			alone = max(q.Finished-q.Told, 0)
		}
		l.finished += alone
		l.granted += alone + q.Granted - q.Finished
	} else {
		l.granted += q.Granted - m.granted
		l.finished += q.Finished - m.finished
	}
	m.seq, m.granted, m.finished, m.want = q.Seq, q.Granted, q.Finished, q.Want
	m.lease, m.heard, m.pushed = now+q.TTL, now, 0
	if l.term != 0 {
		l.enterAllotted(q, m, known, now)
	} else {
		l.keep(q, m)
	}
	return m
}

// hear takes in what responses told.
func (l *ledger) hear(q *report, now int64, n *news) {
	probed := l.prober == q.ID && q.Probed == l.probe
	if probed || l.prober != "" && l.expires < now {
		l.prober = ""
	}
	if q.Hold > l.hold && q.Hold > now {
		l.hold = q.Hold
		n.Hold = l.hold
	}
	switch {
	case q.Off == 2:
		l.open, l.doubt = now+openFor, true
		clear(l.windows)
	case q.Off == 1 && len(l.windows) == 0 && l.open <= now:
		l.open, l.doubt = now+openFor, false
	}
	if l.open > now && l.doubt {
		return
	}
	for name, o := range q.Windows {
		l.hearWindow(name, o, q.Inc == l.inc, now)
		l.open = 0
	}
	if !probed {
		return
	}
	for name, w := range l.windows {
		o, heard := q.Windows[name]
		early, shut := w.early, w.shut
		w.early, w.shut = false, 0
		switch {
		case shut == 0 && heard:
			w.went, w.past = l.went, l.past
		case shut == 0 || !w.known || w.bound <= l.granted: // it has not opened
		case heard && 2*o.Remaining >= w.limit:
			w.phase.opened(shut, now, w.length)
			w.fixed = w.fixed || l.renewed(w, o.Remaining, now)
		default:
			w.phase.fail() // it rolls, or refills
		}
		switch {
		case early && w.known && w.bound > l.granted:
			w.fails = max(w.fails-1, 0)
		case early:
			w.fails = min(w.fails+1, 6)
		case w.known && w.bound > l.granted:
			if w.tries == 0 {
				w.quarters = max(w.quarters-1, w.floor)
			}
			w.tries = 0
		case w.opens() >= now:
		case w.quarters < 4: // that was too early
			w.floor = w.quarters + 1
			w.quarters = 4
		case !heard && w.known:
			delete(l.windows, name) // the server tells of it no longer
		default:
			w.tries = min(w.tries+1, 7)
			w.earliest, w.reset = now, now+50<<w.tries
		}
	}
}

func (l *ledger) hearWindow(name string, o told, same bool, now int64) {
	w := l.windows[name]
	if w == nil {
		w = &windowState{earliest: o.Earliest, reset: o.Latest, quarters: 4}
		l.windows[name] = w
	}
	w.limit, w.length = o.Limit, max(w.length, o.Length)
	switch {
	case o.Latest < w.earliest: // of a window that is over
	case o.Earliest > w.reset:
		w.earliest, w.reset = o.Earliest, o.Latest
	default:
		w.earliest, w.reset = max(w.earliest, o.Earliest), o.Latest
	}
	if !same || o.Ver < 0 || l.term != 0 {
		return // its numbers are those of another incarnation
	}
	switch {
	case !w.known || o.Bound > w.bound:
		w.bound, w.known, w.raised = o.Bound, true, l.ver
	case o.Ver >= w.raised && o.Remaining < w.bound-l.granted:
		// Less is left than the fleet explains: others spend the quota, or it was lowered.
		w.bound, w.raised = o.Newest, l.ver
		w.shared = now + openFor
	}
}

// learning reports whether members are yet to say what they hold.
func (l *ledger) learning(now int64) bool {
	if l.learn == 0 {
		return false
	}
	heard := int64(0)
	for _, m := range l.members {
		if m.heard >= l.since {
			heard++
		}
	}
	if heard < l.need && now < l.learn {
		return true
	}
	l.learn, l.need, l.since = 0, 0, 0
	return false
}
