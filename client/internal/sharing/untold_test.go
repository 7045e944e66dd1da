package sharing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

func left(n float64) *header.Reading {
	return &header.Reading{Windows: []header.Window{{
		Name: "default", Limit: header.Count{State: header.Known, Value: 100}, Remaining: header.Count{State: header.Known, Value: n},
	}}}
}

// Routes that tell nothing do not count in what another tells, and a route that is new is like most.
func TestRoutesThatTellNothingAreApart(t *testing.T) {
	var u Untold
	u.Answered(1, left(99))
	assert.False(t, u.Apart(2), "nothing is known of it")
	u.Answered(2, &header.Reading{})
	assert.True(t, u.Apart(2))
	assert.True(t, u.Apart(3))
	assert.False(t, u.Apart(1))
	u.Answered(3, left(98))
	u.Answered(4, left(97))
	assert.True(t, u.Apart(2))
	assert.False(t, u.Apart(5), "most tell")
	u.Answered(2, left(96))
	assert.False(t, u.Apart(2), "it tells, only not always")
	u.Answered(2, &header.Reading{})
	assert.False(t, u.Apart(2))
}

// If what is told falls by requests of routes that tell nothing, they count, until they are
// seen not to several times.
func TestRoutesThatTellNothingMayCount(t *testing.T) {
	var u Untold
	n := 100.
	round := func(counted bool) {
		for range untoldCounted {
			u.Answered(2, &header.Reading{})
			if counted {
				n--
			}
		}
		n--
		u.Answered(1, left(n))
	}
	u.Answered(1, left(n))
	round(false)
	require.True(t, u.Apart(2))
	round(true)
	require.False(t, u.Apart(2))
	round(false)
	round(false)
	require.False(t, u.Apart(2))
	n = 100
	round(false) // the window opened, which says nothing
	require.False(t, u.Apart(2))
	round(false)
	require.True(t, u.Apart(2))
}

// A refusal that tells a limit is of a route that counts in it; one that tells none says nothing.
func TestRefusalsOfRoutesThatTellNothing(t *testing.T) {
	var u Untold
	u.Answered(1, left(50))
	u.Answered(2, &header.Reading{Refused: true})
	assert.False(t, u.Apart(2))
	u.Answered(2, &header.Reading{})
	require.True(t, u.Apart(2))
	refused := left(0)
	refused.Refused = true
	u.Answered(2, refused)
	assert.False(t, u.Apart(2))
	for route := range uint64(2 * maxRoutes) {
		u.Answered(3+route, &header.Reading{})
	}
	assert.Len(t, u.routes, maxRoutes)
	assert.False(t, u.Apart(3*maxRoutes))
}
