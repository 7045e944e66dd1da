package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// budget is a limiter of tokens that are spent once.
type budget struct {
	limit.NoHooks
	left float64
}

func (b *budget) Ask(now time.Time, d limit.Demand) limit.Decision {
	if n := d.Units["tokens"]; n > b.left {
		return limit.Decision{Limit: "budget", Max: int(b.left), Cost: int(n)}
	}
	return limit.Decision{At: now}
}

func (b *budget) Take(_ time.Time, d limit.Demand) { b.left -= d.Units["tokens"] }

func TestALimiterSeesWhatARequestSpendsOfOtherUnits(t *testing.T) {
	l, err := New(WithRule(Rule{Name: "tokens", New: func() limit.Limiter { return &budget{left: 1000} }}))
	require.NoError(t, err)
	defer l.Close()
	spend := func(n float64) error {
		p, err := l.Acquire(t.Context(), &Request{Key: "k", Units: map[string]float64{"tokens": n}})
		p.Release()
		return err
	}
	require.NoError(t, spend(700))
	assert.Equal(t, &CostError{Limit: "budget", Cost: 400, Max: 300}, spend(400))
	require.NoError(t, spend(300))
}
