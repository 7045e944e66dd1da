package queue

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

func keysOf(l *Queue) map[string]*key {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.keys)
}

func TestIdleKeysAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(yes{}), WithRule(Rule{Limits: exact(PerHour(10))}))
		held, err := l.Acquire(t.Context(), &Request{Key: "held"})
		require.NoError(t, err)
		for i := range 1000 {
			p, err := l.Acquire(t.Context(), &Request{Key: fmt.Sprint(i)})
			require.NoError(t, err)
			p.Release()
		}
		pass(59 * time.Minute)
		assert.Len(t, keysOf(l), 1001, "an hour's quota is not forgotten before")
		pass(2 * time.Hour)
		synctest.Wait()
		assert.Len(t, keysOf(l), 1)
		assert.Contains(t, keysOf(l), "held")
		held.Release()
		pass(time.Hour)
		synctest.Wait()
		assert.Empty(t, keysOf(l))
		l.mu.Lock()
		defer l.mu.Unlock()
		assert.Equal(t, int64(never), l.due, "nothing is left to wake up for")
	})
}

// never idle.
type forgetful struct{ bucketLimit }

func TestKeysWhoseLimitsDoNotTellAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithKeyLimit(func(string) limit.Limiter { return forgetful{} }), WithMaxKeys(10))
		for i := range 20 {
			p, err := l.Acquire(t.Context(), &Request{Key: fmt.Sprint(i)})
			require.NoError(t, err)
			p.Release()
			pass(2 * time.Second)
		}
		pass(100 * time.Hour)
		assert.Len(t, keysOf(l), 10)
		assert.Contains(t, keysOf(l), "10")
		assert.NotContains(t, keysOf(l), "9")
	})
}

func TestTheLeastRecentlyUsedKeyGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithMaxKeys(3))
		use := func(key string) Permit {
			p, err := l.Acquire(t.Context(), &Request{Key: key})
			require.NoError(t, err)
			pass(2 * time.Second)
			return p
		}
		a := use("a") // stays in use
		use("b").Release()
		use("c").Release()
		use("b").Release()
		use("d").Release()
		assert.Contains(t, keysOf(l), "a")
		assert.Contains(t, keysOf(l), "b")
		assert.NotContains(t, keysOf(l), "c")
		a.Release()
	})
}

func TestIdleKeysAreSmall(t *testing.T) {
	if testing.Short() || chance.Raced {
		t.Skip("takes seconds")
	}
	for name, option := range map[string]Option{
		"own":     own(yes{}),
		"rule":    WithRule(Rule{Limits: []Quota{PerMinute(60)}}),
		"smooth":  WithRule(Rule{Limits: []Quota{PerMinute(60).TokenBucket(2)}}),
		"weighed": WithRule(Rule{Limits: []Quota{PerMinute(60).SlidingCounter()}}),
	} {
		synctest.Test(t, func(t *testing.T) {
			const keys = 200_000
			l := newLine(t, option, WithMaxKeys(2*keys))
			before := heapSize()
			r, ctx := &Request{}, context.Background()
			for i := range keys {
				r.Key = fmt.Sprintf("account %08d", i)
				p, err := l.Acquire(ctx, r)
				if err != nil {
					t.Fatal(err)
				}
				p.Release()
			}
			each := float64(heapSize()-before) / keys
			t.Logf("%s: %.0f bytes a key", name, each)
			assert.Less(t, each, 512.)
			pass(2 * unused)
			assert.Empty(t, keysOf(l))
			runtime.KeepAlive(l)
		})
	}
}

// heapSize is how many bytes are in use.
func heapSize() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Any number of keys that are used only once do not displace a key that has to wait; but if all keys
// have to wait, their number is bounded too.
func TestKeysOnHoldAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(map[string]bool)
		l := newLine(t, WithMaxKeys(16), WithKeyLimit(func(key string) limit.Limiter { return holding{held: held, key: key} }))
		use := func(key string) {
			p, err := l.Acquire(t.Context(), &Request{Key: key})
			require.NoError(t, err)
			p.Release()
		}
		for i := range 12 {
			key := fmt.Sprint("held ", i)
			use(key)
			held[key] = true
		}
		pass(2 * time.Second)
		for i := range 1000 {
			use(fmt.Sprint(i))
			require.LessOrEqual(t, len(keysOf(l)), 18)
		}
		for key := range held {
			assert.Contains(t, keysOf(l), key)
		}
		for i := range 1000 {
			key := fmt.Sprint("more ", i)
			use(key)
			held[key] = true
			require.LessOrEqual(t, len(keysOf(l)), 18)
		}
	})
}

type holding struct {
	limit.NoHooks

	held map[string]bool
	key  string
}

func (h holding) Ask(now time.Time, _ limit.Demand) limit.Decision {
	if h.held[h.key] {
		return limit.Decision{At: now.Add(time.Hour)}
	}
	return limit.Decision{}
}

func (holding) Take(time.Time, limit.Demand) {}
