package refusals

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// What was learned is doubted as soon as the server sheds load elsewhere, and each time that it proved right
// it takes four times as many hints.
func TestWhatShedsElsewhereRaisesADoubt(t *testing.T) {
	e := Estimator{limits: paced()}
	for want := 1; want <= 64; want *= 4 {
		for hints := 1; !e.limits.doubt.raised; hints++ {
			e.Doubt()
			require.Equal(t, hints == want, e.limits.doubt.raised, "%d of %d", hints, want)
		}
		require.True(t, e.Sheds())
		e.sheds.limited()
		e.limits.confirm(clock.Second)
	}
	assert.False(t, e.Sheds())
	assert.InDelta(t, 10, e.limits.pace.rate, 0)
}

func TestWhatShedsElsewhereIsNoReasonToDoubt(t *testing.T) {
	for name, change := range map[string]func(e *Estimator){
		"the server said when it opens":  func(e *Estimator) { e.limits.event = congestion{under: true, told: true} },
		"it refused again after as many": func(e *Estimator) { e.limits.span = inferredWindow{limit: 100, proof: windowProof{given: true}} },
		"nothing was learned":            func(e *Estimator) { e.limits = nil },
	} {
		e := Estimator{limits: paced()}
		change(&e)
		e.Doubt()
		assert.False(t, e.Sheds(), name)
	}
}
