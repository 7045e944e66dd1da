package throttle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLengthsFromResets(t *testing.T) {
	for _, c := range []struct {
		earliest, latest, step instant
		want                   time.Duration
	}{
		{42 * second, 43 * second, second, time.Minute},
		{59 * second, 61 * second, second, time.Minute}, // rounded up
		{10 * millisecond, 20 * millisecond, millisecond, time.Second},
		{500 * second, 501 * second, second, 10 * time.Minute},
		{3500 * second, 3501 * second, second, time.Hour},
		{20 * 3600 * second, 20*3600*second + second, second, 24 * time.Hour},
		{40 * 24 * 3600 * second, 40*24*3600*second + second, second, 40*24*time.Hour - time.Second}, // no usual one is as long
	} {
		var l length
		assert.True(t, l.infer(interval{c.earliest, c.latest}, c.step))
		assert.Equal(t, c.want, time.Duration(l.value))
		assert.False(t, l.infer(interval{c.earliest / 2, c.latest / 2}, c.step), "less proves nothing new")
	}
}

func TestToldLengths(t *testing.T) {
	var l length
	l.infer(interval{42 * second, 43 * second}, second)
	assert.True(t, l.bound(50*time.Second))
	assert.False(t, l.bound(50*time.Second))
	assert.False(t, l.infer(interval{55 * second, 56 * second}, second), "the server knows better")
	assert.Equal(t, 50*second, l.value)
	assert.True(t, l.bound(math.MaxInt64))
	assert.Equal(t, longest, l.value)
}
