package fleet

import "cmp"

// floorAmong is among how many units one is for those who wait at a lower priority.
const floorAmong = 20

// after returns how much of what is left is for a member, after what those need first that wait at a higher
// priority: a twentieth at the least, and what it is owed.
func (l *ledger) after(q *report, m *memberState, left, now int64) int64 {
	higher := int64(0)
	for id, o := range l.members {
		if id != q.ID && o.want > 0 && o.hungry+hungryFor >= now && o.rank > m.rank {
			higher += min(o.first, o.want)
		}
	}
	return max(left-higher, left/floorAmong, min(m.passed/floorAmong, left))
}

// preferred returns how much of what is left a member gets at the least, because of the priority of what waits
// there; or because that of others went before it for long.
func (l *ledger) preferred(m *memberState, left int64) int64 {
	part := m.passed / floorAmong
	for _, o := range l.members {
		if o.want > 0 && o.rank < m.rank {
			part = max(part, min(m.first, left-left/floorAmong))
			break
		}
	}
	return min(part, m.want, left)
}

// pass counts a part that a member got against those that wait at a lower priority.
func (l *ledger) pass(m *memberState, part int64) {
	m.first = max(m.first-part, 0)
	m.passed = max(m.passed-floorAmong*part, 0)
	for _, o := range l.members {
		if o.want > 0 && o.rank < m.rank {
			o.passed += part
		}
	}
}

// compare orders two members: those first that are owed something, then by the priority of what waits, and then
// as otherwise.
func (l *ledger) compare(a, b string, otherwise int) int {
	x, y := l.members[a], l.members[b]
	owed := func(m *memberState) int64 { return min(m.passed/floorAmong, 1) }
	return cmp.Or(cmp.Compare(owed(y), owed(x)), cmp.Compare(y.rank, x.rank), otherwise, cmp.Compare(a, b))
}
