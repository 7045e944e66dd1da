package fleet

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
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

// One of eight is cut off from the store for longer than its lease, and comes back: no window is lost, and few
// requests are refused meanwhile.
func TestOneIsCutOff(t *testing.T) {
	const per, windows = 2 * time.Second, 11
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 7, clienttest.Fixed(400, per), clienttest.XRateLimitDelta(), clienttest.Latency(5*time.Millisecond, 100*time.Millisecond))
		w.store.trip = 10 * time.Millisecond
		w.grow(1)
		s := &cutStore{slowStore: w.store}
		w.addTo(t, s, WithLease(4*time.Second))
		w.play(t, windows*per-10*time.Millisecond, busy, func() {
			time.Sleep(3*per + 60*time.Millisecond)
			s.cut(10 * time.Second)
		})
		s.late.Wait()
		w.expect(t, windows*400*97/100, windows*400*3/100, 1)
	})
}
