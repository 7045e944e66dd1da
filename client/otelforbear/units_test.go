package otelforbear_test

import (
	"testing"
	"testing/synctest"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/otelforbear"
)

// A limit of a rule in another unit is reported in that unit.
func TestDeclaredUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithRule(queue.Rule{
			Name: "llm", Limits: []queue.Quota{queue.PerMinute(1000).Of("tokens").Named("llm")},
		}))
		require.NoError(t, r.get(client.WithUnits(t.Context(), cost.Tokens(300)), "http://api.test/"))
		set := "forbear.limit.name=llm forbear.limit.source=declared forbear.limit.unit=tokens " + here
		require.Equal(t, "700", r.points("forbear.limit.remaining", "{unit}")[set])
		require.Equal(t, "0.30", r.points("forbear.limit.utilization", "1")[set])
	})
}
