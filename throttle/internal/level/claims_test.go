package level_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// What responses tell that they cost may be many times what the server charges: always, as where it counts what was
// read from a cache, or of some. As much is served as where it is true, but in a rolling window less.
func TestClaimsThatAreNotMissingAreNotBelieved(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("the figures take too long")
	}
	for kind, pool := range map[string]struct {
		make func(c *scenario)
		used float64 // of what is used where the truth is told
	}{
		"refilling": {func(*scenario) {}, 0.7},
		"fixed":     {func(c *scenario) { c.pool = ratemodel.NewFixedPool }, 0.6},
		"rolling":   {func(c *scenario) { c.pool, c.noReset = ratemodel.NewRollingPool, true }, 0.55},
	} {
		for _, stream := range []bool{false, true} {
			for k, charging := range chargings {
				sc := chat()
				sc.seed, sc.charging, sc.kind, sc.stream, sc.minutes = uint64(k+1), ratemodel.Charging(k), kind, stream, 6
				pool.make(&sc)
				honest := run(sc, newOurs)
				for _, told := range []struct {
					times float64
					every int
				}{{30, 1}, {5, 1}, {200, 20}, {50, 3}} {
					sc.claims, sc.every = told.times, told.every
					ours := run(sc, newOurs)
					used := ours.charged / honest.charged
					t.Logf("%s, streamed %t, %s: %v times as much of one in %d: %.2f, %.1f %% refused", kind, stream, charging, told.times, told.every, used, ours.refusedShare())
					assert.Greater(t, used, pool.used, "%s, streamed %t, %s: %v times as much of one in %d", kind, stream, charging, told.times, told.every)
					assert.Less(t, ours.refusedShare(), 9.)
				}
			}
		}
	}
}
