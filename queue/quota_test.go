package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sec = time.Second

func TestACostAboveTheLimitIsRefusedForGood(t *testing.T) {
	for _, q := range []Quota{PerMinute(5), PerMinute(5).FixedWindow(nil), PerMinute(100).TokenBucket(5), PerMinute(5).SlidingCounter()} {
		l := newLine(t, WithRule(Rule{Name: "rule", Limits: []Quota{q}}))
		_, err := l.Acquire(t.Context(), &Request{Key: "k", Cost: 6})
		var e *CostError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 6, e.Cost)
		assert.Equal(t, 5, e.Max)
		assert.Equal(t, "rule, "+q.String(), e.Limit)
		assert.ErrorContains(t, err, "queue: cost 6 exceeds")
		_, err = l.Acquire(t.Context(), &Request{Key: "k", Cost: 5})
		assert.NoError(t, err)
	}
}
