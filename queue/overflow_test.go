package queue

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// paced returns a queue that sends one request each second, the first after a second.
func paced(t testing.TB, opts ...Option) (*Queue, *journal) {
	l, j := journaled(t, append(opts, WithRule(Rule{Name: "pace", Scope: Global, Limits: exact(PerSecond(1))}))...)
	enqueue(t.Context(), l, &Request{Key: "first", Tag: "first"})
	return l, j
}

func TestAFullLineRefusesTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := paced(t, WithMaxWaiting(2, RefuseNewest))
		var all []*result
		for i := range 4 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k", Tag: i}))
		}
		for _, r := range all[2:] {
			var e *WaitError
			require.ErrorAs(t, r.get(t).err, &e)
			assert.ErrorIs(t, e, ErrFull)
			assert.Equal(t, 2, e.Ahead)
			assert.Equal(t, 3*time.Second, e.Until.Sub(r.start))
			assert.Equal(t, "pace, 1 per second", e.Limit)
		}
		pass(time.Second)
		synctest.Wait()
		enqueue(t.Context(), l, &Request{Key: "k", Tag: "later"})
		pass(time.Minute)
		assert.Equal(t, []string{"first", "0", "1", "later"}, j.names())
	})
}

func TestNoRoomAtAllStillLetsGoWhoNeedNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := paced(t, WithMaxWaiting(0, RefuseNewest))
		_, err := l.Acquire(t.Context(), &Request{Key: "k"})
		assert.ErrorIs(t, err, ErrFull)
		pass(time.Second)
		synctest.Wait()
		_, err = l.Acquire(t.Context(), &Request{Key: "k"})
		assert.NoError(t, err)
	})
}

func TestAFullLineDropsTheOldestOfTheLowestPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := paced(t, WithMaxWaiting(3, DropOldest))
		ask := func(p Priority, tag string) *result {
			return enqueue(t.Context(), l, &Request{Key: tag, Priority: p, Tag: tag})
		}
		low1, low2, normal := ask(Low, "low1"), ask(Low, "low2"), ask(Normal, "normal")
		high := ask(High, "high")
		assert.ErrorIs(t, low1.get(t).err, ErrDropped)
		lowest := ask(Lowest, "lowest")
		assert.ErrorIs(t, lowest.get(t).err, ErrFull)
		low3 := ask(Low, "low3")
		assert.ErrorIs(t, low2.get(t).err, ErrDropped)
		pass(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"first", "high", "normal", "low3"}, j.names())
		for _, r := range []*result{normal, high, low3} {
			assert.NoError(t, r.get(t).err)
		}
	})
}

func TestWhoFindsTheLineFullMayWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := paced(t, WithMaxWaiting(2, Block))
		var all []*result
		for i := range 6 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k", Tag: i}))
		}
		// A high priority counts only once it is in the queue.
		high := enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
		ctx, cancel := context.WithCancel(t.Context())
		gone := enqueue(ctx, l, &Request{Key: "k", Tag: "gone"})
		late := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 1500 * time.Millisecond, Tag: "late"})
		cancel()
		synctest.Wait()
		assert.ErrorIs(t, gone.get(t).err, context.Canceled)
		pass(time.Minute)
		synctest.Wait()
		assert.ErrorIs(t, late.get(t).err, ErrMaxWait)
		assert.LessOrEqual(t, late.get(t).took, 1500*time.Millisecond)
		assert.Equal(t, []string{"first", "0", "1", "2", "3", "4", "high", "5"}, j.names())
		for _, r := range append(all, high) {
			assert.NoError(t, r.get(t).err)
		}
		w := enqueue(t.Context(), l, &Request{Key: "k"})
		assert.NoError(t, w.get(t).err)
	})
}

func TestCloseAlsoTurnsAwayWhoWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := paced(t, WithMaxWaiting(1, Block))
		a, b := enqueue(t.Context(), l, &Request{Key: "k"}), enqueue(t.Context(), l, &Request{Key: "k"})
		require.False(t, b.done())
		l.Close()
		synctest.Wait()
		assert.ErrorIs(t, a.get(t).err, ErrClosed)
		assert.ErrorIs(t, b.get(t).err, ErrClosed)
	})
}

func TestAKeyMayHaveABoundOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := paced(t, WithMaxWaitingPerKey(1))
		a := enqueue(t.Context(), l, &Request{Key: "k"})
		b := enqueue(t.Context(), l, &Request{Key: "k"})
		c := enqueue(t.Context(), l, &Request{Key: "other"})
		assert.False(t, a.done())
		assert.ErrorIs(t, b.get(t).err, ErrFull)
		assert.False(t, c.done())
		l.Close()
	})
}

func TestInFlightBounds(t *testing.T) {
	for _, c := range []struct {
		scope Scope
		goes  []bool // of a second request: the same key and host, the same host, neither
	}{
		{PerKey, []bool{false, true, true}},
		{PerHost, []bool{false, false, true}},
		{Global, []bool{false, false, false}},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, WithRule(Rule{Name: "one", Scope: c.scope, MaxInFlight: 1}))
			first, err := l.Acquire(t.Context(), &Request{Key: "a", Host: "x"})
			require.NoError(t, err)
			var waiting []*result
			for i, r := range []*Request{{Key: "a", Host: "x"}, {Key: "b", Host: "x"}, {Key: "c", Host: "y"}} {
				res := enqueue(t.Context(), l, r)
				assert.Equal(t, c.goes[i], res.done(), "scope %d, request %d", c.scope, i)
				if res.done() {
					res.get(t).permit.Release()
				} else {
					waiting = append(waiting, res)
				}
			}
			var e *WaitError
			refused := enqueue(t.Context(), l, &Request{Key: "a", Host: "x", NoWait: true})
			require.ErrorAs(t, refused.get(t).err, &e)
			assert.Equal(t, "one, in flight", e.Limit)
			assert.True(t, e.Until.IsZero())
			assert.Equal(t, len(waiting), e.Ahead)
			for _, res := range waiting {
				assert.False(t, res.done())
				first.Release()
				synctest.Wait()
				first = res.get(t).permit
			}
		})
	}
}

func TestInFlightBoundCanChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Name: "some", MaxInFlight: 1}))
		var all []*result
		for range 5 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k"}))
		}
		done := func() (n int) {
			synctest.Wait()
			for _, r := range all {
				if r.done() {
					n++
				}
			}
			return n
		}
		assert.Equal(t, 1, done())
		require.NoError(t, l.SetMaxInFlight("some", 3))
		assert.Equal(t, 3, done())
		require.NoError(t, l.SetMaxInFlight("some", 1))
		all[0].get(t).permit.Release()
		all[1].get(t).permit.Release()
		assert.Equal(t, 3, done())
		all[2].get(t).permit.Release()
		assert.Equal(t, 4, done())
		assert.ErrorContains(t, l.SetMaxInFlight("some", 0), "queue: ")
		assert.ErrorContains(t, l.SetMaxInFlight("none", 1), "queue: ")
		assert.ErrorContains(t, l.SetLimits("some", PerSecond(1)), "queue: ")
		l.Close()
	})
}

func TestAWaitingRequestKnowsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := paced(t)
		start := time.Now()
		var places []Waiting
		for i := range 5 {
			enqueue(t.Context(), l, &Request{Key: "k", Tag: i, OnWait: func(w Waiting) { places = append(places, w) }})
		}
		for i, w := range places {
			p, ok := w.Position()
			require.True(t, ok)
			assert.Equal(t, i, p.Ahead)
			assert.Equal(t, time.Duration(i+1)*time.Second, p.Start.Sub(start))
			assert.Equal(t, "pace, 1 per second", p.Limit)
		}
		peek, err := l.Peek(&Request{Key: "other"})
		require.NoError(t, err)
		assert.Equal(t, 1, peek.Ahead) // keys take turns
		assert.Equal(t, 2*time.Second, peek.Start.Sub(start))
		peek, err = l.Peek(&Request{Key: "other", Priority: High})
		require.NoError(t, err)
		assert.Equal(t, Position{Start: start.Add(time.Second), Limit: "pace, 1 per second"}, peek)
		_, err = l.Peek(&Request{Key: "other", Cost: 2})
		assert.Equal(t, &CostError{Limit: "pace, 1 per second", Cost: 2, Max: 1}, err)

		high := enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
		p, _ := places[0].Position()
		assert.Equal(t, 1, p.Ahead)
		pass(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, time.Second, high.get(t).took)
		_, ok := places[0].Position()
		assert.False(t, ok)
		p, ok = places[4].Position()
		require.True(t, ok)
		assert.Equal(t, 3, p.Ahead)
		l.Close()
		_, err = l.Peek(&Request{Key: "k"})
		assert.ErrorIs(t, err, ErrClosed)
		_, err = l.Peek(nil)
		assert.Error(t, err)
		_, ok = Waiting{}.Position()
		assert.False(t, ok)
	})
}

func TestPeekOfAFreeLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Limits: exact(PerSecond(1))}))
		for range 3 {
			p, err := l.Peek(&Request{Key: "k"})
			require.NoError(t, err)
			assert.Equal(t, Position{Start: time.Now()}, p)
		}
		_, err := l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
		assert.NoError(t, err)
	})
}

func TestTheBackOfTheLineIsToldAtOnceThatItIsTooLong(t *testing.T) {
	for _, scope := range []Scope{PerKey, PerHost, Global} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, WithRule(Rule{Scope: scope, Limits: exact(PerMinute(10))}))
			fill(t, l, 35, Request{Key: "k"}) // ten go at once
			start := time.Now()
			res := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 3*time.Minute - time.Second})
			require.True(t, res.done(), "scope %d", scope)
			var e *WaitError
			require.ErrorAs(t, res.get(t).err, &e)
			assert.Equal(t, 25, e.Ahead)
			assert.Equal(t, 3*time.Minute, e.Until.Sub(start))
			res = enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 3 * time.Minute})
			assert.False(t, res.done())
			pass(3 * time.Minute)
			synctest.Wait()
			assert.NoError(t, res.get(t).err)
			assert.Equal(t, 3*time.Minute, res.get(t).took)
		})
	}
}

func TestAForecastIsKept(t *testing.T) {
	for _, q := range []Quota{PerMinute(7), Per(3, 2*time.Second), PerMinute(7).FixedWindow(nil), PerMinute(30).TokenBucket(4), PerDay(5).FixedWindow(nil), PerMinute(7).SlidingCounter()} {
		for _, cost := range []int{1, 2} {
			synctest.Test(t, func(t *testing.T) {
				l, j := journaled(t, WithRule(Rule{Limits: exact(q)}))
				pass(1234 * time.Millisecond)
				j.start = time.Now()
				want := map[string]time.Duration{}
				for i := range 50 {
					r := &Request{Key: "k", Cost: 1 + i%cost, Tag: i}
					p, err := l.Peek(r)
					require.NoError(t, err)
					want[fmt.Sprint(i)] = p.Start.Sub(j.start)
					enqueue(t.Context(), l, r)
				}
				pass(100 * 24 * time.Hour)
				for name, at := range j.times() {
					if cost == 1 && q != q.SlidingCounter() {
						assert.InDelta(t, want[name], at, 10, "%v, request %s", q, name)
					} else {
						assert.LessOrEqual(t, want[name], at+10, "%v, request %s", q, name)
					}
				}
				assert.Len(t, j.times(), 50)
			})
		}
	}
}
