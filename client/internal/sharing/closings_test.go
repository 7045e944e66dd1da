package sharing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle/header"
)

// silentServer admits four requests of three keys in ten seconds, or of each, and tells nothing but when to come back.
type silentServer struct {
	keys  sharing.Keys
	key   [3]sharing.Key
	held  [3]time.Time
	now   time.Time
	spent [3]int
}

// run has each key send twice a second, unless it, or one it is joined with, was refused. It returns how many windows it
// took until the keys were joined, or parted, and -1 if they were not.
func (s *silentServer) run(windows int, shared bool, named bool) (after int) {
	trip := 50 * time.Millisecond
	if !named {
		trip = 400 * time.Millisecond // who else is refused meanwhile is all that is known
	}
	for i := range 20 * 3 * windows {
		s.now = s.now.Add(500 * time.Millisecond / 3)
		if s.now.Unix()%10 == 0 && s.now.Add(-500*time.Millisecond/3).Unix()%10 != 0 {
			s.spent = [3]int{}
		}
		k := i * i % 3
		if i%7 == 0 {
			k = 2
		}
		if s.now.Before(s.held[k]) && !s.keys.MayTest(s.now, &s.key[k]) {
			continue
		}
		seen := s.keys.Sent(s.now, &s.key[k])
		counter := k
		if shared {
			counter = 0
		}
		r := &header.Reading{}
		if s.spent[counter]++; s.spent[counter] > 4 {
			r.Refused = true
			left := time.Duration(10-s.now.Unix()%10) * time.Second
			s.held[k] = s.now.Add(time.Second)
			if named {
				s.held[k] = s.now.Add(left)
				r.Wait = header.Wait{Reset: header.Reset{In: left, Resolution: time.Second}, Delay: left, Explicit: true}
			}
			if s.keys.Joined() {
				s.held = [3]time.Time{s.held[k], s.held[k], s.held[k]}
			}
		}
		if s.keys.Answered(s.now.Add(trip), s.now, &s.key[k], &seen, r) {
			return i/60 + 1
		}
	}
	return -1
}

// Keys that spend one limit that no counter tells are joined by their refusals, whether these say when it opens or not, and parted
// by tests.
func TestKeysThatAreRefusedTogether(t *testing.T) {
	for _, named := range []bool{true, false} {
		s := &silentServer{now: time.Unix(6000, 0)}
		joined := s.run(200, true, named)
		require.NotEqual(t, -1, joined)
		require.True(t, s.keys.Joined())
		require.Equal(t, -1, s.run(1000, true, named), "they stay joined")
		parted := s.run(200, false, named)
		require.NotEqual(t, -1, parted)
		require.False(t, s.keys.Joined())
		t.Log("joined after", joined, "parted after", parted)
	}
}

// Keys with limits of their own are not joined.
func TestKeysThatAreRefusedApart(t *testing.T) {
	for _, named := range []bool{true, false} {
		s := &silentServer{now: time.Unix(6000, 0)}
		assert.Equal(t, -1, s.run(2000, false, named))
	}
}
