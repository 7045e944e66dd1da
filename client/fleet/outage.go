package fleet

import (
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// outage answers while the store is away or has yet to hear all members. Until the lease
// would have ended, each member takes its usual part of every window. Where the ledger knew
// when windows open, that is all that decides; elsewhere the limiter decides when. After the
// lease the members may be others, and each goes on as without a fleet.
func (m *member) outage(now time.Time, cost int64) (limit.Decision, bool) {
	if !now.Before(m.lease) {
		return limit.Decision{}, false
	}
	m.turn(now)
	d, timed := limit.Decision{At: now, Limit: Shared}, len(m.windows) > 0
	for _, w := range m.windows {
		most := w.begun + m.part.of(w.limit, m.members)
		if w.begun < m.heardSent { // the ledger told of this instance, and granted more since
			most = min(max(most, m.heardGranted), m.heardGranted+m.part.of(m.left, m.members))
		}
		end := w.latest
		if w.period > 0 {
			end = w.opened.Add(w.period)
		}
		timed = timed && w.period > 0
		if m.sent+cost > most && end.After(d.At) {
			d.At = end
		}
	}
	if timed && !d.At.After(now) {
		if sure := m.since.Add(2 * m.fleet.timeout); m.learning || !sure.After(now) {
			d.At, _ = m.ownBound(now, cost)
		} else {
			d.At = sure // a single call that failed is no outage: others may be granted everything
		}
	}
	return d, timed || d.At.After(now)
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

// of returns our part of n. Those who spend about as much as others have an equal part,
// and who spent little lately a quarter of that.
func (p *part) of(n, members int64) int64 {
	equal := 1 / float64(max(members, 1))
	share := equal
	if p.fleet > 0 {
		if share = p.own / p.fleet; share > 0.7*equal && share < 1.4*equal {
			share = equal
		}
	}
	// What others spent since they last called is not in the estimate.
	share = max(min(share, 1-equal/4), equal/4)
	return max(int64(float64(n)*share), min(n, 1))
}
