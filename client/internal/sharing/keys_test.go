package sharing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle/header"
)

// keysServer answers one request a second of a few keys in turn: they share a window of a minute, or
// each has one.
type keysServer struct {
	keys  sharing.Keys
	key   [3]sharing.Key
	now   time.Time
	spent [3]int
	limit float64
}

// run returns how many responses it took until the keys were joined, or parted, and -1 if they were not.
func (s *keysServer) run(n int, shared bool, cost int) (after int) {
	for i := range n {
		if s.now = s.now.Add(time.Second); s.now.Unix()%60 == 0 {
			s.spent = [3]int{}
		}
		k := i * i % 3 // 0, 1, 1, 0, 1, 1, ...
		if i%7 == 0 {
			k = 2
		}
		seen := s.keys.Sent(s.now, &s.key[k])
		counter := k
		if shared {
			counter = 0
		}
		s.spent[counter] += cost
		known := func(v float64) header.Count { return header.Count{State: header.Known, Value: v} }
		r := &header.Reading{Windows: []header.Window{{Name: "default", Limit: known(s.limit), Remaining: known(s.limit - float64(s.spent[counter]))}}}
		r.Windows[0].Reset = header.Reset{In: time.Duration(60-s.now.Unix()%60) * time.Second, Resolution: time.Second}
		if s.keys.Answered(s.now.Add(50*time.Millisecond), s.now, &s.key[k], &seen, r) {
			return i + 1
		}
	}
	return -1
}

func newKeysServer() *keysServer { return &keysServer{now: time.Unix(6000, 0), limit: 200} }

// Keys that spend one limit are joined within a minute or two, and parted once they no longer do.
func TestKeysThatShareALimit(t *testing.T) {
	s := newKeysServer()
	require.NotEqual(t, -1, s.run(120, true, 1))
	require.True(t, s.keys.Joined())
	require.Equal(t, -1, s.run(600, true, 1), "they stay joined")
	require.NotEqual(t, -1, s.run(600, false, 1))
	require.False(t, s.keys.Joined())
	require.Equal(t, -1, s.run(600, false, 1))
	require.NotEqual(t, -1, s.run(600, true, 1), "but may be joined again")
}

// Keys with limits of their own are not joined, whatever a request costs.
func TestKeysWithLimitsOfTheirOwn(t *testing.T) {
	for cost := range 5 {
		assert.Equal(t, -1, newKeysServer().run(3000, false, cost), cost)
	}
}

// Keys that show different limits do not share one.
func TestKeysWithDifferentLimits(t *testing.T) {
	s := newKeysServer()
	require.NotEqual(t, -1, s.run(120, true, 1))
	s.limit = 300
	require.Equal(t, 1, s.run(120, true, 1))
	require.False(t, s.keys.Joined())
}
