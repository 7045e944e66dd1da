package clock

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLengthsFromResets(t *testing.T) {
	for _, c := range []struct {
		earliest, latest, step Instant
		want                   time.Duration
	}{
		{42 * Second, 43 * Second, Second, time.Minute},
		{59 * Second, 61 * Second, Second, time.Minute}, // rounded up
		{10 * Millisecond, 20 * Millisecond, Millisecond, time.Second},
		{500 * Second, 501 * Second, Second, 10 * time.Minute},
		{3500 * Second, 3501 * Second, Second, time.Hour},
		{20 * 3600 * Second, 20*3600*Second + Second, Second, 24 * time.Hour},
		{40 * 24 * 3600 * Second, 40*24*3600*Second + Second, Second, 40*24*time.Hour - time.Second}, // no usual one is as long
	} {
		var l Length
		assert.True(t, l.Infer(Interval{c.earliest, c.latest}, c.step, 0))
		assert.Equal(t, c.want, time.Duration(l.Value))
		assert.False(t, l.Infer(Interval{c.earliest / 2, c.latest / 2}, c.step, 0), "less proves nothing new")
	}
}

func TestToldLengths(t *testing.T) {
	var l Length
	l.Infer(Interval{42 * Second, 43 * Second}, Second, 0)
	assert.True(t, l.Bound(50*time.Second))
	assert.False(t, l.Bound(50*time.Second))
	assert.False(t, l.Infer(Interval{55 * Second, 56 * Second}, Second, 0), "the server knows better")
	assert.Equal(t, 50*Second, l.Value)
	assert.True(t, l.Bound(math.MaxInt64))
	assert.Equal(t, Longest, l.Value)
}
