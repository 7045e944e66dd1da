package fleet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A cutStore is out of reach for a while. What is sent to it then, and what it says, arrives late.
type cutStore struct {
	*slowStore
	mu    sync.Mutex
	until time.Time
	late  sync.WaitGroup
}

func (s *cutStore) cut(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(d)
}

func (s *cutStore) away() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.until)
}

func (s *cutStore) Exchange(ctx context.Context, key string, data []byte) ([]byte, error) {
	d := s.away()
	if d <= 0 {
		return s.slowStore.Exchange(ctx, key, data)
	}
	s.late.Go(func() {
		time.Sleep(d)
		_, _ = s.slowStore.Exchange(context.WithoutCancel(ctx), key, data)
	})
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *cutStore) Listen(hear func(string, []byte), lost func()) func() {
	return s.slowStore.Listen(func(key string, news []byte) {
		s.late.Go(func() {
			time.Sleep(s.away())
			hear(key, news)
		})
	}, lost)
}

// One of eight is cut off from the store for longer than its lease, and comes back: no window is lost, and what is
// refused are the requests that look whether something was left, one in each window, and few others. In the seventh
// window parts are allotted.
func TestOneIsCutOff(t *testing.T) {
	const per = 2 * time.Second
	for name, c := range map[string]struct {
		windows int
		at      time.Duration
		latency clienttest.Option
	}{
		"between bursts":      {11, 3*per + per/2, clienttest.Latency(5*time.Millisecond, 100*time.Millisecond)},
		"in a burst":          {11, 3*per + 60*time.Millisecond, clienttest.Latency(10*time.Millisecond, 20*time.Millisecond)},
		"allotted, in one":    {14, 6*per + 60*time.Millisecond, clienttest.Latency(10*time.Millisecond, 20*time.Millisecond)},
		"allotted, after one": {14, 6*per + per/4, clienttest.Latency(10*time.Millisecond, 50*time.Millisecond)},
	} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 7, clienttest.Fixed(400, per), exact(), c.latency)
			w.store.trip = 10 * time.Millisecond
			w.grow(1)
			for _, f := range w.fleets {
				f.lease = 4 * time.Second
			}
			s := &cutStore{slowStore: w.store}
			w.addTo(t, s, WithLease(4*time.Second))
			t.Log(name)
			w.play(t, time.Duration(c.windows)*per-10*time.Millisecond, busy, func() {
				time.Sleep(c.at)
				s.cut(10 * time.Second)
			})
			s.late.Wait()
			w.expect(t, c.windows*400*97/100, c.windows*400/200, 1)
		})
	}
}

// What one had that is killed is free once its lease is over, and in the window in which that is so.
func TestOneIsKilled(t *testing.T) {
	const per, windows = 2 * time.Second, 12
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 7, clienttest.Fixed(400, per), exact(), clienttest.Latency(10*time.Millisecond, 20*time.Millisecond))
		w.grow(1)
		for _, f := range w.fleets {
			f.lease = 4 * time.Second
		}
		s := &cutStore{slowStore: w.store}
		w.addTo(t, s, WithLease(4*time.Second))
		ctx, kill := context.WithCancel(t.Context())
		var dead sync.WaitGroup
		w.run(ctx, &dead, 7, 20, 0)
		w.play(t, windows*per-10*time.Millisecond, func(i int) (int, time.Duration) { return 20 * min(7-i, 1), 0 }, func() {
			time.Sleep(6*per + 60*time.Millisecond)
			s.cut(time.Hour)
			kill()
			dead.Wait()
		})
		s.late.Wait()
		w.expect(t, windows*400*97/100, 2, 1) // two windows, or three, are over by then
	})
}

// Whose lease is over while the store is away waits until the others have spent their parts, and then looks with one
// request; if it cannot wait, or after two leases more, it does neither.
func TestYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := allotted(t)
		w := m.windows[0]
		w.name, m.trip, m.members = m.fleet.name("w")[:16], 50*time.Millisecond, 4
		opened := w.opened
		m.lease = opened.Add(w.period + time.Second)
		m.lose(opened)
		for i := range time.Duration(2) {
			time.Sleep(time.Until(opened.Add(i*w.period + 200*time.Millisecond))) // so long it takes to spend its part
			for _, number := range spend(t, m) {
				m.Observe(time.Now(), number, nil, true, time.Time{})
			}
		}
		time.Sleep(time.Until(m.lease))
		opened = opened.Add(w.period)
		d, shared := m.Ask(time.Now(), limit.Demand{})
		if late := d.At.Sub(opened.Add(w.period + 400*time.Millisecond)); !shared || !d.Try || late < 0 || late > m.trip {
			t.Fatalf("its part spent, and the lease over, it waits until %v after the others: %+v, %v", late, d, shared)
		}
		time.Sleep(time.Until(d.At))
		if d, shared = m.Ask(time.Now(), limit.Demand{}); shared {
			t.Errorf("once they had the time, it is told %+v", d)
		}
		n := m.Take(time.Now(), 1)
		if d, shared = m.Ask(time.Now(), limit.Demand{}); !shared || d.Admits(time.Now()) {
			t.Errorf("while one looks, another may go: %+v, %v", d, shared)
		}
		time.Sleep(30 * time.Millisecond)
		m.Observe(time.Now(), n, []throttle.Announced{{Name: "w", Limit: 100, Remaining: 60, Earliest: opened.Add(2 * w.period), Latest: opened.Add(2 * w.period)}}, true, time.Time{})
		if d, shared = m.Ask(time.Now(), limit.Demand{}); shared {
			t.Errorf("after it found something, it is told %+v", d)
		}
		w.sure = false
		n = m.Take(time.Now(), 1)
		m.Refuse(n, time.Time{})
		m.Observe(time.Now(), n, []throttle.Announced{{Name: "w", Limit: 100, Earliest: opened.Add(3 * w.period), Latest: opened.Add(3 * w.period)}}, true, time.Time{})
		if w.period == 0 {
			t.Error("as it found nothing, it does not know any more when the window opens")
		}
		time.Sleep(time.Until(m.lease.Add(yields*m.fleet.lease + w.period).Truncate(w.period).Add(w.period)))
		if d, shared = m.Ask(time.Now(), limit.Demand{}); shared {
			t.Errorf("two leases later, it is told %+v", d)
		}
	})
}
