package fleet

import (
	"maps"

	"github.com/forbear-go/forbear/client/fleet/internal/wait"
)

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
	turns    int64 // how often a member was given something

	term, began int64 // see begin; 0: none
	looks, next int64 // see look
	most, until int64 // so much is allotted in all until then
	told        int64 // when credit is next told

	learn      int64 // nothing is granted until then,
	need       int64 // or until so many members were heard, or all that there are if it is 0,
	since      int64 // since then
	rebuilt    bool  // or that was so once
	prober     string
	probe      int64 // the call that granted it
	expires    int64
	went, past int64 // when it went, and how many units were over

	silent silent // if nothing is announced

	log     []moment
	members map[string]*memberState
	windows map[string]*windowState
}

type memberState struct {
	seq, granted, finished, lease, want, hungry, served, heard int64

	denied bool  // it got nothing, the last time
	pushed int64 // and so much since
	asked  int64 // when it wanted something last

	term, each, base int64 // it knows this term; its allotment; see begin
	spent            int64 // of it, as it said last
	lapses           int64 // the allotment does, then
	refused          int64 // of what is over
	least            int64 // how long the API took at the least
	vain             int64 // so often in turn it got no more

	rank, first int64 // the highest priority of what waits, and how many have it
	passed      int64 // units that others got before it because of their priority
}

type windowState struct {
	limit, bound    int64
	known           bool  // bound is
	raised          int64 // the version that set it
	earliest, reset int64
	tries           int64
	shared          int64 // others are believed to spend it until then
	kept            int64 // for others, until it is known what they had
	rest            int64 // is left of the instance in which a member died, as responses told
	lacked          int64 // as of late: that would have been to be kept,
	refused         int64 // as so many of all requests tell that were refused before it opened
	// Of the time between the bounds of the reset, stages[stage] eighths are waited for. They
	// become fewer as long as probes find the window open.
	stage, floor int64
	due          int64 // the reset that the probe under way looks for

	phase      phase
	fixed      bool  // it is proved not to roll, nor to refill
	silent     bool  // refusals taught it
	went, past int64 // of the last opening; see renewed
	shut       int64 // the probe under way finds out whether it opened since; 0 is not known

	length int64
	early  bool  // the probe under way goes before the reset, by the log; none goes
	next   int64 // before this,
	fails  int64 // after so many in turn that found nothing

	found, foundAt int64 // the bound when a probe found something some time ago, and when that was
	pause          int64 // so long after one went goes no other

	wait wait.Wait
}

// opens returns when a probe may go.
func (w *windowState) opens() int64 {
	return w.earliest + (w.reset-w.earliest)*stages[w.stage]/8 + w.margin()
}

// soonest returns the earliest stage that may come. To look before the middle, which is what nearly all
// servers mean, costs a refusal. That pays only in an only window, of which parts are allotted once it is known
// well enough when it opens, and only if it is too short for the middle to tell that.
func (l *ledger) soonest(w *windowState) int64 {
	if l.only() == w && !w.long() {
		return w.floor
	}
	return max(w.floor, pastMiddle)
}

const (
	ledgerMargin = 5     // after a reset, at the most, and
	marginPart   = 16    // this part of the window
	openFor      = 60000 // what is not shared is looked at again after that
	lastStage    = 4
	pastMiddle   = 2
)

var stages = [lastStage + 1]int64{0, 2, 5, 6, 8}

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
	buried := l.bury(q, now)
	m := l.enter(q, now)
	l.note(now)
	before := l.left()
	probed := l.hear(q, now, n)
	l.hearRefusals(q, now, n)
	switch {
	case l.term == 0:
	case l.ends(q, now):
		l.end(q, now, n)
	case buried > 0 && !l.only().silent:
		l.end(q, now, n)
		l.look(q, now)
	}
	l.beginSilent(now, n)
	l.await(q, now, n)
	learning := l.learning(now)
	if !learning {
		l.lookLater(now)
	}
	r := l.answer(q, m, now, learning, probed, n)
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
		f := fact{Limit: w.limit, Bound: -1, Latest: w.reset, Pause: w.pause}
		if w.known {
			f.Bound = w.bound
		}
		if w.phase.likely() {
			apart := (now - w.phase.at) / drift // as far as the clocks may have come apart since
			f.Opens, f.Opened, f.Likely = w.phase.lo-apart, w.phase.hi+apart, w.phase.period
		}
		if w.phase.known() {
			f.Period = w.phase.period
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
	delete(l.windows, silentName)
	l.silent.closings = 0
}

// bury takes what the dead held as spent: their leases are over, so it will not be sent. It returns how much they
// were allotted.
func (l *ledger) bury(q *report, now int64) (allotted int64) {
	maps.DeleteFunc(l.members, func(id string, m *memberState) bool {
		if id == q.ID || m.lease+q.Grace >= now {
			return false
		}
		l.finished += m.granted - m.finished
		if m.lapses == 0 {
			allotted += m.each
		}
		if l.need > 0 && m.heard < l.since && m.lease+q.Grace >= l.since {
			l.need-- // it died since, and will not be heard
		}
		return true
	})
	return allotted
}

// enter takes in what the member holds.
func (l *ledger) enter(q *report, now int64) *memberState {
	m := l.members[q.ID]
	if m != nil && q.Inc != l.inc { // its lease was over, or the ledger is another
		l.finished += m.granted - m.finished
		m = nil
	}
	known := m != nil
	if !known {
		m = &memberState{served: l.turns}
		l.members[q.ID] = m
		alone := max(q.Finished-q.Told, 0) // what it sent by itself, since it was last heard
		if q.Inc != l.inc {
			for _, w := range l.windows {
				w.known = w.known && (alone == 0 || l.term != 0) // or what is left is yet to be seen
			}
			alone = 0
		}
		l.finished += alone
		l.granted += alone + q.Granted - q.Finished
		if m.refused = q.Refused; q.Inc == l.inc {
			m.refused = q.Heeded
		}
	} else {
		l.granted += q.Granted - m.granted
		l.noteOver(q, m.finished, now)
		l.finished += q.Finished - m.finished
	}
	m.seq, m.granted, m.finished, m.want = q.Seq, q.Granted, q.Finished, q.Want
	m.lease, m.heard, m.pushed, m.least = now+q.TTL, now, 0, q.Least
	if q.Want > 0 {
		m.asked = now
	}
	if m.rank, m.first = q.Rank, min(q.First, q.Want); q.Want == 0 {
		m.passed = 0
	}
	l.silent.refused += max(q.Refused-m.refused, 0)
	m.refused = q.Refused
	if l.term != 0 {
		l.enterAllotted(q, m, known, now)
	} else {
		l.keep(q, m)
	}
	return m
}
