package sharing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

func left(n float64) *header.Reading {
	return &header.Reading{Windows: []header.Window{{
		Name: "default", Limit: header.Count{State: header.Known, Value: 100}, Remaining: header.Count{State: header.Known, Value: n},
	}}}
}

// hear has a request of a route answered.
func hear(u *Untold, route uint64, r *header.Reading) (joins bool) {
	t := u.Sent(route)
	return u.Answered(time.Time{}, route, &t, r)
}

// within returns a reading of a window that lasts for a while yet.
func within(n float64) *header.Reading {
	r := left(n)
	r.Windows[0].Reset.In = time.Minute
	return r
}

// Routes that tell nothing do not count in what another tells, and a route that is new is like most.
func TestRoutesThatTellNothingAreApart(t *testing.T) {
	var u Untold
	hear(&u, 1, left(99))
	assert.False(t, u.Apart(2), "nothing is known of it")
	hear(&u, 2, &header.Reading{})
	assert.True(t, u.Apart(2))
	assert.True(t, u.Apart(3))
	assert.False(t, u.Apart(1))
	hear(&u, 3, left(98))
	hear(&u, 4, left(97))
	assert.True(t, u.Apart(2))
	assert.False(t, u.Apart(5), "most tell")
	hear(&u, 2, left(96))
	assert.False(t, u.Apart(2), "it tells, only not always")
	hear(&u, 2, &header.Reading{})
	assert.False(t, u.Apart(2))
}

// If what is told falls by requests of routes that tell nothing, they count, until they are
// seen not to several times.
func TestRoutesThatTellNothingMayCount(t *testing.T) {
	var u Untold
	n := 100.
	round := func(counted bool) {
		for range untoldCounted {
			hear(&u, 2, &header.Reading{})
			if counted {
				n--
			}
		}
		n--
		hear(&u, 1, within(n))
	}
	hear(&u, 1, within(n))
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
	hear(&u, 1, left(50))
	hear(&u, 2, &header.Reading{Refused: true})
	assert.False(t, u.Apart(2))
	hear(&u, 2, &header.Reading{})
	require.True(t, u.Apart(2))
	refused := left(0)
	refused.Refused = true
	hear(&u, 2, refused)
	assert.False(t, u.Apart(2))
	for route := range uint64(2 * maxRoutes) {
		hear(&u, 3+route, &header.Reading{})
	}
	assert.Len(t, u.routes, maxRoutes)
	assert.False(t, u.Apart(3*maxRoutes))
}

// One request of a route that tells nothing, which is missing, shows that it counts, also in a
// window of a few.
func TestOneThatIsMissing(t *testing.T) {
	var u Untold
	hear(&u, 1, left(4))
	hear(&u, 2, &header.Reading{})
	require.True(t, u.Apart(2))
	assert.True(t, hear(&u, 1, left(2)))
	assert.False(t, u.Apart(2))
	assert.False(t, hear(&u, 1, left(1)), "once is enough")

	u = Untold{}
	hear(&u, 1, left(4))
	hear(&u, 2, &header.Reading{})
	refused := left(0)
	refused.Refused = true
	hear(&u, 1, left(3))
	assert.False(t, hear(&u, 1, refused), "more are missing than there were")
	assert.True(t, u.Apart(2))
}

// What is left may be told out of order: nothing is missing as long as requests in flight explain it.
func TestNothingIsMissingThatIsInFlight(t *testing.T) {
	var u Untold
	hear(&u, 1, left(9))
	hear(&u, 2, &header.Reading{})
	first, second, other := u.Sent(1), u.Sent(1), u.Sent(2)
	assert.False(t, u.Answered(time.Time{}, 1, &second, left(7)))
	assert.False(t, u.Answered(time.Time{}, 2, &other, &header.Reading{}))
	assert.False(t, u.Answered(time.Time{}, 1, &first, left(8)))
	require.True(t, u.Apart(2))
	third := u.Sent(1)
	u.Lost(&third)
	assert.False(t, hear(&u, 1, left(5)), "it may have counted")
	assert.Equal(t, span{}, u.flying)
	assert.True(t, u.Apart(2))
}

// Routes are apart again if nothing was missing for long, even where what is left comes back all the time.
func TestNothingIsMissingForLong(t *testing.T) {
	var u Untold
	hear(&u, 1, left(4))
	hear(&u, 2, &header.Reading{})
	require.True(t, hear(&u, 1, left(2)))
	for range untoldMost + 2 {
		for range untoldJoined {
			hear(&u, 2, &header.Reading{})
			hear(&u, 1, left(4))
		}
	}
	assert.True(t, u.Apart(2))
}

// Where few requests tell, it takes more than one that is missing.
func TestFewRequestsTell(t *testing.T) {
	var u Untold
	n := 100.
	hear(&u, 1, left(n))
	for range 3 * untoldRare {
		hear(&u, 2, &header.Reading{})
	}
	n -= 2
	assert.False(t, hear(&u, 1, left(n)), "one is missing")
	for range 2 * untoldCounted {
		hear(&u, 2, &header.Reading{})
	}
	n -= 1 + untoldCounted
	assert.True(t, hear(&u, 1, left(n)), "many are")
}
