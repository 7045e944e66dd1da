package queue

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
		time.Sleep(59 * time.Minute)
		assert.Len(t, l.keys, 1001, "an hour's quota is not forgotten before")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		assert.Len(t, l.keys, 1)
		assert.Contains(t, l.keys, "held")
		held.Release()
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, l.keys)
		assert.Equal(t, int64(never), l.due, "nothing is left to wake up for")
	})
}

// never idle: it has no such method.
type forgetful struct{ laneLimit }

func TestKeysWhoseLimitsDoNotTellAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithKeyLimit(func(string) Limit { return forgetful{} }), WithMaxKeys(10))
		for i := range 20 {
			p, err := l.Acquire(t.Context(), &Request{Key: fmt.Sprint(i)})
			require.NoError(t, err)
			p.Release()
			time.Sleep(2 * time.Second)
		}
		time.Sleep(100 * time.Hour)
		assert.Len(t, l.keys, 10)
		assert.Contains(t, l.keys, "10")
		assert.NotContains(t, l.keys, "9")
	})
}

func TestTheLeastRecentlyUsedKeyGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithMaxKeys(3))
		use := func(key string) Permit {
			p, err := l.Acquire(t.Context(), &Request{Key: key})
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
			return p
		}
		a := use("a") // stays in use
		use("b").Release()
		use("c").Release()
		use("b").Release()
		use("d").Release()
		assert.Contains(t, l.keys, "a")
		assert.Contains(t, l.keys, "b")
		assert.NotContains(t, l.keys, "c")
		a.Release()
	})
}

func TestAMillionIdleKeysAreSmallAndForgotten(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("takes seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		const keys = 1_000_000
		l := newLine(t, own(yes{}), WithMaxKeys(2*keys))
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		r, ctx := &Request{}, context.Background()
		for i := range keys {
			r.Key = fmt.Sprintf("account %08d", i)
			p, err := l.Acquire(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			p.Release()
		}
		each := float64(heap()-before) / keys
		t.Logf("%.0f bytes a key", each)
		assert.Less(t, each, 512.)
		time.Sleep(2 * unused)
		synctest.Wait()
		assert.Empty(t, l.keys)
		runtime.KeepAlive(l)
	})
}
