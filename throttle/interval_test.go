package throttle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		a, b  interval
		meets bool
		both  interval
	}{
		{interval{0, 10}, interval{5, 15}, true, interval{5, 10}},
		{interval{0, 10}, interval{10, 15}, true, interval{10, 10}},
		{interval{0, 10}, interval{11, 15}, false, interval{}},
		{interval{0, 10}, interval{2, 3}, true, interval{2, 3}},
		{interval{-5, -5}, interval{-5, -5}, true, interval{-5, -5}},
	} {
		assert.Equal(t, c.meets, c.a.meets(c.b), "%v %v", c.a, c.b)
		assert.Equal(t, c.meets, c.b.meets(c.a), "%v %v", c.b, c.a)
		if c.meets {
			assert.Equal(t, c.both, c.a.intersect(c.b))
			assert.Equal(t, c.both, c.b.intersect(c.a))
		}
	}
	assert.Equal(t, 3*second, interval{-second, 2 * second}.width())
}

func TestTimesDoesNotOverflow(t *testing.T) {
	assert.Equal(t, 6*second, times(2*second, 3))
	assert.Equal(t, instant(0), times(0, math.MaxInt64))
	assert.Equal(t, instant(0), times(-second, 5))
	assert.Equal(t, instant(0), times(second, -5))
	assert.Equal(t, farthest, times(second, math.MaxInt64))
	assert.Equal(t, farthest, times(never, never2))
	assert.Equal(t, farthest, bounded(math.MaxInt64))
	assert.Equal(t, -farthest, bounded(math.MinInt64))
	assert.Equal(t, second, bounded(time.Second))
}

const never2 = math.MaxInt64
