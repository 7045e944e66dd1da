package level_test

import (
	"flag"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

var (
	seeds   = flag.Int("seeds", 6, "how many of twenty seeds a scenario is run with")
	minutes = flag.Int("minutes", 10, "how long TestReach runs a scenario")
)

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

// drawn returns the seeds that a cell of a table is run with: all of twenty, or some of them, other ones
// for each cell.
func drawn(cell int) iter.Seq[uint64] {
	n := *seeds
	if chance.Raced {
		n = 1 // the figures take too long
	}
	return func(yield func(uint64) bool) {
		for i := range n {
			if !yield(uint64((cell*7+i)%20 + 1)) {
				return
			}
		}
	}
}

// Of what an oracle could have had, this is what is refused and used, in ten minutes and in an hour,
// by the worst of the seeds.
func TestReach(t *testing.T) {
	t.Parallel()
	type bounds struct {
		refused [4]float64 // per cent at most, by charging
		used    [4]float64 // per cent at least, of the oracle's
		hour    [4]float64 // the same
	}
	same := func(x float64) [4]float64 { return [4]float64{x, x, x, x} }
	bucket := bounds{[4]float64{0.1, 0, 0, 0}, [4]float64{98, 98.5, 99, 98}, same(99.5)}
	cell := 0
	for _, c := range []struct {
		name string
		set  func(c *scenario)
		bounds
	}{
		{"usage and max_tokens known", func(*scenario) {}, bucket},
		{"streams", func(c *scenario) { c.stream = true },
			bounds{[4]float64{0.1, 0, 0, 0}, [4]float64{98, 98.4, 99, 98}, same(99.5)}},
		{"fixed minute", func(c *scenario) { c.pool, c.kind = ratemodel.NewFixedPool, "fixed" }, bounds{same(0), same(97), same(98.5)}},
		{"rolling minute without a reset", func(c *scenario) { c.pool, c.noReset = ratemodel.NewRollingPool, true },
			bounds{[4]float64{0.65, 0.1, 0.25, 0.6}, [4]float64{97, 95, 98.5, 91.5}, [4]float64{95.5, 94.5, 96, 95}}},
		{"rounded to thousands", func(c *scenario) { c.round = 1000 }, bounds{[4]float64{0.05, 0, 0, 0}, same(98), same(99.5)}},
		{"the server counts a quarter more", func(c *scenario) { c.factor = 1.25 },
			bounds{[4]float64{0.1, 0.4, 0.9, 0.05}, [4]float64{98.4, 99, 99.5, 98.7}, same(99.5)}},
		{"nothing told but remaining", func(c *scenario) { c.stream, c.silent, c.hideMax = true, true, true }, bounds{[4]float64{0.6, 0.6, 0.8, 0.4}, [4]float64{98, 98.5, 98, 98}, same(99.5)}},
		{"others spend 30 %", func(c *scenario) { c.others = 0.3 },
			bounds{[4]float64{0.12, 0.4, 0.7, 0}, [4]float64{97.6, 99, 99, 98.2}, same(99.5)}},
		{"costs known", func(c *scenario) { c.exact = true }, bounds{same(0), same(98), same(99.5)}},
	} {
		for k, charging := range chargings {
			cell++
			seeds := drawn(cell)
			t.Run(c.name+"/"+charging, func(t *testing.T) {
				t.Parallel()
				atLeast := c.used[k]
				if *minutes >= 60 {
					atLeast = c.hour[k]
				}
				refused, used := 0.0, math.Inf(1)
				for seed := range seeds {
					sc := chat()
					c.set(&sc)
					sc.charging, sc.seed, sc.minutes = ratemodel.Charging(k), seed, *minutes
					best := run(sc, clients[4].make)
					ours := run(sc, newOurs)
					possible := best.charged
					if sc.kind == "fixed" { // debt is forgotten where a window opens: an oracle takes as much as it likes
						possible = min(possible, best.within(sc.limit))
					}
					refused, used = max(refused, ours.refusedShare()), min(used, 100*ours.charged/possible)
					assert.False(t, ours.stuck, "seed %d", seed)
				}
				t.Logf("at worst %.2f %% refused, %.1f %% used", refused, used)
				assert.LessOrEqual(t, refused, c.refused[k])
				assert.GreaterOrEqual(t, used, atLeast)
			})
		}
	}
}

// Where max_tokens is much of the limit, it is worth a refusal to know whether the server asks for it.
func TestReachWithLargeRequests(t *testing.T) {
	t.Parallel()
	for k, charging := range chargings {
		t.Run(charging, func(t *testing.T) {
			t.Parallel()
			for seed := range drawn(k) {
				sc := chat()
				sc.mean, sc.most, sc.minutes, sc.patient = 4000, 16384, 60, true
				sc.charging, sc.seed = ratemodel.Charging(k), seed
				best := run(sc, clients[4].make)
				ours := run(sc, newOurs)
				assert.LessOrEqual(t, ours.refused, 1, "seed %d", seed)
				assert.GreaterOrEqual(t, 100*ours.charged/best.charged, 95., "used, seed %d", seed)
			}
		})
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
