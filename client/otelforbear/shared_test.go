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
type fleet struct{ active *bool }

func (f fleet) Join(string, func(), func() int) client.Share { return share(f) }

type share fleet

func (s share) Ask(now time.Time, _ int) (limiting.Decision, bool) {
	return limiting.Decision{At: now}, *s.active
}
func (share) Take(time.Time, int) uint64 { return 1 }
func (share) Cancel(uint64)              {}
func (share) Observe(time.Time, uint64, []throttle.Announced, bool, time.Time) {
}
func (share) Abandon(time.Time, uint64) {}
func (share) Idle(time.Time) bool       { return true }
func (s share) Status(time.Time) client.SharedStatus {
	return client.SharedStatus{Active: *s.active, Members: 2}
}

// What the server announces is reported as shared as long as a fleet grants it.
func TestSharedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		active := true
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithFleet(fleet{&active}))
		require.NoError(t, r.get(t.Context(), "http://api.test/"))
		for _, want := range []string{"shared", "announced"} {
			active = want == "shared"
			set := limit + "forbear.limit.source=" + want + " forbear.limit.unit=requests " + here
			require.Equal(t, map[string]string{set: "19"}, r.points("forbear.limit.remaining", "{unit}"))
		}
	})
}
