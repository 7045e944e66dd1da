package ratemodel

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGreedyCountsWhatIsPossible(t *testing.T) {
	for name, c := range map[string]struct {
		m        Model
		from, to float64
		gap      time.Duration
		want     int
	}{
		"fixed, from the middle of a window": {NewFixed(200, time.Minute), 17.3, 600, 0, 2000},
		"fixed, ends inside a window":        {NewFixed(200, time.Minute), 0, 60.001, 0, 400},
		"fixed, with a gap":                  {NewFixed(200, time.Minute), 0, 60, time.Second, 60},
		"from first":                         {fromFirst(300, time.Hour), 100, 3 * 3600, 0, 900},
		"log":                                {NewSlidingLog(60, time.Minute), 17.3, 600, 0, 600},
		"bucket":                             {NewBucket(120, 120, time.Minute), 0, 600, 0, 120 + 1200 - 1},
		"bucket, end included":               {NewBucket(120, 120, time.Minute), 0, 600.001, 0, 120 + 1200},
		"two windows":                        {All{NewFixed(10, time.Second), NewFixed(100, time.Minute)}, 0, 600, 0, 1000},
		// The 60th of a window would fit at its very end, when the one before has faded: 59.
		"counter":         {NewSlidingCounter(60, time.Minute), 0, 600, 0, 60 + 9*59},
		"empty interval":  {NewFixed(1, time.Minute), 5, 5, 0, 0},
		"no limit at all": {All{}, 0, 1, 0, math.MaxInt},
	} {
		require.Equal(t, c.want, Greedy(c.m, at(c.from), at(c.to), c.gap), name)
	}
}

// Greedy against every possible schedule: in each of 12 slots a client sends
// nothing or one request, and the best of all 4096 is what Greedy found.
func TestNoScheduleBeatsGreedy(t *testing.T) {
	const slots = 12
	const slot = time.Second
	makers := map[string]func() Model{
		"fixed":       func() Model { return NewFixed(2, 5*time.Second) },
		"from first":  func() Model { return fromFirst(2, 5*time.Second) },
		"log":         func() Model { return NewSlidingLog(2, 5*time.Second) },
		"counter":     func() Model { return NewSlidingCounter(3, 4*time.Second) },
		"bucket":      func() Model { return NewBucket(3, 2, 5*time.Second) },
		"two windows": func() Model { return All{NewFixed(2, 4*time.Second), NewFixed(3, 8*time.Second)} },
		"three kinds": func() Model {
			return All{NewSlidingLog(2, 3*time.Second), NewFixed(3, 6*time.Second), NewBucket(4, 1, 2*time.Second)}
		},
	}
	for name, fresh := range makers {
		t.Run(name, func(t *testing.T) {
			for _, start := range []float64{0, 1, 3} {
				best := 0
				for set := range 1 << slots {
					m, n := fresh(), 0
					for i := range slots {
						if set>>i&1 == 1 && m.Admit(at(start).Add(time.Duration(i)*slot)) {
							n++
						}
					}
					best = max(best, n)
				}
				// A client on the same grid of slots, so that both may send as often.
				m, n := fresh(), 0
				for i := range slots {
					if m.Admit(at(start).Add(time.Duration(i) * slot)) {
						n++
					}
				}
				require.Equal(t, best, n, "as early as possible is best, start %v", start)
				end := at(start).Add(slots * slot)
				require.GreaterOrEqual(t, Greedy(fresh(), at(start), end, slot), best, "start %v", start)
			}
		})
	}
}

func TestGreedyJumps(t *testing.T) {
	asked := 0
	minute, hour, day := NewFixed(600, time.Minute), NewFixed(15_000, time.Hour), NewFixed(250_000, 24*time.Hour)
	n := Greedy(All{counted{minute, &asked}, hour, day}, at(17.3), t0.Add(26*time.Hour), 0)
	require.Equal(t, 250_000+30_000, n)
	require.LessOrEqual(t, asked, 2*n+1, "it must not step")
}

// A counted model counts how often it is asked when it admits the next request.
type counted struct {
	Model
	asked *int
}

func (c counted) Next(now time.Time) time.Time {
	*c.asked++
	return c.Model.Next(now)
}

func BenchmarkGreedyDay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Greedy(All{NewFixed(600, time.Minute), NewFixed(15_000, time.Hour), NewFixed(250_000, 24*time.Hour)},
			t0, t0.Add(26*time.Hour), 0)
	}
}

func fromFirst(limit int, length time.Duration) Model {
	f := NewFixed(limit, length)
	f.FromFirst = true
	return f
}
