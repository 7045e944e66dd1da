package ratemodel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSlidingCounterWeighsThePreviousWindow(t *testing.T) {
	s := NewSlidingCounter(4, time.Minute)
	run(t, s, []step{
		{50, true, 3, 60, 50},
		{50, true, 2, 60, 50},
		{50, true, 1, 60, 50},
		{50, true, 0, 60, 75},   // 4 x (60-e)/60 <= 3 from e = 15 on
		{60, false, 0, 120, 75}, // all four still count
		{75, true, 0, 120, 90},
		{89, false, 0, 120, 90},
		{90, true, 0, 120, 105},
		{119, true, 0, 120, 120},
	})
}

func TestSlidingCounterForgetsAfterTwoWindows(t *testing.T) {
	s := NewSlidingCounter(2, time.Minute)
	run(t, s, []step{
		{0, true, 1, 60, 0},
		{0, true, 0, 60, 90},
		{90, true, 0, 120, 120}, // at 120 this one alone counts, in full, and there is room for one
		{300, true, 1, 360, 300},
	})
}

func TestSlidingCounterOfOneWaitsOutBothWindows(t *testing.T) {
	run(t, NewSlidingCounter(1, time.Minute), []step{
		{10, true, 0, 60, 120},
		{119.999, false, 0, 120, 120},
		{120, true, 0, 180, 240},
	})
}

// Over a burst, then over a steady load, the estimate lets at most twice the
// limit pass in one length, and the limit itself in each fixed window.
func TestSlidingCounterNeverPassesItsLimit(t *testing.T) {
	const limit, length = 5, 2 * time.Second
	got := admissions(NewSlidingCounter(limit, length), 3)
	perWindow := map[int64]int{}
	for _, at := range got {
		perWindow[at.UnixNano()/int64(length)]++
	}
	for _, n := range perWindow {
		require.LessOrEqual(t, n, limit)
	}
	require.Less(t, most(got, length), 2*limit)
	require.GreaterOrEqual(t, most(got, length), limit)
}

func TestSlidingCounterOfADayDoesNotOverflow(t *testing.T) {
	s := NewSlidingCounter(250_000, 24*time.Hour)
	for s.Admit(t0) {
	}
	noon := t0.Add(36 * time.Hour)
	require.Equal(t, 125_000, s.Windows(nil, noon)[0].Remaining)
}
