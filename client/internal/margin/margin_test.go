package margin_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client/internal/margin"
)

// Of requests that are sent as late as the margin allows, few get no response in time; and a margin that is not
// needed any more goes away.
func TestMarginFollowsResponses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	trip := func() time.Duration {
		return 80*time.Millisecond + time.Duration(rng.Int64N(int64(80*time.Millisecond)))
	}
	var m margin.Estimator
	lost := 0
	for i := range 2000 {
		took, left := trip(), m.Margin()
		late := took > left
		if late && i >= 1000 {
			lost++
		}
		m.Observe(late, min(took, left))
	}
	assert.Less(t, lost, 100)
	assert.Greater(t, lost, 10)
	assert.InDelta(t, float64(155*time.Millisecond), float64(m.Margin()), float64(30*time.Millisecond))
	for range 1000 {
		m.Observe(false, trip())
	}
	assert.Zero(t, m.Margin())
}

// A server that does not answer for a while makes no margin that outlasts it for long.
func TestMarginIsBounded(t *testing.T) {
	var m margin.Estimator
	for range 10_000 {
		m.Observe(true, 5*time.Second)
	}
	for range 100 {
		m.Observe(false, 100*time.Millisecond)
	}
	assert.Less(t, m.Margin(), time.Second)
}
