package ratemodel

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBucketAnnouncesTheNextToken(t *testing.T) {
	b := NewBucket(2, 1, 10*time.Second)
	require.Equal(t, at(0), b.Windows(nil, at(0))[0].Reset, "it is full")
	run(t, b, []step{
		{0, true, 1, 10, 0},
		{4, true, 0, 10, 10},
		{9.999, false, 0, 10, 10},
		{15, true, 0, 20, 20},
		{1e6, true, 1, 1e6 + 10, 1e6},
	})
}

func TestBucketAnnouncesWhenFull(t *testing.T) {
	b := NewBucket(2, 1, 10*time.Second)
	b.Reset = ResetFull
	run(t, b, []step{
		{0, true, 1, 10, 0},
		{4, true, 0, 20, 10},
		{15, true, 0, 30, 20},
	})
}

func TestBucketAnnouncesNothing(t *testing.T) {
	b := NewBucket(1, 2, time.Second)
	b.Reset = ResetNone
	run(t, b, []step{{0, true, 0, -1, .5}})
}

func TestBucketLengthIsTheTimeToFill(t *testing.T) {
	require.Equal(t, 5*time.Second, NewBucket(10, 2, time.Second).Windows(nil, t0)[0].Length)
	require.Equal(t, time.Minute, NewBucket(120, 120, time.Minute).Windows(nil, t0)[0].Length)
}

// Seven a minute is no whole number of nanoseconds each; over an hour nothing
// may be lost or won.
func TestBucketNeverRounds(t *testing.T) {
	b := NewBucket(1, 7, time.Minute)
	n, now := 0, t0
	for ; now.Before(t0.Add(time.Hour)); now = b.Next(now) {
		require.True(t, b.Admit(now))
		n++
	}
	require.Equal(t, 420, n)
	require.WithinDuration(t, t0.Add(time.Hour), now, 420) // a nanosecond each, as Next rounds up
}

func TestBucketOfADay(t *testing.T) {
	b := NewBucket(250_000, 250_000, 24*time.Hour)
	require.Equal(t, 24*time.Hour, b.Windows(nil, t0)[0].Length)
	require.True(t, b.Admit(t0))
	require.Equal(t, 345_600*time.Microsecond, b.Windows(nil, t0)[0].Reset.Sub(t0))
}

func TestBucketNeverPassesItsRate(t *testing.T) {
	got := admissions(NewBucket(4, 5, 2*time.Second), 4)
	for _, length := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second} {
		allowed := 4 + 2.5*length.Seconds()
		require.LessOrEqual(t, float64(most(got, length)), math.Ceil(allowed))
	}
	require.Greater(t, most(got, 10*time.Second), 25)
}
