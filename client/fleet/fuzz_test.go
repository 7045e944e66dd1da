package fleet

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An echoStore answers whatever it is told to.
type echoStore struct{ reply []byte }

func (s echoStore) Exchange(context.Context, string, []byte) ([]byte, error) { return s.reply, nil }
func (s echoStore) Listen(func(string, []byte), func()) func()               { return func() {} }

// Whatever a store says, and whatever it is sent, a member and a ledger stand it.
func FuzzStore(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `{"hold":1e30}`, `{"ws":{"a":null}}`,
		`{"t":9223372036854775807,"g":-9223372036854775808,"open":1,"at":-1,"ws":{"a":{"l":1,"c":2,"hi":3}}}`,
		`{"id":"a","seq":1,"inc":"","k":9,"ttl":-1,"g":5,"f":9,"want":1000000,"pd":1,"ws":{"w":{"l":0,"b":5,"r":5,"lo":9,"hi":1}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) { standStore(t, data) })
	})
}

func standStore(t *testing.T, data []byte) {
	var store Memory
	for range 3 {
		_, _ = store.Exchange(context.Background(), "key", data) // it may be an error
	}
	f, err := New(echoStore{data}, []byte("0123456789abcdef"), WithTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	m := newMember(f, "key", hostOf(func() {}, func() int { return 1 }))
	now := time.Now()
	for range 2 {
		m.mu.Lock()
		q := m.report(now, 1)
		m.mu.Unlock()
		a, err := m.exchange(context.Background(), q)
		m.mu.Lock()
		m.apply(q, a, err, now, now.Add(time.Millisecond))
		m.plan(now, 1)
		m.mu.Unlock()
	}
	m.Ask(now, limit.Demand{})
	f.hear("key", data)
	m.status()
	p := f.Divide("rule", queue.PerMinute(10), client.Host{Wake: func() {}}).(*portion)
	for range 2 {
		p.Ask(now, limit.Demand{})
		synctest.Wait()
		p.hearNews(data)
	}
	p.status()
	time.Sleep(time.Minute) // of the bubble: what is due then is done
	for _, s := range []KeyStatus{m.status(), p.status()} {
		if s.Calls > 1500 { // more than each retry and each lease takes
			t.Errorf("the store was called %d times for one key", s.Calls)
		}
	}
	_ = f.Close(t.Context()) // it may be the store's error
}
