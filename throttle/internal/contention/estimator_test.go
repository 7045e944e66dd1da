package contention

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
	"github.com/forbear-go/forbear/throttle/internal/kind"
)

// TestPartIsReckonedInTime requires that our part, which is reckoned only when it is asked for,
// is what it would have been at once.
func TestPartIsReckonedInTime(t *testing.T) {
	const limit = 100
	var e Estimator
	var log eventlog.Log
	var rtt clock.RTT
	for i := range int64(20) { // others take two for each of ours
		now := clock.Instant(i) * clock.Second
		log.Add(now, 1)
		rtt.Observe(clock.Second / 2)
		v := View{View: kind.View{Now: now, Limit: limit, Length: 60 * clock.Second, Log: &log, RTT: &rtt}, Kind: new(kind.Estimator), Sent: i + 1, Answered: i + 1}
		e.Observe(&Response{View: &v, Number: i + 1, Cost: 1, Before: i, At: now, Remaining: 99 - 3*i}, rand.NewPCG(1, 2))
	}
	own, fall, prior := 19.0, 57.0, limit/float64(sharePrior)
	want := (own + prior) / (fall + prior)
	require.True(t, e.due, "it was not asked for")
	next := e
	next.Begin(limit, 1)
	assert.InDelta(t, want, next.past, 1e-12, "it is kept for the next window")
	budget := int64(20 + want*float64(99-3*19))
	assert.Equal(t, budget, e.Budget(limit))
	assert.InDelta(t, want, e.Part(limit), 1e-12)
	assert.True(t, e.Others(20*clock.Second))
	e.Cancel(1)
	assert.Equal(t, budget+1, e.Budget(limit), "what was given back is ours")
}
