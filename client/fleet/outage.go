package fleet

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// outage answers while the store is away or has yet to hear all members. Where the ledger
// knew when windows open, or two openings agreed, each member takes its usual part of every
// window until the lease would have ended. Where it is only likely when windows open, one
// request of each member goes first, and what it finds may end the belief. Elsewhere, and
// after the lease, when the members may be others, each goes on as without a fleet (and
// yields for a while): waiting for resets that are told roughly would cost it more. It does
// not while the ledger is only rebuilt, as others hold what it would spend.
func (m *member) outage(now time.Time, cost int64) (limit.Decision, bool) {
	if !now.Before(m.lease) || len(m.windows) == 0 {
		return limit.Decision{}, false
	}
	m.turn(now)
	d := limit.Decision{At: now, Limit: Shared}
	for _, w := range m.windows {
		if w.period == 0 || !w.sure && m.learning && !m.failing {
			// That all are heard takes no longer than a call, unless one is gone.
			return limit.Decision{Limit: Shared, Unknown: true}, m.learning && !m.failing
		}
		most := m.usual(w)
		if !w.sure && !w.met.Equal(w.opened) && m.sentSince(w.opened) { // the first looks whether it opened
			d.At = now.Add(m.trip)
		}
		if end := w.opened.Add(w.period); m.sent+cost > most && end.After(d.At) {
			d.At = end
		}
	}
	if d.At.After(now) {
		return d, true
	}
	if sure := m.since.Add(2 * m.fleet.timeout); m.learning || !sure.After(now) {
		d.At, _ = m.ownBound(now, cost)
	} else {
		d.At = sure // a single call that failed is no outage: others may be granted everything
	}
	return d, true
}

// usual returns up to which number our units are our usual part of this instance of a window.
func (m *member) usual(w *window) int64 {
	most := w.begun + m.part.of(w.limit, m.members)
	if m.allotment.kept > 0 {
		return w.begun + m.allotment.kept
	}
	if w.begun < m.heardSent { // the ledger told of this instance, and granted more since
		most = min(max(most, m.heardGranted), m.heardGranted+m.part.of(m.left, m.members))
	}
	return most
}

const (
	yields   = 2           // a member yields for so many leases,
	rushMost = time.Second // each time to others that spend their parts within twice that, as it believes
)

// yield answers when the lease is over and the store away: maybe for all, or for this member alone, whose part others
// were given then. The API tells by what remains once they had the time to spend theirs: for a while the member goes
// on, as without a fleet, no sooner than that, and one request looks.
func (m *member) yield(now time.Time, cost int64) (limit.Decision, bool) {
	d := limit.Decision{At: now, Limit: Shared, Try: true}
	for _, w := range m.windows {
		if w.period == 0 || w.width > w.period/2 || w.name == silentName {
			continue
		}
		at := m.yieldsTo(w, now, cost)
		if !at.IsZero() && !at.After(now) {
			at = m.looks(w, at, now, cost)
		}
		if at.After(d.At) {
			d.At = at
		}
	}
	return d, d.At.After(now)
}

// A looking is what requests found that looked whether others left something of an instance.
type looking struct {
	at         time.Time // when the newest had told
	left, sent int64     // how much that was, and how many units of ours were sent by then
	most       int64     // our units up to this one may go
}

// looks returns when a request may go, of those that look what is left from a time on. Once others seem to have spent
// their parts, as two in turn tell, our part is sent of what is left; halfway to the end, the next one looks. If
// others have yet to begin, a refusal may keep them that told whole seconds.
func (m *member) looks(w *window, at, now time.Time, cost int64) time.Time {
	l, late := &w.looking, w.opened.Add(min(2*w.rush+m.trip+rushMost, w.period*3/4))
	for {
		switch {
		case !l.at.Before(at):
		case !w.asked.Before(at):
			left := max(w.seen-int64(len(m.flying)), 0)
			busy := l.at.Before(w.opened) || l.left-left-(m.sent-l.sent) > m.members
			untouched := w.limit-left-(m.sent-w.begun) <= m.members
			*l = looking{now, left, m.sent, m.sent}
			if !busy && !untouched || !now.Before(late) {
				l.most += m.part.of(left, m.members)
			}
		case m.sentSince(at):
			return now.Add(m.trip)
		default:
			return now
		}
		if m.sent+cost <= l.most {
			return now
		}
		if at = l.at.Add(2 * m.trip); l.most > l.sent {
			at = l.at.Add(max(w.opened.Add(w.period).Sub(l.at)/2, 2*m.trip))
		}
		if at.After(now) {
			return at
		}
	}
}

// yieldsTo returns when a request may go on the account of a window; zero is at any time.
func (m *member) yieldsTo(w *window, now time.Time, cost int64) time.Time {
	opened := w.opened
	switch ours := opened.Before(m.lease); {
	case !now.Before(opened.Add(w.period - w.width)), ours && m.sent+cost > m.usual(w):
		opened = opened.Add(w.period)
	case ours:
		return time.Time{} // it had a part of this instance
	}
	if opened.Sub(m.lease) >= yields*m.fleet.lease {
		return time.Time{}
	}
	return opened.Add(2*w.rush + m.trip)
}

// sentSince reports whether a request is under way that was sent at the given time or later.
func (m *member) sentSince(at time.Time) bool {
	for _, e := range m.flying {
		if !e.at.Before(at) {
			return true
		}
	}
	return false
}

// A part estimates which part of what the fleet spends is ours.
type part struct {
	own, fleet float64 // spent lately
	finished   int64   // ours, and
	all        int64   // the fleet's, as of the last reply
}

// partSpan is about how many units of the fleet the estimate looks back on.
const partSpan = 1000

// observe takes in how many units of ours and of the fleet are over. A ledger that is not
// the same as before counts anew.
func (p *part) observe(finished, all int64, same bool) {
	if same && all > p.all {
		p.own += float64(max(finished-p.finished, 0))
		p.fleet += float64(all - p.all)
		if p.fleet > partSpan {
			p.own, p.fleet = p.own/2, p.fleet/2
		}
	}
	p.finished, p.all = finished, all
}

// of returns our part of n. Whose odds are within a factor of two of an equal part's has an
// equal one: who calls the store when is chance, and seems to spend more or less. Who spent
// little lately has a quarter of that.
func (p *part) of(n, members int64) int64 {
	equal := 1 / float64(max(members, 1))
	share := equal
	if p.fleet > 0 {
		spent, others := p.own*(1-equal), (p.fleet-p.own)*equal
		if spent > 2*others || 2*spent < others {
			share = p.own / p.fleet
		}
	}
	// What others spent since they last called is not in the estimate.
	share = max(min(share, 1-equal/4), equal/4)
	return max(int64(float64(n)*share), min(n, 1))
}
