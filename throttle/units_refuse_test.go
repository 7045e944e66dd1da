package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A refusal for want of tokens says how long requests as large wait: what asks for less may go.
func TestARefusalForUnitsClosesNoKey(t *testing.T) {
	k := newLimiter(t)
	tokens := func(remaining float64) []header.Window {
		return []header.Window{{
			Name: "tokens", Unit: "tokens", Limit: header.Count{Value: 1000, State: header.Known},
			Remaining: header.Count{Value: remaining, State: header.Known}, Reset: header.Reset{In: 50 * time.Second, Resolution: time.Second},
		}}
	}
	large := limit.Demand{Estimate: limit.Estimate{Most: cost.Units{"tokens": 400}}}
	small := limit.Demand{Estimate: limit.Estimate{Most: cost.Units{"tokens": 50}}}
	r := k.TakeFor(epoch, large)
	k.Observe(epoch.Add(time.Second), r, &header.Reading{Windows: tokens(900)})
	r = k.TakeFor(epoch.Add(2*time.Second), large)
	wait := header.Reset{In: 40 * time.Second, Resolution: time.Second}
	k.Observe(epoch.Add(3*time.Second), r, &header.Reading{
		Refused: true, Windows: tokens(300), Wait: header.Wait{Reset: wait, Delay: wait.In, Explicit: true},
	})
	at := epoch.Add(5 * time.Second)
	d := k.AskFor(at, large)
	assert.False(t, d.Admits(at), "300 are left")
	d = k.AskFor(at, small)
	assert.True(t, d.Admits(at))
}

// What comes back each second is how a bucket fills of which no reset is told.
func TestARateThatIsToldIsARefill(t *testing.T) {
	k := newLimiter(t)
	points := func(remaining float64) *header.Reading {
		return &header.Reading{Windows: []header.Window{{
			Name: "default", Unit: "points", Limit: header.Count{Value: 1000, State: header.Known},
			Remaining: header.Count{Value: remaining, State: header.Known}, PerSecond: 50,
		}}}
	}
	at := epoch
	for _, remaining := range []float64{900, 700, 500, 300, 100, 5} {
		k.Observe(at.Add(time.Second), k.TakeFor(at, limit.Demand{}), points(remaining))
		at = at.Add(2 * time.Second)
	}
	require.True(t, k.windows[0].units.Refills())
	d := k.AskFor(at, limit.Demand{Units: cost.Units{"points": 800}})
	assert.WithinDuration(t, at.Add(15*time.Second), d.At, 2*time.Second)
}
