package trust_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// Shortly before a window opens, a request that is served says nothing against it.
func TestNoTestShortlyBeforeTheReset(t *testing.T) {
	const length, reset = 1800 * clock.Second, 1810 * clock.Second
	var (
		key    trust.Key
		rtt    clock.RTT
		random rand.PCG
	)
	e := key.New()
	e.Plan(&key, 0, false, &random)
	first := e.Ready(0, reset, length, &rtt)
	assert.InDelta(t, 62*float64(clock.Second), float64(first), 2*float64(clock.Second))
	assert.Equal(t, 1300*clock.Second, e.Ready(1300*clock.Second, reset, length, &rtt), "none went before")
	assert.Equal(t, reset, e.Ready(1400*clock.Second, reset, length, &rtt))
	assert.Zero(t, e.Send(1400*clock.Second, reset, length, 1, 1, &rtt))
	assert.NotZero(t, e.Send(1300*clock.Second, reset, length, 1, 1, &rtt))
}

// A window is doubted until what remains was seen to fall with the requests, and if it rises by more than
// it can.
func TestDoubted(t *testing.T) {
	var key trust.Key
	length := clock.Length{Value: 3600 * second, Told: true}
	tell := func(e *trust.Estimator, sent, remaining int64) {
		e.Observe(&trust.Response{Now: clock.Instant(sent) * second, Number: sent, Answered: sent, Sent: sent, Remaining: remaining, Limit: 50, Length: &length})
	}
	e := key.New()
	assert.True(t, e.Doubted(false))
	assert.False(t, e.Doubted(true), "it falls by what others send")
	for i := range int64(4) {
		assert.True(t, e.Doubted(false), i)
		tell(&e, 1+i, 40-i)
	}
	assert.False(t, e.Doubted(false))
	assert.False(t, e.Wrong())
	for i := range int64(10) {
		tell(&e, 5+i, 50*(i%2))
	}
	assert.True(t, e.Wrong())
	assert.True(t, e.Doubted(true))
	e.Confirm(&key)
	assert.False(t, e.Doubted(false))
}

// Tests that are served show that a window limits nothing, and that the others of the key may not either; a
// refusal that confirms a window takes that back.
func TestTestsThatAreServed(t *testing.T) {
	var key trust.Key
	var random rand.PCG
	e := key.New()
	for range 32 {
		assert.False(t, e.Broken())
		e.Serve(&key, 1)
	}
	assert.True(t, e.Broken())
	assert.False(t, e.Doubted(false))
	assert.True(t, key.Contradicted())
	e = key.New()
	assert.False(t, e.Broken())
	e.Plan(&key, 0, false, &random)
	assert.Equal(t, 2*second, e.Ready(0, 3600*second, 0, new(clock.RTT))/second*second, "after two seconds, not after a minute")
	e.Refuse(0, 1, true, &random)
	assert.True(t, key.Contradicted(), "an overload says nothing")
	e.Confirm(&key)
	assert.False(t, key.Contradicted())
}
