package fleet

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

var smallQuotas = flag.Int("smallquotas", 12, "of how many random small quotas a fleet gets what it would get without one")

// A smallQuota is a limit of a few requests in less than two seconds, and those who share it.
type smallQuota struct {
	name             string
	limit            clienttest.Limit
	dialect          clienttest.Option
	members, callers int
	trip             time.Duration
}

func drawSmallQuota(seed uint64) (q smallQuota) {
	draw := rand.New(rand.NewPCG(seed, 7))
	n, per := 1+draw.IntN(20), 50*time.Millisecond+time.Duration(draw.Int64N(int64(1950*time.Millisecond)))
	switch draw.IntN(4) {
	case 0:
		q.limit = clienttest.Fixed(n, per)
	case 1:
		q.limit = clienttest.Bucket(1, n, per)
	case 2:
		q.limit = clienttest.Bucket(1+draw.IntN(20), n, per)
	case 3:
		q.limit = clienttest.Rolling(n, per)
	}
	dialects := []clienttest.Option{clienttest.Draft8(), clienttest.XRateLimitDelta(), clienttest.XRateLimit(), exact(), clienttest.Draft3()}
	d := draw.IntN(len(dialects))
	q.dialect, q.members, q.callers, q.trip = dialects[d], 2+draw.IntN(7), 1+draw.IntN(20), time.Duration(1+draw.IntN(40))*time.Millisecond
	q.name = fmt.Sprintf("%v, %s, %d members with %d callers, %v away", q.limit, []string{"draft8", "delta", "moment", "exact", "draft3"}[d], q.members, q.callers, q.trip)
	return q
}

// play returns how many requests were served and refused in twenty seconds.
func (q *smallQuota) play(t testing.TB, fleet bool) (c clienttest.Counts) {
	t.Helper()
	chance.Bubble(t, func(t testing.TB) {
		w := newWorld(t, q.members, q.limit, q.dialect, clienttest.Latency(q.trip/2, q.trip))
		if !fleet {
			w.alone(t)
		}
		w.play(t, 20*time.Second, func(int) (int, time.Duration) { return q.callers, 0 }, nil)
		c = w.api.Counts()
	})
	return c
}

// Small quotas that come back within two seconds are no worse shared than by processes that do not know of each
// other, which are refused a hundred times as often.
func TestSmallQuotas(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures of many programs")
	}
	gain, worse, refused, before := 0.0, 0, 0, 0
	for seed := range uint64(*smallQuotas) {
		q := drawSmallQuota(seed + 1)
		alone, fleet := q.play(t, false), q.play(t, true)
		part := float64(fleet.Admitted) / float64(max(alone.Admitted, 1))
		if gain += math.Log(part); part < 0.9 {
			worse++
			t.Logf("seed %d, %s: %+v, without a fleet %+v", seed+1, q.name, fleet, alone)
		}
		refused, before = refused+fleet.Refused, before+alone.Refused
	}
	mean := math.Exp(gain / float64(*smallQuotas))
	t.Logf("%.2f times as many requests were served, in %d of %d cases fewer than nine tenths; %d were refused, and %d without a fleet", mean, worse, *smallQuotas, refused, before)
	if mean < 1.1 || 8*worse > *smallQuotas || 10*refused > before {
		t.Error("that is worse than without a fleet")
	}
}
