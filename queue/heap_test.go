package queue

import (
	"math/rand/v2"
	"testing"
)

func TestAHeapKeepsItsOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	var h heap[*limiter, bySoonest]
	limiters := make([]limiter, 60)
	for range 20_000 {
		g := &limiters[rng.IntN(len(limiters))]
		switch rng.IntN(4) {
		case 0:
			h.remove(g)
		default:
			g.at = rng.Int64N(100)
			h.fix(g, true)
		}
		for i := range h {
			if int(h[i].alarmPlace) != i+1 {
				t.Fatalf("member %d says that its place is %d", i+1, h[i].alarmPlace)
			}
			if i > 0 && h[i].at < h[(i-1)/children].at {
				t.Fatal("a member is before its parent")
			}
		}
	}
}
