package sharing

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// Of two windows that responses tell, one counts the requests of each channel, and one those of all.
func TestCountersOfTwoLevels(t *testing.T) {
	const routeName = "https://api.test/channels/10000000%02d/messages"
	now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
	reset := now.Add(time.Minute)
	var c Counters
	var routes Routes
	left, all := map[int]int{}, 1000
	require.False(t, c.Two())
	for i := range 60 {
		channel := i * i % 7
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf(routeName, channel), nil)
		require.NoError(t, err)
		g := GroupsOf(req, routes.Of(req), 0)
		seen := c.Sent(now, &g)
		left[channel]++
		all--
		var r header.Reading
		r.Read(http.StatusOK, http.Header{
			"X-Ratelimit-Limit": {"50"}, "X-Ratelimit-Remaining": {fmt.Sprint(50 - left[channel])}, "X-Ratelimit-Reset": {fmt.Sprint(reset.Unix())},
			"X-Ratelimit-Global-Limit": {"1000"}, "X-Ratelimit-Global-Remaining": {fmt.Sprint(all)}, "X-Ratelimit-Global-Reset": {fmt.Sprint(reset.Unix())},
		}, nil, now)
		require.Len(t, r.Windows, 2)
		c.Answered(now.Add(100*time.Millisecond), now, &g, &seen, &r)
		now = now.Add(200 * time.Millisecond)
	}
	assert.Equal(t, ByThing, c.Level())
	assert.True(t, c.Two())
	assert.True(t, c.Shares())
	assert.True(t, c.Above("global"))
	assert.False(t, c.Above("default"))
}

// Routes are told apart whatever the clock of the server says, and where it tells no resets; routes that share a limit are not.
func TestCountersOfRoutes(t *testing.T) {
	for _, told := range []bool{true, false} {
		for _, ahead := range []time.Duration{-95 * time.Second, 0, 95 * time.Second} {
			for _, shared := range []bool{false, true} {
				now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
				var c Counters
				var routes Routes
				left := map[int]int{}
				for i := range 600 { // in four minutes
					route := i * i % 5
					req, err := http.NewRequest(http.MethodGet, "https://api.test/"+"abcde"[route:route+1], nil)
					require.NoError(t, err)
					g := GroupsOf(req, routes.Of(req), 0)
					seen := c.Sent(now, &g)
					server := now.Add(ahead)
					number := int(server.Unix()) / 60
					if !shared {
						number += 1_000_000_000 * route
					}
					left[number]++
					h := http.Header{
						"X-Ratelimit-Limit-Minute": {"500"}, "X-Ratelimit-Remaining-Minute": {fmt.Sprint(500 - left[number])}, "Date": {server.Format(http.TimeFormat)},
					}
					if told {
						h.Set("X-Ratelimit-Reset-Minute", fmt.Sprint(server.Truncate(time.Minute).Add(time.Minute).Unix()))
					}
					var r header.Reading
					r.Read(http.StatusOK, h, nil, server)
					c.Answered(now.Add(100*time.Millisecond), now, &g, &seen, &r)
					now = now.Add(400 * time.Millisecond)
				}
				want := ByRoute
				if shared {
					want = ByBucket
				}
				assert.Equal(t, want, c.Level(), "resets: %v, clock ahead by %v, shared: %v", told, ahead, shared)
			}
		}
	}
}
