package fleet

import (
	"cmp"
	"slices"
	"time"
)

// A push tells a member that it was granted more without asking: so much since its report
// with the given number. Should it have sent another since, it does not take it, and its
// report says so.
type push struct {
	Seq  int64 `json:"n"`
	Gain int64 `json:"g"`
}

// pushAll grants what is left to the other members that wait, the longest waiting first. That is for when much is
// to be had at once: after a probe, or where windows open at times that are known, and nothing comes between.
func (l *ledger) pushAll(q *report, now int64, much bool, n *news) {
	for _, w := range l.windows {
		if !much && !w.phase.known() {
			return
		}
	}
	var waiting []string
	for id, o := range l.members {
		if id != q.ID && o.want > 0 && o.hungry+hungryFor >= now && !l.holds(o, now) {
			waiting = append(waiting, id)
		}
	}
	asking := l.asking(now)
	slices.SortFunc(waiting, func(a, b string) int {
		return l.compare(a, b, cmp.Compare(l.members[a].served, l.members[b].served))
	})
	for i, id := range waiting {
		o := l.members[id]
		among := int64(len(waiting) - i)
		if len(waiting)+1 < len(l.members) {
			among++ // leave some to those who come
		}
		among = max(among, asking-int64(i))
		if part := max(l.part(o.want, l.left(), among, 0), l.preferred(o, l.left())); part > 0 {
			l.give(o, part)
			o.pushed += part
			if n.Push == nil {
				n.Push = make(map[string]push)
			}
			n.Push[id] = push{o.seq, o.pushed}
		}
	}
	if n.Push != nil {
		n.Inc, n.Ver, n.Fleet, n.Left, n.Bounds = l.inc, l.ver, l.finished, l.left(), make(map[string]int64)
		for name, w := range l.windows {
			n.Bounds[name] = w.bound // it is known, or nothing would be left
		}
	}
}

// holds reports whether a member was granted something and not heard since, for half a window: it may be dead, and
// otherwise calls when it needs more.
func (l *ledger) holds(m *memberState, now int64) bool {
	for _, w := range l.windows {
		if w.length > 0 && 2*(now-m.heard) > w.length {
			return m.granted > m.finished
		}
	}
	return false
}

// take takes in what was pushed. It reports whether there was anything.
func (m *member) take(now time.Time, n *news) bool {
	p, ok := n.Push[m.id]
	if ok && p.Seq == m.seq && p.Seq > m.heard { // it came before the reply to that report
		m.early = n
	}
	if !ok || n.Inc != m.inc || p.Seq != m.seq || p.Seq != m.heard || p.Gain <= m.pushed || n.Term != m.allotment.term {
		return false
	}
	gain := p.Gain - m.pushed
	m.pushed = p.Gain
	if n.Term != 0 {
		m.allotment.each += gain
		m.ver, m.asked, m.nextAsk = max(m.ver, n.Ver), false, now
		return true
	}
	m.granted += gain
	m.scarce = true
	m.ver, m.fleetF, m.left, m.hungry = max(m.ver, n.Ver), max(m.fleetF, n.Fleet), n.Left, 0 // others got theirs
	m.heardSent, m.heardGranted = m.sent, m.granted
	m.asked, m.nextAsk = false, now
	for _, w := range m.windows {
		w.bounded = false
		if bound, ok := n.Bounds[w.name]; ok {
			w.fleet = bound
		}
	}
	return true
}

// takeEarly takes what was pushed before the reply came.
func (m *member) takeEarly(now time.Time) {
	if n := m.early; n != nil {
		m.early = nil
		m.take(now, n)
	}
}
