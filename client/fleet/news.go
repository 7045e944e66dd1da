package fleet

import (
	"encoding/json"
	"time"
)

func (m *member) hearNews(data []byte) {
	var n news
	if json.Unmarshal(data, &n) == nil {
		m.hear(&n)
	}
}

// missed takes in that news may have been missed.
func (m *member) missed() { m.hear(&news{Credit: true}) }

// hear takes in news.
func (m *member) hear(n *news) {
	if m.heed(n) {
		m.host.Wake()
	}
}

// heed does so, and reports whether requests may go that waited.
func (m *member) heed(n *news) (more bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if n.Hold > 0 && m.clock.known {
		m.holdUntil(now, n.Hold)
	}
	if n.Land && !m.closed {
		m.landing = true
		m.landed()
	}
	if m.failing && now.Sub(m.lastCall) >= pauseFirst { // the store is there again
		m.retry = now
		m.loop.Kick()
	}
	if !now.Before(m.lease) || m.closed {
		return false
	}
	more = m.take(now, n)
	if n.Credit && m.asked {
		m.nextAsk = now
		m.loop.Kick()
	}
	if n.Recall && m.allotment.term != 0 {
		m.recall(n)
	} else if n.Recall && m.granted > m.sent {
		m.recalled = true
		m.loop.Kick()
	}
	if n.Roll {
		m.dirty = true
		m.loop.Kick()
	}
	return more
}

// holdMost is how long a refusal of another member holds us at a time.
const holdMost = 5 * time.Minute

func (m *member) holdUntil(now time.Time, ms int64) {
	until := m.clock.latest(ms)
	if most := now.Add(holdMost); until.After(most) {
		until = most
	}
	if until.After(m.hold) {
		m.hold = until
	}
}
