package otelforbear_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
	limiting "github.com/forbear-go/forbear/throttle/limit"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/otelforbear"
)

// A fleet shares everything, and allows it at once.
type fleet struct{ status *client.SharedStatus }

func (f fleet) Join(string, func(), func() int) client.Share { return share(f) }

type share fleet

func (s share) Ask(now time.Time, _ int) (limiting.Decision, bool) {
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
// keys are counted by whether it does.
func TestSharedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status client.SharedStatus
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithFleet(fleet{&status}))
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		for _, c := range []struct {
			status        client.SharedStatus
			source, state string
		}{
			{client.SharedStatus{Active: true, Members: 2}, "shared", "shared"},
			{client.SharedStatus{Active: true, Away: true, Members: 2}, "shared", "away"},
			{client.SharedStatus{Away: true, Members: 2}, "announced", "away"},
			{client.SharedStatus{Members: 1}, "announced", "alone"},
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
		}
	})
}
