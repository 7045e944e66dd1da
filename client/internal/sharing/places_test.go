package sharing

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A chatScene is a route of which several chats are asked for, at a server that tells nothing but by refusals.
type chatScene struct {
	Places

	t      *testing.T
	routes Routes
	now    time.Time
}

func newChatScene(t *testing.T) *chatScene {
	return &chatScene{t: t, now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
}

func (s *chatScene) request(chat int) (route uint64, g *Groups) {
	req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("https://api.test/chats/4711%d/messages", chat), http.NoBody)
	require.NoError(s.t, err)
	r := s.routes.Of(req)
	of := GroupsOf(req, r, 0)
	return r.ID, &of
}

// refuse has chats served, one after the other, and then one refused for some time.
func (s *chatScene) refuse(chat int, wait time.Duration) {
	for i := range 10 {
		s.now = s.now.Add(time.Second)
		route, g := s.request(chat * (i % 2))
		s.Sent(s.now, route, g)
	}
	route, g := s.request(chat)
	s.Refuse(s.now, route, g, s.now.Add(wait), true)
}

// pair sends one to the chat that was refused and one to another, and reports whether chats are apart then.
func (s *chatScene) pair(refused, other int, same, others bool) (apart bool) {
	for half, chat := range []int{refused, other} {
		route, g := s.request(chat)
		at, due := s.Due(s.now, route, g)
		require.True(s.t, due, "half %d", half)
		s.now = at
	}
	for half, chat := range []int{refused, other} {
		route, g := s.request(chat)
		require.Equal(s.t, Half(half+1), s.Take(s.now, route, g))
		assert.Equal(s.t, Neither, s.Take(s.now, route, g), "only one")
		s.now = s.now.Add(pairStep)
	}
	route, _ := s.request(refused)
	assert.False(s.t, s.Conclude(s.now, route, Same, same))
	return s.Conclude(s.now, route, Other, others)
}

// Chats are counted apart if one is refused and the other served, again and again.
func TestPlacesApart(t *testing.T) {
	s := newChatScene(t)
	s.refuse(1, 2*time.Second) // nothing is known of others
	for i := range placeWon {
		s.now = s.now.Add(time.Minute)
		s.refuse(1, 2*time.Second)
		assert.Equal(t, i == placeWon-1, s.pair(1, 9, true, false))
	}
	route, g := s.request(1)
	assert.Equal(t, ByThing, s.LevelOf(route))
	group, until := s.Closed(route)
	assert.Equal(t, g[ByThing], group)
	assert.True(t, until.After(s.now))
}

// A server that refuses both counts them together, and is asked ever more rarely.
func TestPlacesTogether(t *testing.T) {
	s := newChatScene(t)
	s.refuse(1, 2*time.Second)
	pairs := 0
	for range 400 {
		s.now = s.now.Add(time.Minute)
		s.refuse(1, 2*time.Second)
		route, g := s.request(9)
		if _, due := s.Due(s.now, route, g); due {
			pairs++
			assert.False(t, s.pair(1, 9, true, true))
		}
	}
	route, _ := s.request(1)
	assert.Equal(t, ByBucket, s.LevelOf(route))
	assert.Equal(t, 5, pairs, "after 4, 16, 64 and 256 refusals")
}

// One that serves whatever comes first shows nothing.
func TestPlacesInVain(t *testing.T) {
	s := newChatScene(t)
	s.refuse(1, 2*time.Second)
	for range 10 {
		s.now = s.now.Add(time.Minute)
		s.refuse(1, 2*time.Second)
		route, g := s.request(9)
		if _, due := s.Due(s.now, route, g); due {
			assert.False(t, s.pair(1, 9, false, false))
		}
	}
	route, _ := s.request(1)
	assert.Equal(t, ByBucket, s.LevelOf(route))
}

// What seemed to be apart is together again if nothing is served to others while one is refused.
func TestPlacesTogetherAgain(t *testing.T) {
	s := newChatScene(t)
	s.refuse(1, 2*time.Second)
	for range placeWon {
		s.now = s.now.Add(time.Minute)
		s.refuse(1, 2*time.Second)
		s.pair(1, 9, true, false)
	}
	s.now = s.now.Add(time.Minute)
	s.refuse(1, time.Minute)
	route, g := s.request(2)
	for i := range placeLost {
		s.now = s.now.Add(time.Second)
		if i == placeLost/2 {
			assert.False(t, s.Answered(s.now, route, g, false))
		}
		assert.False(t, s.Answered(s.now, route, g, true))
		assert.Equal(t, ByThing, s.LevelOf(route))
	}
	joined := false
	for range placeServed {
		s.now = s.now.Add(time.Second)
		joined = s.Answered(s.now, route, g, true)
	}
	assert.True(t, joined)
	assert.Equal(t, ByBucket, s.LevelOf(route))
}

// A chat that may have used up a limit of its own says nothing, and no more does one that is always new.
func TestPlacesAskWhoCanTell(t *testing.T) {
	s := newChatScene(t)
	s.refuse(1, 2*time.Second)
	s.now = s.now.Add(time.Minute)
	s.refuse(1, 2*time.Second)
	route, g := s.request(0) // it was asked for a second ago
	_, due := s.Due(s.now, route, g)
	assert.False(t, due)

	s = newChatScene(t)
	for i := range 50 {
		route, g := s.request(i)
		s.Sent(s.now, route, g)
		s.Refuse(s.now, route, g, s.now.Add(2*time.Second), true)
		_, other := s.request(100)
		_, due := s.Due(s.now, route, other)
		assert.False(t, due)
		s.now = s.now.Add(time.Minute)
	}
}

// Others that go although a learned limit holds them back show that it is not theirs, if enough are served in one wait.
func TestPlacesBeyond(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		s := newChatScene(t)
		s.refuse(1, time.Minute)
		s.now = s.now.Add(2 * time.Minute)
		s.refuse(1, time.Minute)
		apart := false
		for i := range beyondServed {
			route, g := s.request(9)
			_, due := s.DueBeyond(s.now, route, g, s.now.Add(time.Second))
			assert.False(t, due, "it is soon over")
			at, due := s.DueBeyond(s.now, route, g, s.now.Add(time.Minute))
			require.True(t, due)
			require.Equal(t, s.now, at)
			s.TakeBeyond(s.now, route)
			at, due = s.DueBeyond(s.now, route, g, s.now.Add(time.Minute))
			assert.True(t, due && at.After(s.now), "one at a time")
			s.now = s.now.Add(time.Second)
			if apart = s.Conclude(s.now, route, Beyond, refuses && i == 1); refuses && i == 1 {
				_, due = s.DueBeyond(s.now, route, g, s.now.Add(time.Minute))
				assert.False(t, due)
				break
			}
		}
		assert.Equal(t, !refuses, apart)
	}
}

// Where requests follow each other closely, the second of a pair may be served for coming later.
func TestPlacesOfFastRoutes(t *testing.T) {
	for _, apart := range []time.Duration{placeStep - time.Millisecond, placeStep} {
		s := newChatScene(t)
		s.refuse(1, 2*time.Second)
		s.now = s.now.Add(time.Minute)
		for i := range placeRecent {
			s.now = s.now.Add(apart)
			route, g := s.request(i % 2)
			s.Sent(s.now, route, g)
		}
		s.now = s.now.Add(apart)
		route, g := s.request(1)
		s.Refuse(s.now, route, g, s.now.Add(2*time.Second), true)
		_, other := s.request(9)
		_, due := s.Due(s.now, route, other)
		assert.Equal(t, apart == placeStep, due)
	}
}
