package ratemodel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFixedFollowsTheClock(t *testing.T) {
	run(t, NewFixed(2, time.Minute), []step{
		{17.3, true, 1, 60, 17.3},
		{20, true, 0, 60, 60},
		{59.999, false, 0, 60, 60},
		{60, true, 1, 120, 60},
		{300.5, true, 1, 360, 300.5},
	})
}

func TestFixedFollowsItsOrigin(t *testing.T) {
	f := NewFixed(1, time.Minute)
	f.Origin = at(10) // a boundary in the future of the first request
	run(t, f, []step{
		{0, true, 0, 10, 10},
		{9.9, false, 0, 10, 10},
		{10, true, 0, 70, 70},
	})
}

func TestFixedFromFirstRequest(t *testing.T) {
	f := NewFixed(2, time.Minute)
	f.FromFirst = true
	require.Equal(t, at(5), f.Windows(nil, at(5))[0].Reset, "nothing to announce yet")
	run(t, f, []step{
		{17.3, true, 1, 77.3, 17.3},
		{77.2, true, 0, 77.3, 77.3},
		{77.25, false, 0, 77.3, 77.3},
		{100, true, 1, 160, 100},
	})
}

func TestFixedLimitChanges(t *testing.T) {
	f := NewFixed(1, time.Minute)
	run(t, f, []step{{0, true, 0, 60, 60}, {1, false, 0, 60, 60}})
	f.SetLimit(3)
	run(t, f, []step{{2, true, 1, 60, 2}})
	f.SetLimit(1)
	run(t, f, []step{{3, false, 0, 60, 60}, {60, true, 0, 120, 120}})
}

func TestFixedNeverPassesItsLimit(t *testing.T) {
	const limit, length = 5, 2 * time.Second
	perWindow := map[int64]int{}
	for _, at := range admissions(NewFixed(limit, length), 1) {
		perWindow[at.UnixNano()/int64(length)]++
	}
	full := 0
	for _, n := range perWindow {
		require.LessOrEqual(t, n, limit)
		if n == limit {
			full++
		}
	}
	require.Greater(t, full, len(perWindow)/2, "the limit was hardly met")
}
