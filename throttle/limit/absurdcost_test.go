package limit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// spendMetered sends requests one after the other, each as soon as it may go, and returns how long they took.
func spendMetered(t *testing.T, l Limiter, now time.Time, n int, cost float64) time.Duration {
	t.Helper()
	began, d := now, Demand{Metered: true}
	for range n {
		a := l.Ask(now, d)
		if !a.Admits(now) {
			now = a.At
			assert.True(t, admits(l, now, d))
		}
		l.Take(now, d)
		now = now.Add(100 * time.Millisecond)
		l.Done(now, now, d)
		l.Settle(now, d, map[string]float64{"tokens": cost})
	}
	return now.Sub(began)
}

// A response that claims an absurd cost fills the window that it came in, and says nothing of other requests.
func TestAnAbsurdCostIsNoMeasureForOthers(t *testing.T) {
	for _, before := range []int{0, 20} {
		l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
		now = now.Add(spendMetered(t, l, now, before, 10))
		d := Demand{Metered: true}
		l.Take(now, d)
		l.Done(now, now, d)
		l.Settle(now, d, map[string]float64{"tokens": 1e12})
		now = now.Add(time.Minute + time.Second)
		assert.Less(t, spendMetered(t, l, now, 90, 10), 10*time.Second, "after %d", before)
	}
}

// One dear request at the beginning does not have every later one wait for an empty window.
func TestADearFirstRequestIsSoonOutweighed(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	now = now.Add(spendMetered(t, l, now, 1, 990))
	assert.Less(t, spendMetered(t, l, now, 200, 10), 8*time.Minute)
}
