package backoff

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// schedule returns the times of the retries that a strategy grants after failures.
func schedule(t *testing.T, s *Strategy) (times []time.Duration) {
	var at, wait time.Duration
	for n := 1; ; n++ {
		var err error
		wait, err = s.Next(start, Attempt{Number: n, Request: request(t, "GET", ""), Response: response(500), Previous: wait}, nil)
		if err != nil {
			return times
		}
		at += wait
		times = append(times, at)
	}
}

// The last retry comes after every outage that a client with retries after 1, 3, 7 and 15
// seconds survives, the first retry comes soon after a brief failure, and the caller learns
// soon enough of a failure that lasts.
func TestDefaultsSpanAnOutage(t *testing.T) {
	s, err := NewStrategy(Defaults())
	require.NoError(t, err)
	var sum time.Duration
	const draws = 1000
	for range draws {
		times := schedule(t, s)
		require.Len(t, times, 4)
		require.GreaterOrEqual(t, times[0], 450*time.Millisecond)
		require.LessOrEqual(t, times[0], 750*time.Millisecond)
		require.InDelta(t, 3, times[1].Seconds(), .35)
		require.InDelta(t, 7, times[2].Seconds(), .55)
		require.GreaterOrEqual(t, times[3], 15*time.Second)
		require.LessOrEqual(t, times[3], 16200*time.Millisecond)
		sum += times[3]
	}
	assert.LessOrEqual(t, sum/draws, 15750*time.Millisecond, "a twentieth later than others, on average")
}

// Twenty callers that failed in the same moment come back one by one.
func TestDefaultsSpreadCallers(t *testing.T) {
	s, err := NewStrategy(Defaults())
	require.NoError(t, err)
	var all [4][]time.Duration
	const callers, draws = 20, 200
	var crowds [4]int // the sums of the most retries within a tenth of a second
	for range draws {
		for i := range all {
			all[i] = all[i][:0]
		}
		for range callers {
			for i, at := range schedule(t, s) {
				all[i] = append(all[i], at)
			}
		}
		for i, times := range all {
			slices.Sort(times)
			most := 0
			for j, first := 0, 0; j < len(times); j++ {
				for times[j]-times[first] > 100*time.Millisecond {
					first++
				}
				most = max(most, j-first+1)
			}
			crowds[i] += most
		}
	}
	for i, most := range [4]float64{11.5, 9.5, 8.5, 8} {
		assert.LessOrEqual(t, float64(crowds[i])/draws, most, "retry %d", i+1)
	}
	t.Logf("the most of twenty within a tenth of a second: %v / %d", crowds, draws)
}

// Retries beyond the usual number wait 15 to 30 seconds.
func TestDefaultPolicyGoesOn(t *testing.T) {
	for _, n := range []int{5, 100} {
		for range 1000 {
			wait := defaultPolicy{}.Delay(n, 0)
			require.GreaterOrEqual(t, wait, 15*time.Second)
			require.LessOrEqual(t, wait, 30*time.Second)
		}
	}
	assert.LessOrEqual(t, defaultPolicy{}.Delay(-1, 0), time.Second, "as the first")
}
