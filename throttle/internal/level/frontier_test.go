package level_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Where a server charges at the end, an oracle at its door leaves it in debt when time is up, which no client
// can that is refused hardly ever. Even one that sees what is left at every moment, but has to send before it
// knows what ends meanwhile, uses less: within one and a half percent, as much as the rule.
func TestReachIsNearWhatCanBe(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("the figures take too long")
	}
	for _, c := range []struct {
		name string
		set  func(c *scenario)
	}{
		{"usage and max_tokens known", func(*scenario) {}},
		{"the server counts a quarter more", func(c *scenario) { c.factor = 1.25 }},
		{"others spend 30 %", func(c *scenario) { c.others = 0.3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reserves := []float64{2000, 4000, 6000}
			refused, used, ours := make([]float64, 3), []float64{100, 100, 100}, 100.
			for seed := range drawn(0) {
				sc := chat()
				c.set(&sc)
				sc.charging, sc.seed = ratemodel.ChargeEnd, seed
				best := run(sc, clients[4].make).charged
				ours = min(ours, 100*run(sc, newOurs).charged/best)
				for i, reserve := range reserves {
					seen := foresee(sc, reserve)
					refused[i], used[i] = max(refused[i], seen.refusedShare()), min(used[i], 100*seen.charged/best)
				}
			}
			for i, reserve := range reserves {
				t.Logf("with %v in reserve: %.2f %% refused, %.1f %% used; the rule: %.1f %%", reserve, refused[i], used[i], ours)
				assert.GreaterOrEqual(t, ours, used[i]-1.4)
			}
		})
	}
}

// foresee runs a seer.
func foresee(c scenario, reserve float64) outcome {
	s := &seer{reserve: reserve}
	c.pool = func(limit float64, length time.Duration) ratemodel.Pool {
		p := ratemodel.NewRefillingPool(limit, length)
		if limit == c.limit {
			s.pool = p
		}
		return p
	}
	return run(c, func(scenario) client { return s })
}
