package level_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A client that just retries is refused four of ten times, and reaches what servers give by
// it. The rule stays near that, or near the limit where debts are forgotten.
func TestRetriesReachHardlyMore(t *testing.T) {
	if raceEnabled {
		t.Skip("a simulation has one goroutine")
	}
	t.Parallel()
	below, sum := 0, 0.0
	for seed := range *servers {
		c := random(uint64(seed + 1))
		plain := run(c, func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} })
		ours := run(c, newOurs)
		ratio := ours.charged / min(plain.charged, c.limit*(1-c.others)*float64(c.minutes+1))
		sum += min(ratio, 1)
		if ratio < 0.9 {
			below++
			t.Logf("%.2f of what retries reach, %.1f %% refused and not %.1f %%: %v", ratio, ours.refusedShare(), plain.refusedShare(), c)
		}
	}
	n := float64(*servers)
	t.Logf("below nine tenths on %d of %d servers, %.3f in the mean", below, *servers, sum/n)
	assert.LessOrEqual(t, float64(below), 0.26*n)
	assert.GreaterOrEqual(t, sum/n, 0.93)
}
