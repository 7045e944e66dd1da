package queue

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A server that tells nothing, and takes what a response costs when it is complete: one rule is enough.
func TestAQuotaOfTokensIsUsedAndNotExceeded(t *testing.T) {
	for name, c := range map[string]struct {
		pool  ratemodel.Pool
		quota Quota
		most  float64 // that can be used in ten minutes
	}{
		"rolling": {ratemodel.NewRollingPool(90_000, time.Minute), PerMinute(90_000), 10},
		"fixed":   {ratemodel.NewFixedPool(90_000, time.Minute), PerMinute(90_000).FixedWindow(nil), 11},
		"bucket":  {ratemodel.NewRefillingPool(90_000, time.Minute), PerMinute(90_000).TokenBucket(90_000), 11},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, WithRule(Rule{Limits: []Quota{c.quota.Of("tokens")}}))
				require.True(t, l.CountsUnits())
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(1, 2))
				used, served, refused, end := 0.0, 0, 0, time.Now().Add(10*time.Minute)
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						for time.Now().Before(end) {
							r := &Request{Key: "k", Metered: true}
							p, err := l.Acquire(t.Context(), r)
							if !assert.NoError(t, err) {
								return
							}
							mu.Lock()
							cost := 100 + 300*random.ExpFloat64()
							goes := c.pool.Level(time.Now()) > 0
							if !goes {
								refused++
							}
							mu.Unlock()
							time.Sleep(200*time.Millisecond + time.Duration(cost)*10*time.Millisecond)
							p.Release()
							if !goes {
								l.Settle(r, map[string]float64{})
								continue
							}
							mu.Lock()
							c.pool.Charge(time.Now(), cost)
							used += cost
							served++
							mu.Unlock()
							l.Settle(r, map[string]float64{"tokens": cost})
						}
					})
				}
				wg.Wait()
				share := used / (90_000 * c.most)
				t.Logf("served %d, refused %d, used %.1f %%", served, refused, 100*share)
				assert.Zero(t, refused)
				assert.Greater(t, share, 0.85)
				assert.Equal(t, 0, l.Stats().InFlight)
			})
		})
	}
}

func TestACostInUnitsThatNoQuotaAllowsIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Name: "bedrock", Limits: []Quota{PerMinute(1000).Of("tokens")}}))
		cost := func(n float64) *Request { return &Request{Key: "k", Units: map[string]float64{"tokens": n}} }
		_, err := l.Acquire(t.Context(), cost(1001))
		tooMuch, ok := errors.AsType[*CostError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, CostError{Limit: "bedrock, 1000 tokens per minute", Cost: 1001, Max: 1000}, *tooMuch)
		p, err := l.Acquire(t.Context(), cost(1000))
		require.NoError(t, err)
		second := enqueue(t.Context(), l, cost(1))
		dear := cost(1001)
		dear.MaxWait = time.Minute
		_, err = l.Acquire(t.Context(), dear)
		assert.ErrorAs(t, err, &tooMuch, "not even behind another")
		p.Release()
		pass(59 * time.Second)
		assert.False(t, second.done())
		pass(2 * time.Second)
		assert.NoError(t, second.get(t).err)
		var left []Declared
		l.EachDeclared(func(d Declared) { left = append(left, d) })
		require.Len(t, left, 1)
		assert.Equal(t, 999, left[0].Remaining)
	})
}

// Those who wait for what others may cost go when that turns out to be little.
func TestSettlingLetsOthersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Name: "tokens", Scope: Global, Limits: []Quota{PerMinute(1000)}}))
		assert.False(t, l.CountsUnits())
		require.NoError(t, l.SetLimits("tokens", PerMinute(1000).Of("tokens")))
		assert.True(t, l.CountsUnits())
		first, r := enqueue(t.Context(), l, &Request{Metered: true}), &Request{Metered: true}
		second := enqueue(t.Context(), l, r)
		first.get(t).permit.Release()
		synctest.Wait()
		assert.False(t, second.done(), "what the first costs is not known")
		l.Settle(r, map[string]float64{"tokens": 10})
		synctest.Wait()
		require.NoError(t, second.get(t).err)
		second.get(t).permit.Cancel()
		left := 0
		l.EachDeclared(func(d Declared) { left = d.Remaining })
		assert.Equal(t, 990, left)
	})
}

// What those ahead surely spend is known when a request arrives, so one that would have to wait too long
// fails at once.
func TestUnitsAheadAreForeseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Limits: []Quota{PerHour(100).Of("credits"), PerMinute(1)}}))
		page := func() *Request {
			return &Request{Key: "k", MaxWait: 10 * time.Minute, Units: map[string]float64{"credits": 25}}
		}
		first := enqueue(t.Context(), l, page())
		require.NoError(t, first.get(t).err)
		var waiting []*result
		for range 3 {
			waiting = append(waiting, enqueue(t.Context(), l, page()))
		}
		late := enqueue(t.Context(), l, page())
		require.ErrorIs(t, late.get(t).err, ErrMaxWait, "the fifth has to wait for an hour")
		assert.Zero(t, late.get(t).took)
		for _, w := range waiting {
			pass(2 * time.Minute)
			require.NoError(t, w.get(t).err)
			w.get(t).permit.Release()
		}
		first.get(t).permit.Release()
	})
}
