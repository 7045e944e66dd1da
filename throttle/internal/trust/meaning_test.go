package trust_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// observe takes in a response to a request that was sent when the one before was answered.
func observe(m *trust.Meaning, number, limit, told int64, refused bool) int64 {
	return m.Observe(clock.Instant(number), clock.Instant(number), number, limit, told, refused)
}

// Of requests that are under way together the last may be counted first. That what remains rises with their numbers
// then shows nothing.
func TestWhatIsCountedInReverseWasNotUsed(t *testing.T) {
	var m trust.Meaning
	for burst := range int64(100) {
		at := clock.Instant(burst) * clock.Second
		for n := range int64(20) {
			left := 999 - (20*burst+19-n)%1000
			assert.Equal(t, left, m.Observe(at, at+clock.Millisecond, 20*burst+n+1, 1000, left, false))
		}
	}
}

// What is said to remain and rises with each request is what was used, as the window shows when it opens, or a
// refusal with all of it said to remain.
func TestWhatWasUsed(t *testing.T) {
	for _, refused := range []bool{false, true} {
		var m trust.Meaning
		for n := range int64(50) {
			assert.Equal(t, n+1, observe(&m, n+1, 50, n+1, false), "nothing is known")
		}
		if refused {
			assert.EqualValues(t, 0, observe(&m, 51, 50, 50, true))
		}
		assert.EqualValues(t, 49, observe(&m, 52, 50, 1, false), "it opened")
		assert.EqualValues(t, 48, observe(&m, 53, 50, 2, false))
		assert.EqualValues(t, 0, m.Of(50))
	}
}

// What remains of a bucket rises while it is refilled, and a window that others spend falls at once: neither was used.
func TestWhatRemainsWasNotUsed(t *testing.T) {
	for name, told := range map[string]func(n int64) int64{
		"a window":                   func(n int64) int64 { return 99 - n%100 },
		"a bucket":                   func(n int64) int64 { return min(20+n, 99) },
		"a bucket that refills fast": func(n int64) int64 { return 20 + 5*n%70 },
		"servers that count apart":   func(n int64) int64 { return 50 + n*37%40 },
	} {
		t.Run(name, func(t *testing.T) {
			var m trust.Meaning
			for n := range int64(1000) {
				assert.Equal(t, told(n), observe(&m, n+1, 100, told(n), false), "%d", n)
			}
		})
	}
}

// An error shows by a refusal, or because what remains falls after all.
func TestWhatWasNotUsedAfterAll(t *testing.T) {
	used := func() (m trust.Meaning) {
		for n := range int64(20) {
			observe(&m, n+1, 100, n+1, false)
		}
		observe(&m, 21, 100, 1, false)
		return m
	}
	m := used()
	assert.EqualValues(t, 0, observe(&m, 22, 100, 0, true))
	assert.EqualValues(t, 90, observe(&m, 23, 100, 90, false))
	m = used()
	observe(&m, 22, 100, 90, false)
	for n := range int64(16) {
		observe(&m, 23+n, 100, 89-n, false)
	}
	assert.EqualValues(t, 73, observe(&m, 39, 100, 73, false))
}

// percentOf tells what remains of 2,000 in percent, rounded down, of so many requests in each of some windows.
func percentOf(m *trust.Meaning, windows, sent int64) {
	for n := range windows * sent {
		observe(m, n+1, 2000, (2000-n%sent-1)/20, false)
	}
}

// What falls by one where a hundredth of the limit is sent, and returns to a hundred, is a percentage.
func TestPercent(t *testing.T) {
	var m trust.Meaning
	percentOf(&m, 2, 1500)
	n := int64(3001)
	for left := int64(1999); left >= 0; left-- {
		remaining := observe(&m, n, 2000, left/20, false)
		assert.LessOrEqual(t, remaining, left)
		assert.GreaterOrEqual(t, remaining, left-40)
		n++
	}
	assert.EqualValues(t, 120, observe(&m, n, 2000, 120, false), "more than a hundred")
	assert.EqualValues(t, 99, observe(&m, n+1, 2000, 99, false))
}

// A window of which more than a hundred remain, or that falls by each request, tells no percentage.
func TestNoPercent(t *testing.T) {
	for name, told := range map[string]func(n int64) int64{
		"a window":                      func(n int64) int64 { return 1999 - n%2000 },
		"what others leave of a window": func(n int64) int64 { return 99 - n%100 },
		"what does not fall":            func(int64) int64 { return 100 },
	} {
		t.Run(name, func(t *testing.T) {
			var m trust.Meaning
			for n := range int64(5000) {
				assert.Equal(t, told(n), observe(&m, n+1, 2000, told(n), false), "%d", n)
			}
		})
	}
}
