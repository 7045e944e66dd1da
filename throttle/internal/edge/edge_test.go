package edge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/edge"
)

const second = clock.Second

// A limit lets as many requests go as it allows in its length, which a refusal that they do not
// explain makes longer.
func TestLimit(t *testing.T) {
	var limits edge.Limits
	var rtt clock.RTT
	slack := rtt.Slack()
	l := limits.Add("api", 20, second*9/10)
	assert.Same(t, l, limits.Find("api", 20))
	assert.Nil(t, limits.Find("api", 30))
	assert.Nil(t, limits.Find("other", 20))

	limits.Send(second, 19)
	assert.Equal(t, 2*second+slack, l.Ready(2*second-1, 2, &rtt), "a second after those that went")
	assert.Equal(t, second, l.Ready(second, 1, &rtt))
	assert.Equal(t, second, l.Ready(second, 21, &rtt), "what never fits is not held")
	limits.Cancel(second, 1)
	assert.Equal(t, second, l.Ready(second, 2, &rtt))

	limits.Send(3*second, 1)
	l.Refuse(3*second, 3*second, 1, &rtt, false)
	limits.Send(4*second, 20)
	assert.Equal(t, 5*second+slack, l.Ready(4*second, 1, &rtt), "the first refusal says nothing of the length")
	l.Refuse(4*second, 4*second, 1, &rtt, false)
	limits.Send(4*second, 1)
	assert.Equal(t, 5*second+slack, l.Ready(4*second, 1, &rtt), "the log explains it")
	limits.Send(6*second, 1)
	l.Refuse(6*second, 6*second, 1, &rtt, true)
	limits.Send(6*second, 20)
	assert.Equal(t, 7*second+slack, l.Ready(6*second, 1, &rtt), "it reports what another did")
	limits.Send(8*second, 1)
	l.Refuse(8*second, 8*second, 1, &rtt, false)
	limits.Send(8*second, 20)
	assert.Greater(t, l.Ready(8*second, 1, &rtt), 9*second+slack, "it looks further back")
}

// There are few limits, and those are dropped that have not refused for a day or turned out to be that of
// the window itself.
func TestLimitsAreForgotten(t *testing.T) {
	var limits edge.Limits
	var rtt clock.RTT
	for n := range int64(6) {
		limits.Add("api", n+1, second).Refuse(second, second, 1, &rtt, false)
	}
	require.Len(t, limits, 4)
	assert.Nil(t, limits.Find("api", 2), "the oldest went")
	none := func(string, int64) bool { return false }
	limits.Forget(2*second, func(name string, limit int64) bool { return name == "api" && limit == 3 })
	assert.Len(t, limits, 3)
	limits.Find("api", 5).Refuse(3600*second, 3600*second, 1, &rtt, false)
	limits.Forget(24*3600*second+second, none)
	assert.Len(t, limits, 3)
	limits.Forget(24*3600*second+2*second, none)
	assert.Len(t, limits, 1)
}
