package level_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Where neither requests nor responses tell what they cost, and the server gives back much of what it takes, what
// remains seems not to fall at all. Refusals teach then what requests ask for.
func TestUntoldRequestsAreHardlyRefused(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("the figures take too long")
	}
	for name, pool := range map[string]func(float64, time.Duration) ratemodel.Pool{
		"refilling": ratemodel.NewRefillingPool, "fixed": ratemodel.NewFixedPool,
	} {
		for _, charging := range []ratemodel.Charging{ratemodel.ChargeRefund, ratemodel.ChargeKeep} {
			t.Run(name+"/"+chargings[charging], func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(20) {
					sc := chat()
					sc.silent, sc.hideMax, sc.limit = true, true, 30_000
					sc.pool, sc.kind, sc.charging, sc.seed = pool, name, charging, seed+1
					plain := run(sc, func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} })
					ours := run(sc, newOurs)
					assert.LessOrEqual(t, ours.refused, 60, "seed %d: of %d, and retries are refused %d times", seed+1, ours.attempts, plain.refused)
					assert.GreaterOrEqual(t, ours.charged, 0.85*min(plain.charged, sc.limit*float64(sc.minutes+1)), "seed %d", seed+1)
				}
			})
		}
	}
}
