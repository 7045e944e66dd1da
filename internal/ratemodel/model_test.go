package ratemodel

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// t0 is on a minute, an hour and a day.
var t0 = time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

// step is one request and what the model says right after it. Times are seconds
// after t0; a reset of -1 means that none is announced.
type step struct {
	at        float64
	admitted  bool
	remaining int
	reset     float64
	next      float64
}

func run(t *testing.T, m Model, steps []step) {
	t.Helper()
	for i, s := range steps {
		now := at(s.at)
		require.Equal(t, s.admitted, m.Admit(now), "step %d: admitted", i)
		w := m.Windows(nil, now)[0]
		require.Equal(t, s.remaining, w.Remaining, "step %d: remaining", i)
		if s.reset < 0 {
			require.True(t, w.Reset.IsZero(), "step %d: reset %v", i, w.Reset)
		} else {
			require.Equal(t, at(s.reset), w.Reset.UTC(), "step %d: reset", i)
		}
		require.Equal(t, at(s.next), m.Next(now).UTC(), "step %d: next", i)
	}
}

func TestImpossibleNumbersPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"no limit":       func() { NewFixed(0, time.Second) },
		"no length":      func() { NewSlidingLog(1, 0) },
		"negative limit": func() { NewSlidingCounter(-1, time.Second) },
		"no capacity":    func() { NewBucket(0, 1, time.Second) },
		"no refill":      func() { NewBucket(1, 0, time.Second) },
		"years to fill":  func() { NewBucket(1<<20, 1, 1<<20*time.Hour) },
		"limit set to 0": func() { NewFixed(1, time.Second).SetLimit(0) },
		"log set to 0":   func() { NewSlidingLog(1, time.Second).SetLimit(0) },
	} {
		assert.Panics(t, f, name)
	}
}

// zoo has one maker of each kind of model, with limits small enough that random
// traffic meets them.
var zoo = map[string]func() Model{
	"fixed":            func() Model { return NewFixed(7, 3*time.Second) },
	"fixed from first": func() Model { f := NewFixed(7, 3*time.Second); f.FromFirst = true; return f },
	"log":              func() Model { return NewSlidingLog(7, 3*time.Second) },
	"counter":          func() Model { return NewSlidingCounter(7, 3*time.Second) },
	"counter of one":   func() Model { return NewSlidingCounter(1, time.Second) },
	"bucket":           func() Model { return NewBucket(7, 2, time.Second) },
	"all": func() Model {
		return All{NewFixed(3, time.Second), NewSlidingLog(9, 5*time.Second), NewBucket(5, 7, 4*time.Second)}
	},
}

// Next and Windows promise what Admit then does: refused before, admitted at.
func TestPromisesAreKept(t *testing.T) {
	for name, fresh := range zoo {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			m, now := fresh(), t0
			refusals := 0
			for range 5000 {
				now = now.Add(time.Duration(rng.Int64N(int64(700 * time.Millisecond))))
				next := m.Next(now)
				require.False(t, next.Before(now))
				left := 1 << 30
				for _, w := range m.Windows(nil, now) {
					left = min(left, w.Remaining)
					require.LessOrEqual(t, w.Remaining, w.Limit)
					require.False(t, w.Reset.Before(now))
				}
				require.Equal(t, left > 0, next.Equal(now), "remaining %d, next %v", left, next.Sub(now))
				require.Equal(t, left > 0, m.Admit(now))
				if left > 0 {
					continue
				}
				refusals++
				require.Equal(t, next, m.Next(now), "a refusal changed the next moment")
				require.False(t, m.Admit(next.Add(-1)), "admitted before the moment promised")
				require.Equal(t, next.Add(time.Hour/7), m.Next(next.Add(time.Hour/7)), "closed again by itself")
				require.True(t, m.Admit(next), "not admitted at the moment promised")
				now = next
			}
			require.Greater(t, refusals, 100)
		})
	}
}

// Remaining is exact: that many at once are admitted, and no more.
func TestRemainingIsExact(t *testing.T) {
	for name, fresh := range zoo {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			m, now := fresh(), t0
			for range 500 {
				now = now.Add(time.Duration(rng.Int64N(int64(2 * time.Second))))
				left := 1 << 30
				for _, w := range m.Windows(nil, now) {
					left = min(left, w.Remaining)
				}
				n := 0
				for m.Admit(now) {
					n++
				}
				require.Equal(t, left, n)
			}
		})
	}
}

// admissions sends random bursts at m and returns when each was admitted.
func admissions(m Model, seed uint64) []time.Time {
	rng := rand.New(rand.NewPCG(seed, 0))
	var got []time.Time
	now := t0
	for range 20000 {
		now = now.Add(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
		if m.Admit(now) {
			got = append(got, now)
		}
	}
	return got
}

// most returns the largest number of times in any half-open interval of length.
func most(times []time.Time, length time.Duration) int {
	n, first := 0, 0
	for i, t := range times {
		for t.Sub(times[first]) >= length {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}
