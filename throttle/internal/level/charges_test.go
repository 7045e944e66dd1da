package level_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// small returns a server of which a few requests take all there is, and plain what a client that just
// retries is charged there.
func small(set func(c *scenario)) (c scenario, plain outcome) {
	c = chat()
	c.limit, c.mean, c.minutes, c.exact, c.stream, c.seed = 30_000, 600, 6, true, true, 1
	set(&c)
	return c, run(c, func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} })
}

// Where costs are known, what remains counts a request under way or does not, by how the server charges. Once
// that was found out, no more is held than what it does not count.
func TestKnownCostsAreHeldOnce(t *testing.T) {
	t.Parallel()
	for _, w := range []struct {
		name  string
		set   func(c *scenario)
		least [4]float64 // of what retries reach, or of the limit
	}{
		{"fixed", func(c *scenario) { c.pool, c.kind = ratemodel.NewFixedPool, "fixed" }, [4]float64{1.15, 0.95, 0.95, 1}},
		{"rolling", func(c *scenario) { c.pool = ratemodel.NewRollingPool }, [4]float64{1, 0.95, 0.95, 0.84}},
		{"rolling, no reset", func(c *scenario) { c.pool, c.noReset = ratemodel.NewRollingPool, true }, [4]float64{1, 0.95, 0.95, 0.84}},
	} {
		for k, charging := range chargings {
			for _, stream := range []bool{false, true} {
				c, plain := small(func(c *scenario) {
					c.charging, c.stream = ratemodel.Charging(k), stream
					w.set(c)
				})
				ours := run(c, newOurs)
				share := ours.charged / min(plain.charged, c.limit*float64(c.minutes+1))
				t.Logf("%s, %s, streamed %t: %.2f of what retries reach, refused %d of them", w.name, charging, stream, share, plain.refused)
				assert.GreaterOrEqual(t, share, w.least[k], "%s, %s", w.name, charging)
				assert.LessOrEqual(t, ours.refused, plain.refused/200, "%s, %s", w.name, charging)
			}
		}
	}
}

// What others spend is missing too, and is not taken for what requests under way were charged.
func TestOthersAreNotTakenForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, others := range []float64{0.1, 0.3, 0.6} {
		for k, least := range [4]float64{0.5, 0.9, 0.9, 0.6} {
			c, plain := small(func(c *scenario) {
				c.charging, c.others = ratemodel.Charging(k), others
				c.pool, c.kind = ratemodel.NewFixedPool, "fixed"
			})
			ours := run(c, newOurs)
			t.Logf("%s, others %.1f: %.2f of what retries reach, refused %d of %d, and not %d",
				chargings[k], others, ours.charged/plain.charged, ours.refused, ours.attempts, plain.refused)
			assert.GreaterOrEqual(t, ours.charged, least*plain.charged)
			assert.LessOrEqual(t, float64(ours.refused), 0.05*float64(ours.attempts))
		}
	}
}
