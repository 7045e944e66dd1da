package ratemodel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSlidingLogAnnouncesTheOldest(t *testing.T) {
	s := NewSlidingLog(2, time.Minute)
	require.Equal(t, at(1), s.Windows(nil, at(1))[0].Reset, "nothing is spent")
	run(t, s, []step{
		{10, true, 1, 70, 10},
		{30, true, 0, 70, 70},
		{69.999, false, 0, 70, 70},
		{70, true, 0, 90, 90},
		{200, true, 1, 260, 200},
	})
}

func TestSlidingLogAnnouncesTheNewest(t *testing.T) {
	s := NewSlidingLog(2, time.Minute)
	s.Reset = ResetFull
	run(t, s, []step{
		{10, true, 1, 70, 10},
		{30, true, 0, 90, 70},
		{60, false, 0, 90, 70},
		{70, true, 0, 130, 90},
	})
}

func TestSlidingLogAnnouncesNothing(t *testing.T) {
	s := NewSlidingLog(1, time.Minute)
	s.Reset = ResetNone
	run(t, s, []step{{0, true, 0, -1, 60}})
}

func TestSlidingLogRefusalsCount(t *testing.T) {
	s := NewSlidingLog(2, time.Minute)
	s.RefusalsCount = true
	run(t, s, []step{
		{0, true, 1, 60, 0},
		{1, true, 0, 60, 60},
		{59, false, 0, 60, 61}, // 0, 1 and 59 are inside: one must leave beside the first
		{61, true, 0, 119, 119},
		{100, false, 0, 119, 121},
		{180, true, 1, 240, 180},
	})
}

func TestSlidingLogLimitChanges(t *testing.T) {
	s := NewSlidingLog(1, time.Minute)
	run(t, s, []step{{0, true, 0, 60, 60}})
	s.SetLimit(3)
	run(t, s, []step{{10, true, 1, 60, 10}, {20, true, 0, 60, 60}})
	s.SetLimit(1)
	run(t, s, []step{
		{30, false, 0, 60, 80}, // only when the third has left is there room for one
		{79.9, false, 0, 80, 80},
		{80, true, 0, 140, 140},
	})
}

func TestSlidingLogNeverPassesItsLimit(t *testing.T) {
	const limit, length = 5, 2 * time.Second
	got := admissions(NewSlidingLog(limit, length), 2)
	require.Equal(t, limit, most(got, length))
	require.Greater(t, most(got, length+time.Second), limit)
}

func TestSlidingLogForgetsWhatHasLeft(t *testing.T) {
	s := NewSlidingLog(100, time.Second)
	for i := range 100_000 {
		s.Admit(at(float64(i) / 50))
	}
	require.Less(t, cap(s.log), 1000)
}
