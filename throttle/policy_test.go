package throttle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		a           Amount
		limit, want int64
	}{
		{Amount{}, 100, 0}, {Share(.1), 600, 60}, {Share(.1), 9, 0}, {Share(1), 7, 7}, {Requests(5), 600, 5},
		{Requests(5), 3, 3}, {Share(.5), -1, 0}, {Requests(5), -1, 5}, {Requests(math.MaxInt), 1 << 52, 1 << 52},
	} {
		assert.Equal(t, c.want, c.a.of(c.limit), "%v of %d", c.a, c.limit)
	}
}

func TestImpossiblePolicies(t *testing.T) {
	for _, p := range []Policy{
		{Threshold: Share(-.1)}, {Threshold: Share(1.1)}, {Threshold: Share(math.NaN())}, {Threshold: Requests(-1)},
		{Reserve: Share(1)}, {Reserve: Share(2)}, {Reserve: Share(math.Inf(1))}, {Reserve: Requests(-5)},
	} {
		_, err := New(p, time.Now())
		require.Error(t, err)
		assert.Regexp(t, "^throttle: ", err.Error())
	}
	for _, p := range []Policy{{}, DefaultPolicy(), {Threshold: Share(1), Reserve: Share(.99)}} {
		_, err := New(p, time.Now())
		assert.NoError(t, err)
	}
}
