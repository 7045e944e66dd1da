package fleet

import (
	"slices"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An allotment is what a member may send of each instance of a window, without a call.
type allotment struct {
	term   int64 // as the ledger calls it; 0: there is none
	window *window
	each   int64
	kept   int64 // after the term, until units are granted again

	short, wasShort bool  // requests could not go for want of it, in this instance and in the last
	peak            int64 // the most that was sent lately, in an instance
	fair            int64 // it is lowered to this at the next opening, if it is not 0
	lower           bool  // which has come
	doubt           bool  // less is left than can be
	last            bool  // what is not spent was given back, and all of the next instance
	tryout          tryout
}

// adopt takes in what a reply says of the allotment.
func (m *member) adopt(now time.Time, a *reply) {
	t := &m.allotment
	var only *window
	for name := range a.Windows {
		for _, w := range m.windows {
			if w.name == name && w.period > 0 && len(a.Windows) == 1 {
				only = w
			}
		}
	}
	switch {
	case a.Term == 0 || only == nil:
		kept := int64(0)
		if a.Learn {
			kept = max(t.each, t.kept)
		}
		*t = allotment{kept: kept}
		m.windows = slices.DeleteFunc(m.windows, func(w *window) bool { return w.name == silentName && !a.Learn })
		return
	case t.term != a.Term:
		*t = allotment{term: a.Term, window: only, peak: m.recent.sum()}
		only.begun, only.mark, only.marked = a.Base, a.Base, !now.Before(only.opened.Add(only.period-only.width))
		m.drop()
	}
	t.each = a.Each
	t.tryout.give(a.Try, m.heard)
}

// silent reports whether refusals taught the window.
func (t *allotment) silent() bool { return t.term != 0 && t.window.name == silentName }

// limit returns the name of the limit.
func (t *allotment) limit() string {
	if t.silent() {
		return throttle.Learned
	}
	return Shared
}

// renew begins an instance of a window, of which our units are those after begun.
func (m *member) renew(w *window, begun int64) {
	if t := &m.allotment; t.term != 0 && t.window == w {
		if t.last {
			t.each = 0
		}
		t.peak = max(m.sent-w.begun, t.peak-(t.peak+3)/4)
		t.short, t.wasShort = false, t.short
		m.tell(t.tryout.stop())
		m.asked = false // or again, once it is short
		if t.fair > 0 {
			t.lower, m.dirty = true, true
			m.loop.Kick()
		}
	}
	w.begun = begun
}

// spent returns how much of the allotment is spent.
func (t *allotment) spent(sent int64) int64 { return sent - t.window.begun }

// most returns how much may be spent.
func (t *allotment) most() int64 {
	if t.lower {
		return min(t.each, t.fair)
	}
	return t.each
}

// decideAllotted is decide where the member has an allotment.
func (m *member) decideAllotted(now time.Time, cost int64) (limit.Decision, bool) {
	t := &m.allotment
	if t.spent(m.sent)+cost <= t.most() {
		m.promised = cost
		if t.doubt {
			at, name := m.ownBound(now, cost)
			return limit.Decision{At: at, Limit: name}, true
		}
		return limit.Decision{At: now, Limit: t.limit()}, true
	}
	t.short = true
	m.ask()
	if t.tryout.left >= cost {
		m.promised = cost
		return limit.Decision{At: now, Limit: t.limit()}, true
	}
	return limit.Decision{At: t.window.opened.Add(t.window.period), Limit: t.limit()}, true
}

// held returns how much may be sent without a call.
func (m *member) held() int64 {
	if t := &m.allotment; t.term != 0 {
		return max(t.most()-t.spent(m.sent), 0)
	}
	return m.granted - m.sent
}

// needs returns how much the member needs, should others want more; no more than is fair if it
// could need more itself.
func (t *allotment) needs(fair int64) int64 {
	if t.short || t.wasShort {
		return fair
	}
	return max(t.peak, 1)
}

// recall takes in that others want more.
func (m *member) recall(n *news) {
	t := &m.allotment
	fair := n.Fair
	if m.rank < n.Rank {
		fair = max(n.Low, 1)
	}
	needs := t.needs(fair)
	if n.Term != t.term || needs >= t.each {
		return
	}
	if t.fair = needs; t.spent(m.sent) < t.each {
		m.recalled = true
		m.loop.Kick()
	}
}

// planAllotted is plan where the member has an allotment.
func (m *member) planAllotted(now time.Time, active bool, by func(time.Time) bool) bool {
	switch {
	case m.recalled, m.urgent && by(m.lastCall.Add(20*time.Millisecond)), m.asked && by(m.nextAsk):
		return true
	case active:
		by(m.used.Add(m.fleet.lease))
		return by(m.renewal())
	case m.allotment.each > max(m.allotment.spent(m.sent), 0) && m.lease.After(now):
		return true // it gives that back
	case m.joined && len(m.flying) == 0:
		m.joined = false
		m.fleet.leave(m.key, m)
	}
	return false
}

// reportAllotted has a report say what the member is allotted, and lowers that before.
func (m *member) reportAllotted(now time.Time, waiting int, q *report) {
	t := &m.allotment
	if t.term == 0 {
		return
	}
	m.turn(now)
	spent := max(t.spent(m.sent), 0) + m.promised
	switch t.last = m.closed || now.Sub(m.used) >= m.fleet.lease; {
	case t.last:
		t.each, q.Last = min(t.each, spent), 1
	case t.fair > 0 && (t.lower || m.recalled):
		if t.each = min(t.each, max(t.fair, spent)); t.each <= t.fair {
			t.fair = 0
		}
		t.lower = false
	}
	q.Term, q.Each, q.Spent, q.Want = t.term, t.each, spent, 0
	if t.doubt {
		q.Doubt = 1
	}
	if o := &t.tryout; o.over {
		if q.Tried, q.Served = o.call, o.served; o.failed {
			q.Failed = 1
		}
	}
	if !m.closed && (t.short || t.wasShort) {
		q.Want = max(int64(waiting), 1) + spent
	}
}

// doubt looks whether a response tells that less is left of this instance than the fleet may
// have spent of it, or that it does not end when it should.
func (m *member) doubt(w *window, e *flight, remaining int64) {
	t := &m.allotment
	if w.period == 0 || e.at.Before(w.opened) || e.refused && !e.at.Before(m.lease) { // others may have spent all
		return
	}
	switch other := !w.marked && w.endsOtherwise(); {
	case !w.sure && (other || e.refused && !w.met.Equal(w.opened)):
		w.period = 0
	case !w.sure:
		w.met = w.opened
	case w.marked:
	case t.term != 0 && t.window == w && (other || remaining+1+w.limit/64 < t.each-t.spent(m.sent)):
		t.doubt, m.dirty = true, true
	}
}
