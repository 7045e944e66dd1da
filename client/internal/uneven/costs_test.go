package uneven_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client/internal/uneven"
	"github.com/forbear-go/forbear/throttle/cost"
)

func TestCostsAreUnevenByWhatResponsesTell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cost   func(i int) float64
		uneven bool
	}{
		"uneven": {func(i int) float64 { return []float64{1, 40}[i%2] }, true},
		"even":   {func(i int) float64 { return []float64{20, 21}[i%2] }, false},
		"absurd": {func(i int) float64 { return []float64{math.Inf(1), math.NaN(), -1}[i%3] }, false},
	} {
		var seen uneven.Costs
		assert.False(t, seen.Uneven())
		for i := range 100 {
			seen.Observe(cost.Units{"request-units": c.cost(i)})
			seen.Observe(nil)
		}
		assert.Equal(t, c.uneven, seen.Uneven(), name)
	}
}
