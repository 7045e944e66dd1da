package fleet

import "time"

// shutLeast is for how long an API is closed, at the least, whose refusals show a window.
const shutLeast = 2500 * time.Millisecond

// Refuse implements client.Share.
func (m *member) Refuse(number uint64, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.flying[number]; e != nil {
		e.refused, e.closed = true, until
	}
}

// refuse takes in that a request was refused.
func (m *member) refuse(now time.Time, e *flight) {
	m.refused += e.cost
	t := &m.allotment
	if t.silent() && !e.beyond && !t.doubt {
		t.doubt, m.dirty = true, true
	}
	if e.closed.Sub(now) < shutLeast || len(m.windows) > 0 && !t.silent() {
		return
	}
	if !m.shut.After(now) { // others report the same
		m.dirty, m.landing = true, true
	}
	if e.closed.After(m.shut) {
		m.shut = e.closed
	}
}

// landed tells the ledger how much is over, if it wants to know that once nothing is under way.
func (m *member) landed() {
	if m.landing && len(m.flying) == 0 {
		m.landing = false
		m.tell(true)
	}
}

// tell tells the ledger something at once.
func (m *member) tell(it bool) {
	if it {
		m.dirty = true
		m.loop.Kick()
	}
}
