package queue_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/queue"
)

// EachDeclared describes the limits of rules for each key or host whose requests they count.
func TestEachDeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := queue.New(
			queue.WithRule(queue.Rule{Name: "minute", Limits: []queue.Quota{queue.PerMinute(10)}, MaxInFlight: 3}),
			queue.WithRule(queue.Rule{Name: "host", Scope: queue.PerHost, Limits: []queue.Quota{queue.PerSecond(5).TokenBucket(20).Named("bucket")}}),
			queue.WithRule(queue.Rule{Name: "all", Scope: queue.Global, Limits: []queue.Quota{queue.PerHour(100).FixedWindow(nil).Named("hour")}}),
		)
		require.NoError(t, err)
		defer q.Close()
		now := time.Now()
		for _, who := range []struct{ key, host string }{{"one", "a"}, {"one", "a"}, {"two", "b"}} {
			p, err := q.Acquire(t.Context(), &queue.Request{Key: who.key, Host: who.host})
			require.NoError(t, err)
			if who.key == "one" {
				defer p.Release()
			} else {
				p.Release()
			}
		}
		var all []queue.Declared
		q.EachDeclared(func(d queue.Declared) {
			if !d.Full.IsZero() {
				require.True(t, d.Full.After(now), "%+v", d)
				d.Full = time.Time{}
			}
			require.Equal(t, "requests", d.Unit)
			d.Unit = ""
			all = append(all, d)
		})
		slices.SortFunc(all, func(a, b queue.Declared) int { return strings.Compare(a.Name+a.Key+a.Host, b.Name+b.Key+b.Host) })
		require.Equal(t, []queue.Declared{
			{Name: "bucket", Host: "a", Limit: 20, Remaining: 18},
			{Name: "bucket", Host: "b", Limit: 20, Remaining: 19},
			{Name: "hour", Limit: 100, Remaining: 97},
			{Name: "minute, 10 per minute", Key: "one", Limit: 10, Remaining: 8},
			{Name: "minute, 10 per minute", Key: "two", Limit: 10, Remaining: 9},
			{Name: "minute, in flight", Key: "one", Limit: 3, Remaining: 1},
			{Name: "minute, in flight", Key: "two", Limit: 3, Remaining: 3},
		}, all)
		require.NoError(t, q.SetLimits("all", queue.PerHour(50).FixedWindow(nil).Named("hour")))
		q.EachDeclared(func(d queue.Declared) {
			if d.Name == "hour" {
				require.Equal(t, 47, d.Remaining)
			}
		})
	})
}

// A limit that counts another unit is described in that unit.
func TestEachDeclaredInUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := queue.New(queue.WithRule(queue.Rule{Name: "llm", Limits: []queue.Quota{queue.PerMinute(1000).Of("tokens")}}))
		require.NoError(t, err)
		defer q.Close()
		p, err := q.Acquire(t.Context(), &queue.Request{Key: "one", Units: map[string]float64{"tokens": 300}})
		require.NoError(t, err)
		p.Release()
		q.EachDeclared(func(d queue.Declared) {
			require.Equal(t, []any{"tokens", 1000, 700}, []any{d.Unit, d.Limit, d.Remaining})
		})
	})
}
