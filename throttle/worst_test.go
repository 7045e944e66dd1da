package throttle

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/chance"
)

// A bar is what a simulation must reach whatever its seed and the latency of its
// network.
type bar struct {
	refused float64 // share of ours, at most
	used    float64 // share of the oracle's, at least
	fair    float64 // index of fairness, at least
}

// latencies are the one-way trips that bars are tried with.
var latencies = [][2]time.Duration{
	{10 * time.Millisecond, 20 * time.Millisecond},
	{40 * time.Millisecond, 80 * time.Millisecond},
	{100 * time.Millisecond, 300 * time.Millisecond},
}

// try runs s with ten seeds and all latencies, and reports the worst.
func (b bar) try(t *testing.T, s simulation) {
	t.Helper()
	seeds := uint64(10)
	if chance.Raced {
		seeds = 1 // a simulation has one goroutine
	}
	refused, used, fair, runs := 0.0, 9.0, 9.0, 0
	for _, trip := range latencies {
		for seed := range seeds {
			s.fastest, s.slowest, s.seed = trip[0], trip[1], seed
			o := s.run()
			bad := o.stuck || o.refusals() > b.refused || o.used() < b.used || o.jain() < b.fair
			if bad {
				t.Errorf("seed %d, trips of %v to %v: %v", seed, trip[0], trip[1], o)
			} else if seed == 0 {
				t.Logf("trips of %v to %v: %v", trip[0], trip[1], o)
			}
			refused, used, fair = max(refused, o.refusals()), min(used, o.used()), min(fair, o.jain())
			runs++
		}
	}
	t.Logf("the worst of %d runs: refused %.2f %%, used %.2f %%, fairness %.3f", runs, 100*refused, 100*used, fair)
}

// skipUnderRace skips a test of long simulations under the race detector, which has nothing to
// find in them: a simulation has one goroutine.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if chance.Raced {
		t.Skip("a simulation has one goroutine")
	}
}
