package fleet

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// Members that come take part in the next window, also where parts are allotted, and what those held that
// go is used by the others.
func TestMembersComeAndGo(t *testing.T) {
	const per, windows = 2 * time.Second, 11
	for name, c := range map[string]struct {
		begin func(i int) int // the window in which a member begins, and the one in which it ends
		end   func(i int) int
		least int64 // that the last to come has
	}{
		"two join": {
			begin: func(i int) int { return max(0, 2*i-13) }, // 3 and 5
			end:   func(int) int { return windows },
			least: 30,
		},
		"all restart": {
			begin: func(i int) int { return max(0, i-6) }, // from 2 on
			end: func(i int) int {
				if i < 8 {
					return i + 2
				}
				return windows
			},
		},
	} {
		members := 10
		if c.least == 0 {
			members = 16
		}
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, members, clienttest.Fixed(400, per), clienttest.Draft8(), clienttest.Latency(10*time.Millisecond, 20*time.Millisecond))
			time.Sleep(per * 3 / 10)
			start := time.Now().Truncate(per)
			at := func(window int) time.Time {
				if window >= windows {
					return start.Add(windows * per)
				}
				return start.Add(time.Duration(window)*per + per/4)
			}
			var all sync.WaitGroup
			for i := range members {
				all.Go(func() {
					ctx, cancel := context.WithDeadline(t.Context(), at(c.end(i)))
					defer cancel()
					time.Sleep(time.Until(at(c.begin(i))))
					var calls sync.WaitGroup
					w.run(ctx, &calls, i, 20, 0)
					calls.Wait()
					if err := w.fleets[i].Close(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			t.Logf("%s: %v", name, w)
			w.expect(t, 4360, 4, 0.1)
			if n := w.done[members-1].Load(); n < c.least {
				t.Errorf("%s: the last to come had %d", name, n)
			}
		})
	}
}
