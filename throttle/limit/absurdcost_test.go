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

// A response that claims an absurd cost says nothing: neither of other requests, nor of what is left.
func TestAnAbsurdCostIsTheSameAsNone(t *testing.T) {
	for name, q := range map[string]Quota{
		"rolling": Per(1000, time.Minute), "counter": Per(1000, time.Minute).SlidingCounter(),
		"fixed": Per(1000, time.Minute).FixedWindow(nil), "bucket": Per(1000, time.Minute).TokenBucket(1000),
	} {
		for _, before := range []int{0, 20} {
			l, now := tokensOf(t, q), time.Unix(1_700_000_000, 0).Truncate(time.Minute)
			now = now.Add(spendMetered(t, l, now, before, 10))
			now = now.Add(spendMetered(t, l, now, 1, 1e12))
			assert.Less(t, spendMetered(t, l, now, 70, 10), 10*time.Second, "%s, after %d", name, before)
		}
	}
}

// One that is a few times the quota may be a debt, and fills it once.
func TestACostAboveTheQuotaFillsItOnce(t *testing.T) {
	for name, q := range map[string]Quota{
		"rolling": Per(1000, time.Minute), "fixed": Per(1000, time.Minute).FixedWindow(nil), "bucket": Per(1000, time.Minute).TokenBucket(1000),
	} {
		l, now := tokensOf(t, q), time.Unix(1_700_000_000, 0).Truncate(time.Minute)
		now = now.Add(spendMetered(t, l, now, 1, 3500))
		assert.False(t, admits(l, now, tokens(500)), name)
		assert.True(t, admits(l, now.Add(time.Minute+time.Second), tokens(500)), name)
	}
}

// One dear request at the beginning does not have every later one wait for an empty window.
func TestADearFirstRequestIsSoonOutweighed(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	now = now.Add(spendMetered(t, l, now, 1, 990))
	assert.Less(t, spendMetered(t, l, now, 200, 10), 8*time.Minute)
}
