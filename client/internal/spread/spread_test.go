package spread_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/client/internal/spread"
)

// By chance, one of ten routes that share a limit is refused three times in a row about once in
// a hundred refusals, which is once an hour. Only more in a row make it likely that the refusals
// are about that route alone.
func TestRefusalsInARowOfOneRouteOfMany(t *testing.T) {
	var s spread.Estimator
	s.Presume(true)
	inARow := 0
	for ; inARow < 10; inARow++ {
		if !s.Presumed(1, time.Second, true) {
			break
		}
		for route := range uint64(10) {
			s.Sent(route)
		}
	}
	assert.Equal(t, 4, inARow)
}
