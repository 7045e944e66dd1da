package clock

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		a, b  Interval
		meets bool
		both  Interval
	}{
		{Interval{0, 10}, Interval{5, 15}, true, Interval{5, 10}},
		{Interval{0, 10}, Interval{10, 15}, true, Interval{10, 10}},
		{Interval{0, 10}, Interval{11, 15}, false, Interval{}},
		{Interval{0, 10}, Interval{2, 3}, true, Interval{2, 3}},
		{Interval{-5, -5}, Interval{-5, -5}, true, Interval{-5, -5}},
	} {
		assert.Equal(t, c.meets, c.a.Meets(c.b), "%v %v", c.a, c.b)
		assert.Equal(t, c.meets, c.b.Meets(c.a), "%v %v", c.b, c.a)
		if c.meets {
			assert.Equal(t, c.both, c.a.Intersect(c.b))
			assert.Equal(t, c.both, c.b.Intersect(c.a))
		}
	}
	assert.Equal(t, 3*Second, Interval{-Second, 2 * Second}.Width())
}

func TestTimesDoesNotOverflow(t *testing.T) {
	assert.Equal(t, 6*Second, Times(2*Second, 3))
	assert.Equal(t, Instant(0), Times(0, math.MaxInt64))
	assert.Equal(t, Instant(0), Times(-Second, 5))
	assert.Equal(t, Instant(0), Times(Second, -5))
	assert.Equal(t, Farthest, Times(Second, math.MaxInt64))
	assert.Equal(t, Farthest, Times(Never, never2))
	assert.Equal(t, Farthest, Bounded(math.MaxInt64))
	assert.Equal(t, -Farthest, Bounded(math.MinInt64))
	assert.Equal(t, Second, Bounded(time.Second))
}

const never2 = math.MaxInt64
