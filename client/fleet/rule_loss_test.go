package fleet

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A deafStore loses the replies of its store, for a while.
type deafStore struct {
	Store

	deaf atomic.Bool
}

func (s *deafStore) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	reply, err := s.Store.Exchange(ctx, key, report)
	if s.deaf.Load() {
		return nil, errLost
	}
	return reply, err
}

// joinRule returns a fleet over a store, and what it has of a rule.
func joinRule(t *testing.T, s Store, q queue.Quota) (*Fleet, queue.Portion) {
	t.Helper()
	f, err := New(s, []byte("0123456789abcdef"), WithLease(4*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return f, f.Divide("rule", q, client.Host{Wake: func() {}})
}

// use sends what a portion allows until a time, and returns how many. Each needs so long to arrive, and as long to
// be answered.
func use(p queue.Portion, api *modelAPI, until time.Time, way time.Duration) (sent int) {
	for ; time.Now().Before(until); time.Sleep(time.Millisecond) {
		now := time.Now()
		for d := p.Ask(now, limit.Demand{}); d.Admits(now); d = p.Ask(now, limit.Demand{}) {
			p.Take(now, limit.Demand{})
			sent++
			time.AfterFunc(way, func() { api.serve(time.Now(), false) })
			time.AfterFunc(2*way, func() { p.Done(time.Now(), now, limit.Demand{}) })
		}
	}
	return sent
}

// What is on its way when a process ends counts from when it arrives.
func TestRuleEndsWithRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, s := &modelAPI{limit: 20, length: 2 * time.Second, rolling: true}, new(Memory)
		q := queue.Per(api.limit, api.length)
		f, p := joinRule(t, s, q)
		use(p, api, time.Now().Add(700*time.Millisecond), 1800*time.Millisecond)
		if err := f.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, p = joinRule(t, s, q)
		use(p, api, time.Now().Add(10*time.Second), time.Millisecond)
		_ = f.Close(t.Context())
		time.Sleep(5 * time.Second)
		api.mu.Lock()
		defer api.mu.Unlock()
		if api.refused > 0 || api.served < 3*api.limit {
			t.Errorf("admitted %d, refused %d", api.served, api.refused)
		}
	})
}

// A process whose first replies are lost does not take the store to be absent at once: others hold all there is.
func TestRuleFirstRepliesLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, s := &modelAPI{limit: 20, length: 2 * time.Second, rolling: true}, new(Memory)
		q := queue.Per(api.limit, api.length)
		end := time.Now().Add(10 * time.Second)
		f, p := joinRule(t, s, q)
		use(p, api, time.Now().Add(3*time.Second), time.Millisecond)
		deaf := &deafStore{Store: s}
		deaf.deaf.Store(true)
		time.AfterFunc(1850*time.Millisecond, func() { deaf.deaf.Store(false) })
		g, late := joinRule(t, deaf, q)
		sent := make(chan int)
		go func() { sent <- use(late, api, end, time.Millisecond) }()
		use(p, api, end, time.Millisecond)
		if calls := g.Status()[0].Failed; calls < 15 {
			t.Errorf("in nearly two seconds it called %d times", calls)
		}
		n := <-sent
		_, _ = f.Close(t.Context()), g.Close(t.Context())
		time.Sleep(5 * time.Second)
		api.mu.Lock()
		defer api.mu.Unlock()
		if n < api.limit/2 || api.refused > 0 || api.served < 4*api.limit {
			t.Errorf("admitted %d, %d of them of the late process, refused %d", api.served, n, api.refused)
		}
	})
}
