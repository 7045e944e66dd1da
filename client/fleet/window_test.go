package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/throttle"
)

// What was under way together is not held against what remained, once all of it is over: one request looks how
// much there is. It does not where nothing remained.
func TestOwnBoundLooks(t *testing.T) {
	for _, left := range []int{0, 4} {
		synctest.Test(t, func(t *testing.T) {
			m := allotted(t)
			w := m.windows[0]
			w.name, w.limit, m.allotment.each, m.allotment.doubt = m.fleet.name("w")[:16], 100, 50, true
			reset := time.Now().Add(2 * time.Second)
			answer := func(n uint64, remaining int) {
				m.Observe(time.Now(), n, []throttle.Announced{{Name: "w", Limit: 100, Remaining: remaining, Earliest: reset, Latest: reset}}, true, time.Time{})
			}
			answer(m.Take(time.Now(), 1), 24+left)
			numbers := spend(t, m)
			if len(numbers) != 24+left {
				t.Fatalf("of %d it sends %d", 24+left, len(numbers))
			}
			for i, n := range numbers[:20] {
				time.Sleep(time.Millisecond)
				if answer(n, 23+left-i); len(spend(t, m)) > 0 {
					t.Fatal("it sends more than remained")
				}
			}
			for i, n := range numbers[20:] {
				answer(n, max(3-i, 0)+left)
			}
			want := min(left, 1)
			looks := spend(t, m)
			if len(looks) != want {
				t.Fatalf("of %d that remain, it sends %d", left, len(looks))
			}
			if want == 0 {
				return
			}
			answer(looks[0], left-1)
			if n := len(spend(t, m)); n != left-1 {
				t.Errorf("of %d, it sends %d", left-1, n)
			}
		})
	}
}
