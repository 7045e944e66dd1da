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

// demands is a limit that keeps what it was asked for.
type demands struct {
	limit.NoHooks
	asked, taken []limit.Demand
}

func (s *demands) Ask(_ time.Time, d limit.Demand) limit.Decision {
	s.asked = append(s.asked, d)
	return limit.Decision{}
}

func (s *demands) Take(_ time.Time, d limit.Demand) { s.taken = append(s.taken, d) }

// A key's own limit sees all that is known of what a request costs.
func TestLimitsSeeWhatARequestCosts(t *testing.T) {
	own := new(demands)
	l := newLine(t, WithKeyLimit(func(string) limit.Limiter { return own }))
	r := &Request{
		Key: "k", Cost: 2, MaxWait: time.Minute, Units: map[string]float64{"tokens": 850},
		Estimate: limit.Estimate{Bytes: 1200, Most: map[string]float64{"output-tokens": 400}},
	}
	p, err := l.Acquire(t.Context(), r)
	require.NoError(t, err)
	p.Release()
	want := []limit.Demand{{Requests: 2, Units: r.Units, Estimate: r.Estimate, Left: time.Minute}}
	assert.Equal(t, want, own.asked)
	assert.Equal(t, want, own.taken)
}
