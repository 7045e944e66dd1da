package trust_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// A delay that falls by 250 in a quarter of a second is one in milliseconds, also in the windows that follow;
// one that falls by one a second is not, whatever its size.
func TestMillis(t *testing.T) {
	told := func(n int64) header.Reset {
		return header.Reset{In: time.Duration(n) * time.Second, Resolution: time.Second}
	}
	var millis, seconds trust.Millis
	for i := range int64(400) {
		now := clock.Second + clock.Instant(i)*clock.Second/4
		left := told(40_000 - i*250)
		if i*250 >= 40_000 {
			left = told(100_000 - i*250) // of the next window
		}
		want := left
		if i >= 2 {
			want = header.Reset{In: left.In / 1000, Resolution: time.Millisecond}
		}
		assert.Equal(t, want, millis.Correct(now, left), i)
		assert.Equal(t, told(40_000-i/4), seconds.Correct(now, told(40_000-i/4)))
	}
	moment := header.Reset{At: time.Now(), Resolution: time.Second}
	assert.Equal(t, moment, millis.Correct(200*clock.Second, moment))
	for i := range int64(8) { // it gives way
		millis.Correct(clock.Instant(300+i)*clock.Second, told(60-i))
	}
	assert.Equal(t, told(50), millis.Correct(310*clock.Second, told(50)))
}

// Windows that alternate under one name are not taken for milliseconds.
func TestAlternatingDelaysAreNoMillis(t *testing.T) {
	var m trust.Millis
	for i := range int64(100) {
		left := header.Reset{In: time.Duration(3600*(i%2)+60) * time.Second, Resolution: time.Second}
		assert.Equal(t, left, m.Correct(clock.Second+clock.Instant(i)*clock.Second/4, left))
		assert.Equal(t, left, m.Correct(clock.Second+clock.Instant(i)*4*clock.Second, left))
	}
}
