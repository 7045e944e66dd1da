package level_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

var servers = flag.Int("servers", 150, "how many random servers are tried")

// random makes up a server and its callers.
func random(seed uint64) scenario {
	rng := rand.New(rand.NewPCG(seed, 99))
	c := chat()
	c.seed, c.minutes, c.patient = seed, 6, true
	c.charging = ratemodel.Charging(rng.IntN(4))
	switch rng.IntN(3) {
	case 0:
		c.kind = "refilling"
	case 1:
		c.kind, c.pool = "fixed", ratemodel.NewFixedPool
	case 2:
		c.kind, c.pool, c.noReset = "rolling", ratemodel.NewRollingPool, rng.IntN(2) == 0
	}
	c.exact = rng.IntN(2) == 0
	c.factor = []float64{0.8, 1, 1, 1.25, 2, 5}[rng.IntN(6)]
	c.round = []float64{0, 0, 10, 100, 1000}[rng.IntN(5)]
	c.stream, c.silent, c.hideMax = rng.IntN(2) == 0, rng.IntN(4) == 0, rng.IntN(4) == 0
	c.callers = 1 + rng.IntN(40)
	c.limit = []float64{10_000, 30_000, 90_000, 400_000}[rng.IntN(4)]
	c.mean = c.limit * (0.001 + 0.02*rng.Float64())
	c.most = c.mean * (2 + 4*rng.Float64())
	if tight := c.limit / 6 / (c.factor * (4*c.mean + c.most)); tight < 1 {
		c.mean, c.most = c.mean*tight, c.most*tight // what others leave suffices for each
	}
	if !c.exact {
		c.others = []float64{0, 0, 0.2, 0.5}[rng.IntN(4)]
		if rng.IntN(4) == 0 {
			c.lost = 0.02
		}
	}
	c.fastest = time.Duration(5+rng.IntN(100)) * time.Millisecond
	c.slowest = c.fastest * time.Duration(10+rng.IntN(20)) / 10
	return c
}

func (c scenario) String() string {
	return fmt.Sprintf("seed %d, %s, %s noReset=%t exact=%t factor=%v round=%v stream=%t silent=%t hideMax=%t callers=%d limit=%v mean=%.0f most=%.0f others=%v lost=%v trips=%v-%v",
		c.seed, chargings[c.charging], c.kind, c.noReset, c.exact, c.factor, c.round, c.stream, c.silent, c.hideMax,
		c.callers, c.limit, c.mean, c.most, c.others, c.lost, c.fastest, c.slowest)
}

// Whatever the server does: a request whose cost is known is never refused,
// every hold ends, and nobody waits for ever.
func TestProperty(t *testing.T) {
	t.Parallel()
	total, refused, worst := 0, 0, 0.0
	for seed := range *servers {
		c := random(uint64(seed + 1))
		var o *ours
		out := run(c, func(c scenario) client {
			o, _ = newOurs(c).(*ours)
			return o
		})
		assert.Positive(t, out.served, "nobody was served: %v", c)
		assert.False(t, out.stuck, "somebody waits for ever: %v", c)
		if c.exact {
			assert.Zero(t, out.refused, "of %d known costs: %v", out.attempts, c)
		} else {
			total, refused = total+out.attempts, refused+out.refused
			worst = max(worst, out.refusedShare())
			if out.refusedShare() > 6 {
				t.Logf("%.1f %% of %d refused: %v", out.refusedShare(), out.attempts, c)
			}
		}
		out.after(3 * time.Minute)
		assert.Zero(t, o.never, "a request that the limit allows: %v", c)
		assert.True(t, o.tokens.Ask(out.now.Add(time.Hour), o.demand(&request{bytes: 1})).Go, "all is over, and a hold is left: %v", c)
	}
	t.Logf("%d of %d requests of unknown cost were refused, %.1f %% at worst", refused, total, worst)
	assert.Less(t, float64(refused), 0.02*float64(total))
}
