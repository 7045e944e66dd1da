package fleet

import (
	"time"

	"github.com/forbear-go/forbear/client"
)

// Idle implements client.Share.
func (m *member) Idle(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.flying) == 0 && !now.Before(m.hold) && now.Sub(m.used) >= m.fleet.lease
}

// Status implements client.Share.
func (m *member) Status(now time.Time) client.SharedStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return client.SharedStatus{
		Active: !m.closed && now.Before(m.lease) && !now.Before(m.openTo) && !m.learning,
		Away:   m.failing, Members: int(m.members), Held: int(m.held()),
	}
}

func (m *member) status() KeyStatus {
	s := m.Status(time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	return KeyStatus{
		Key: m.key, Shared: s.Active, Away: s.Away, Members: s.Members, Held: s.Held, Calls: m.calls, Failed: m.fails,
	}
}
