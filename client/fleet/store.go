package fleet

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client/fleet/internal/parts"
)

// A Store holds the ledgers of a fleet. [Memory] is one in memory; module redisfleet has
// one in Redis. The reports and replies are JSON and of no concern to others.
type Store interface {
	// Exchange takes in a report of a member to the ledger of a key, and returns the
	// reply. It must be atomic, and must not try twice. What it returns after an error is
	// not looked at, nor what it returns when the context is over.
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
	quotas    map[string]*parts.Ledger
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
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	var s report
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if s.Quota > 0 {
		var q parts.Report
		if err := json.Unmarshal(data, &q); err != nil {
			return nil, err
		}
		m.mu.Lock()
		l, r := parts.Exchange(m.quotas[key], &q, now().UnixMilli())
		m.quotas = with(m.quotas, key, l)
		m.mu.Unlock()
		n := r.News
		r.News = nil
		return m.answer(key, r, n, n != nil)
	}
	m.mu.Lock()
	l, r := exchange(m.ledgers[key], &s, now().UnixMilli())
	m.ledgers = with(m.ledgers, key, l)
	m.mu.Unlock()
	n := r.News
	r.News = nil
	return m.answer(key, r, n, n != nil)
}

// with sets an entry of a map, which may be nil.
func with[T any](m map[string]T, key string, v T) map[string]T {
	if m == nil {
		m = make(map[string]T)
	}
	m[key] = v
	return m
}

// answer publishes the news, if told says that there are any, and encodes the reply.
func (m *Memory) answer(key string, reply, news any, told bool) ([]byte, error) {
	if told {
		said, err := json.Marshal(news)
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		listeners := slices.Collect(maps.Keys(m.listeners))
		m.mu.Unlock()
		for _, l := range listeners {
			l.hear(key, said)
		}
	}
	return json.Marshal(reply)
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
	clear(m.quotas)
}
