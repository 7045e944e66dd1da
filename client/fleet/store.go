package fleet

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// A Store holds the ledgers of a fleet. [Memory] is one in memory; module redisfleet has
// one in Redis. The reports and replies are JSON and of no concern to others.
type Store interface {
	// Exchange takes in a report of a member to the ledger of a key, and returns the
	// reply. It must be atomic, and must not try twice. What it returns after an error is
	// not looked at.
	Exchange(ctx context.Context, key string, report []byte) (reply []byte, err error)
	// Listen calls hear for the news of all keys until stop is called, which waits until no call is
	// under way. It calls lost after news may have been missed. It does not block.
	Listen(hear func(key string, news []byte), lost func()) (stop func())
}

// A Memory is a store in memory, for tests and for several transports of one process. Its
// zero value is ready for use.
type Memory struct {
	// Now tells the time, if it is set; otherwise time.Now does.
	Now func() time.Time

	mu        sync.Mutex
	ledgers   map[string]*ledger
	listeners map[*listener]bool
}

type listener struct {
	hear func(key string, news []byte)
	lost func()
}

// Exchange implements [Store].
func (m *Memory) Exchange(ctx context.Context, key string, data []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var q report
	if err := json.Unmarshal(data, &q); err != nil {
		return nil, err
	}
	m.mu.Lock()
	if m.ledgers == nil {
		m.ledgers = make(map[string]*ledger)
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	l, r := exchange(m.ledgers[key], &q, now().UnixMilli())
	m.ledgers[key] = l
	var listeners []*listener
	for l := range m.listeners {
		listeners = append(listeners, l)
	}
	m.mu.Unlock()
	if r.News != nil {
		said, err := json.Marshal(r.News)
		if err != nil {
			return nil, err
		}
		for _, l := range listeners {
			l.hear(key, said)
		}
		r.News = nil
	}
	return json.Marshal(r)
}

// Listen implements [Store].
func (m *Memory) Listen(hear func(key string, news []byte), lost func()) (stop func()) {
	l := &listener{hear, lost}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listeners == nil {
		m.listeners = make(map[*listener]bool)
	}
	m.listeners[l] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.listeners, l)
	}
}

// Flush forgets all ledgers, as a store does that is started anew.
func (m *Memory) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.ledgers)
}
