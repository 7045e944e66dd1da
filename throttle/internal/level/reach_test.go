package level_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

var seeds = flag.Int("seeds", 1, "how many seeds a scenario is run with")

var clients = []struct {
	name string
	make func(c scenario) client
}{
	{"retry", func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} }},
	{"told", func(c scenario) client { return &declared{scenario: c, tokens: c.limit, requests: 600} }},
	{"told, refunds", func(c scenario) client { return &declared{scenario: c, tokens: c.limit, requests: 600, refunds: true} }},
	{"level", newOurs},
	{"oracle", func(scenario) client { return oracle{} }},
}

var chargings = []string{"end", "refund", "keep", "live"}

// Of what an oracle could have had, this is what is refused and used, by the
// worst of the seeds.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		set     func(c *scenario)
		refused [4]float64 // per cent at most, by charging
		used    [4]float64 // per cent at least, of the oracle's
	}{
		{"usage and max_tokens known", func(*scenario) {}, [4]float64{0.1, 0, 0, 0.1}, [4]float64{96.5, 97.5, 97.5, 96.5}},
		{"streams", func(c *scenario) { c.stream = true }, [4]float64{0.1, 0, 0, 0.1}, [4]float64{97.5, 96.5, 97.5, 97.5}},
		// Debt is forgotten where a window opens: an oracle takes as much as it likes.
		{"fixed minute", func(c *scenario) { c.pool = ratemodel.NewFixedPool }, [4]float64{}, [4]float64{85, 96, 99, 86}},
		{"rolling minute without a reset", func(c *scenario) { c.pool, c.noReset = ratemodel.NewRollingPool, true }, [4]float64{}, [4]float64{88, 92, 98, 84}},
		{"rounded to thousands", func(c *scenario) { c.round = 1000 }, [4]float64{0.1, 0, 0, 0.1}, [4]float64{96.5, 97.5, 97.5, 96.5}},
		{"the server counts a quarter more", func(c *scenario) { c.factor = 1.25 }, [4]float64{0.1, 1.3, 1.3, 0.1}, [4]float64{96.5, 97, 97.5, 96.5}},
		{"nothing told but remaining", func(c *scenario) { c.stream, c.silent, c.hideMax = true, true, true }, [4]float64{1.6, 1.6, 1.6, 1.6}, [4]float64{97.5, 97.5, 97.5, 97.5}},
		{"others spend 30 %", func(c *scenario) { c.others = 0.3 }, [4]float64{0.1, 1.6, 1.6, 0.1}, [4]float64{95.5, 97, 97, 96}},
		{"costs known", func(c *scenario) { c.exact = true }, [4]float64{}, [4]float64{96, 96, 96, 95}},
	} {
		for k, charging := range chargings {
			t.Run(c.name+"/"+charging, func(t *testing.T) {
				t.Parallel()
				for seed := range *seeds {
					sc := chat()
					c.set(&sc)
					sc.charging, sc.seed = ratemodel.Charging(k), uint64(seed+1)
					best := run(sc, clients[4].make)
					ours := run(sc, newOurs)
					used := 100 * ours.charged / best.charged
					assert.False(t, ours.stuck, "seed %d", seed)
					assert.LessOrEqual(t, ours.refusedShare(), c.refused[k], "refused, seed %d", seed)
					assert.GreaterOrEqual(t, used, c.used[k], "used, seed %d", seed)
				}
			})
		}
	}
}

var (
	table = flag.Bool("table", false, "print the table of TestTable")
	only  = flag.String("only", "", "of the table, only rows with this name")
)

// TestTable prints what each client reaches, for docs/costs.md.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("run it with -table")
	}
	for _, c := range []struct {
		name string
		set  func(c *scenario)
	}{
		{"refilling", func(*scenario) {}},
		{"streams", func(c *scenario) { c.stream = true }},
		{"fixed minute", func(c *scenario) { c.pool = ratemodel.NewFixedPool }},
		{"rolling minute", func(c *scenario) { c.pool, c.noReset = ratemodel.NewRollingPool, true }},
		{"rolling, oldest told", func(c *scenario) { c.pool = ratemodel.NewRollingPool }},
		{"rounded", func(c *scenario) { c.round = 1000 }},
		{"a quarter more", func(c *scenario) { c.factor = 1.25 }},
		{"only remaining told", func(c *scenario) { c.stream, c.silent, c.hideMax = true, true, true }},
		{"others spend 30 %", func(c *scenario) { c.others = 0.3 }},
		{"100 callers", func(c *scenario) { c.callers = 100 }},
		{"mean 4,000, max 16,384", func(c *scenario) { c.mean, c.most, c.minutes = 4000, 16384, 60 }},
		{"costs known", func(c *scenario) { c.exact = true }},
	} {
		if !strings.Contains(c.name, *only) {
			continue
		}
		for k, charging := range chargings {
			line := fmt.Sprintf("%-24s %-7s", c.name, charging)
			for _, cl := range clients {
				refused, used := 0.0, 1e9
				for seed := range *seeds {
					sc := chat()
					c.set(&sc)
					sc.charging, sc.seed = ratemodel.Charging(k), uint64(seed+1)
					out := run(sc, cl.make)
					refused = max(refused, out.refusedShare())
					used = min(used, 100*out.charged/(sc.limit*float64(sc.minutes+1)))
					if out.stuck {
						line += " STUCK"
					}
				}
				line += fmt.Sprintf(" | %s %.2f %.1f", cl.name, refused, used)
			}
			fmt.Println(line)
		}
	}
}
