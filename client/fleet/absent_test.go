package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// Where the store is not there at first, members believe in others: hardly any request is refused, and most of
// each window is used.
func TestStoreAbsentAtFirst(t *testing.T) {
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, 8, clienttest.Fixed(400, 2*time.Second), clienttest.Draft8())
		w.store.down.Store(true)
		time.Sleep(600 * time.Millisecond)
		w.play(t, 21400*time.Millisecond, busy, func() {
			time.Sleep(5 * time.Second)
			w.store.down.Store(false)
		})
		w.expect(t, 3960, 4, 0.1)
	})
}

// One that is alone finds that out at once, although the store is never there: it gets about as much as one that
// believes in no others.
func TestStoreAbsentAndNoOthers(t *testing.T) {
	for _, late := range []time.Duration{0, 600 * time.Millisecond, 1300 * time.Millisecond} {
		if chance.Raced && late > 0 {
			continue // the others send requests in the same ways
		}
		for _, limit := range []int{20, 400} {
			var served [2]int
			for i, members := range []int{1, DefaultMembers} {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, 0, clienttest.Fixed(limit, 2*time.Second), clienttest.Draft8())
					w.grow(1)
					w.add(t, WithMembers(members))
					w.store.down.Store(true)
					time.Sleep(late)
					w.play(t, 20*time.Second-late, busy, nil)
					served[i] = w.api.Counts().Admitted
				})
			}
			if 100*served[1] < 88*served[0] { // both vary by a twentieth
				t.Errorf("%d were admitted, but %d of one that believes in no others", served[1], served[0])
			}
		}
	}
}
