package otelforbear_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	limiting "github.com/forbear-go/forbear/throttle/limit"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/otelforbear"
)

// A fleet shares everything, and allows it at once.
type fleet struct{ status *client.SharedStatus }

func (f fleet) Join(string, client.Host) client.Share { return share(f) }

func (fleet) Members() int { return 2 }

func (fleet) Divide(string, queue.Quota, client.Host) queue.Portion { return nil }

type share fleet

func (s share) Ask(now time.Time, _ limiting.Demand) (limiting.Decision, bool) {
	return limiting.Decision{At: now}, s.status.Active
}
func (share) Take(time.Time, int) uint64 { return 1 }
func (share) Cancel(uint64)              {}
func (share) Refuse(uint64, time.Time)   {}
func (share) Observe(time.Time, uint64, []throttle.Announced, bool, time.Time) {
}
func (share) Abandon(time.Time, uint64) {}
func (share) Idle(time.Time) bool       { return true }
func (s share) Status(time.Time) client.SharedStatus {
	return *s.status
}

// What the server announces is reported as shared as long as a fleet grants it, and the
// keys are counted by whether it does. So are the processes that share them, and what this one holds.
func TestSharedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status client.SharedStatus
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithFleet(fleet{&status}))
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		for _, c := range []struct {
			status        client.SharedStatus
			source, state string
			members, held string
		}{
			{client.SharedStatus{Active: true, Members: 2, Held: 7}, "shared", "shared", "2", "7"},
			{client.SharedStatus{Active: true, Away: true, Members: 3, Held: 5}, "shared", "away", "3", "5"},
			{client.SharedStatus{Away: true, Members: 2, Held: 5}, "announced", "away", "2", "0"},
			{client.SharedStatus{Members: 1}, "announced", "alone", "1", "0"},
		} {
			status = c.status
			set := limit + "forbear.limit.source=" + c.source + " forbear.limit.unit=requests " + here
			require.Equal(t, map[string]string{set: "19"}, r.points("forbear.limit.remaining", "{unit}"))
			keys := map[string]string{}
			for _, state := range []string{"shared", "away", "alone"} {
				keys["forbear.fleet.state="+state+" "+here] = "0"
			}
			keys["forbear.fleet.state="+c.state+" "+here] = "1"
			require.Equal(t, keys, r.points("forbear.fleet.keys", "{key}"))
			require.Equal(t, map[string]string{here: c.members}, r.points("forbear.fleet.members", "{process}"))
			require.Equal(t, map[string]string{here: c.held}, r.points("forbear.fleet.held", "{unit}"))
		}
	})
}
