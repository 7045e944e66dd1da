package fleet

import (
	"context"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/queue"
)

// Requests of a high priority go before those of a low one that wait in other processes, which keep a twentieth.
func TestPriorityAcrossMembers(t *testing.T) {
	windows, long := []clienttest.Option{clienttest.XRateLimitDelta(), clienttest.Draft8()}, time.Minute
	if chance.Raced {
		long /= 6
	}
	for name, c := range map[string]struct {
		make func(t testing.TB) *world
		high int
	}{
		"one by one, 40 in 2 s": {func(t testing.TB) *world { return newWorld(t, 4, clienttest.Fixed(40, 2*time.Second), windows[0]) }, 40},
		"parts, 400 in 2 s":     {func(t testing.TB) *world { return newWorld(t, 4, clienttest.Fixed(400, 2*time.Second), windows[1]) }, 400},
		"rolling, 200 in 2 s":   {func(t testing.TB) *world { return newWorld(t, 4, clienttest.Rolling(200, 2*time.Second), windows[1]) }, 100},
		"rule, 200 in 2 s": {func(t testing.TB) *world {
			return ruled(t, 4, clienttest.Rolling(200, 2*time.Second), queue.Per(200, 2*time.Second))
		}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				w := c.make(t)
				w.priority = func(ctx context.Context, i int) context.Context {
					if i == 0 {
						return client.WithPriority(ctx, queue.High)
					}
					return client.WithPriority(ctx, queue.Low)
				}
				w.play(t, long, func(i int) (int, time.Duration) {
					if i == 0 {
						return c.high, 0
					}
					return 40, 0
				}, nil)
				high, low := w.done[0].Load(), w.done[1].Load()+w.done[2].Load()+w.done[3].Load()
				t.Logf("%d of high priority, %d of low", high, low)
				if 10*high < 9*low || 40*low < high { // an equal part would be a third
					t.Errorf("%d of high priority were served, %d of low", high, low)
				}
			})
		})
	}
}
