package queue

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
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
			require.EqualValues(t, i+1, h[i].alarmPlace)
			require.False(t, i > 0 && h[i].at < h[(i-1)/children].at, "a member is before its parent")
		}
	}
}
