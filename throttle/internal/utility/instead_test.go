package utility_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/utility"
)

// A window of which responses say too little is learned from refusals instead once requests have waited for it in two
// whole epochs, and after four more only if an eighth more is served.
func TestInstead(t *testing.T) {
	for more, kept := range map[int]bool{105: false, 120: true} {
		var e utility.Estimator
		var i utility.Instead
		served, began, on := 100, 0, 0
		for epoch := range int64(40) {
			for n := range served {
				if !i.On() {
					e.Hold()
				}
				e.Serve(1000+epoch, false)
				if rate := i.Turn(&e, true); rate > 0 {
					assert.InDelta(t, 10, rate, 1e-9)
					assert.EqualValues(t, 3, epoch, "the first epoch is not seen from its beginning")
					assert.Zero(t, n)
					served = more
					began++
				}
			}
			if i.On() {
				on++
			}
		}
		assert.Equal(t, 1, began, more)
		assert.Equal(t, kept, i.On(), more)
		if !kept {
			assert.Equal(t, 5, on)
		}
		i.Turn(&e, false)
		assert.False(t, i.On(), "responses tell enough")
	}
}
