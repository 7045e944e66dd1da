package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A journal records which requests were sent, and when.
type journal struct {
	limit.NoHooks

	mu    sync.Mutex // for tests that read while a timer may fire
	went  []string
	at    map[string]time.Duration
	start time.Time
}

func (j *journal) Ask(time.Time, limit.Demand) limit.Decision { return limit.Decision{} }

func (j *journal) Take(now time.Time, d limit.Demand) {
	j.mu.Lock()
	defer j.mu.Unlock()
	name := fmt.Sprint(d.Tag)
	j.went = append(j.went, name)
	j.at[name] = now.Sub(j.start)
}

// names returns the names of the requests that were sent, in order.
func (j *journal) names() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.went)
}

// times returns when each of them was sent.
func (j *journal) times() map[string]time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.at)
}

// when returns when a request was sent. It fails the test if the request was not sent.
func (j *journal) when(t testing.TB, name string) time.Duration {
	t.Helper()
	at := j.times()
	require.Contains(t, at, name)
	return at[name]
}

// journaled returns a queue with rules, and the journal of its grants.
func journaled(t testing.TB, opts ...Option) (*Queue, *journal) {
	j := &journal{at: map[string]time.Duration{}, start: time.Now()}
	return newLine(t, append(opts, WithRule(Rule{New: func() limit.Limiter { return j }}))...), j
}

func exact(q Quota) []Quota { return []Quota{q.Slack(0)} }

func TestCheapRequestsDoNotOvertakeAnExpensiveOne(t *testing.T) {
	for i := range 6 {
		scope, path := Scope(i%3), []string{"/", "/other"}[i/3] // the second makes another class
		t.Run(fmt.Sprint(scope, path), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, j := journaled(t, WithRule(Rule{Scope: scope, Limits: exact(Per(10, 10*time.Second))}),
					WithRule(Rule{Scope: Global, Pattern: "/other", Limits: exact(PerHour(100))}))
				for i := range 10 {
					pass(time.Second)
					enqueue(t.Context(), l, &Request{Key: "k", Tag: fmt.Sprint("first", i)})
				}
				enqueue(t.Context(), l, &Request{Key: "k", Bucket: "a", Cost: 5, Tag: "expensive"})
				// These would find room from second to second.
				for i := range 5 {
					enqueue(t.Context(), l, &Request{Key: "k", Bucket: "b", Path: path, Tag: fmt.Sprint("cheap", i)})
				}
				pass(time.Minute)
				assert.Equal(t, 15*time.Second, j.when(t, "expensive"))
				assert.Equal(t, 16*time.Second, j.when(t, "cheap0"))
				l.Close()
			})
		})
	}
}

func TestAnExpensiveNewcomerDoesNotDelayTheCheap(t *testing.T) {
	for _, scope := range []Scope{PerKey, PerHost, Global} {
		synctest.Test(t, func(t *testing.T) {
			l, j := journaled(t, WithRule(Rule{Scope: scope, Limits: exact(Per(10, 10*time.Second))}),
				WithRule(Rule{Scope: Global, Pattern: "/other", Limits: exact(PerHour(100))}))
			for i := range 10 {
				enqueue(t.Context(), l, &Request{Key: "k", Tag: fmt.Sprint("first", i)})
				pass(time.Second)
			}
			enqueue(t.Context(), l, &Request{Key: "k", Cost: 2, Bucket: "a", Tag: "cheap"})
			enqueue(t.Context(), l, &Request{Key: "k", Cost: 9, Bucket: "b", Path: "/other", Tag: "expensive"})
			pass(time.Minute)
			assert.Equal(t, 11*time.Second, j.when(t, "cheap"))
			assert.Equal(t, 21*time.Second, j.when(t, "expensive"))
			l.Close()
		})
	}
}

func TestANewKeyGetsItsShareAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithRule(Rule{Scope: Global, Limits: exact(PerSecond(1))}))
		fill(t, l, 2000, Request{Key: "a", Tag: "a"})
		fill(t, l, 2000, Request{Key: "b", Tag: "b"})
		pass(1000 * time.Second)
		fill(t, l, 2000, Request{Key: "c", Tag: "c"})
		before := len(j.names())
		pass(300 * time.Second)
		synctest.Wait()
		count := map[string]int{}
		for _, name := range j.names()[before:] {
			count[name]++
		}
		for _, name := range []string{"a", "b", "c"} {
			assert.InDelta(t, 100, count[name], 2)
		}
		l.Close()
	})
}

func TestNewsOfTheLatestLimitTurnsAwayWhoWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{next: time.Now().Add(time.Minute)}
		hour := &spaced{next: time.Now().Add(time.Second)}
		l := newLine(t, own(pace), WithRule(Rule{Scope: Global, New: func() limit.Limiter { return hour }}))
		res := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 30 * time.Minute})
		require.False(t, res.done())
		hour.next = time.Now().Add(time.Hour)
		l.Replan()
		synctest.Wait()
		assert.Zero(t, res.get(t).took)
		assert.ErrorIs(t, res.get(t).err, ErrMaxWait)
	})
}

func TestCheapRequestsGoWhenTheExpensiveOneGivesUp(t *testing.T) {
	for _, scope := range []Scope{PerKey, Global} {
		for _, bucket := range []string{"a", "b"} {
			synctest.Test(t, func(t *testing.T) {
				l, j := journaled(t, WithRule(Rule{Scope: scope, Limits: exact(PerHour(10))}))
				enqueue(t.Context(), l, &Request{Key: "k", Cost: 8, Tag: "first"})
				ctx, cancel := context.WithCancel(t.Context())
				enqueue(ctx, l, &Request{Key: "k", Bucket: "a", Cost: 5, Tag: "expensive"})
				enqueue(t.Context(), l, &Request{Key: "k", Bucket: bucket, Tag: "cheap"})
				assert.NotContains(t, j.times(), "cheap")
				pass(time.Second)
				cancel()
				synctest.Wait()
				assert.Equal(t, time.Second, j.when(t, "cheap"), "bucket %s", bucket)
			})
		}
	}
}

func TestACheapRequestOfAHigherPriorityGoesAtOnceWhereItFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithRule(Rule{Scope: Global, Limits: exact(PerHour(10))}))
		enqueue(t.Context(), l, &Request{Key: "k", Cost: 8, Tag: "first"})
		enqueue(t.Context(), l, &Request{Key: "l", Cost: 5, Tag: "expensive"})
		enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
		enqueue(t.Context(), l, &Request{Key: "k", Tag: "normal"})
		assert.Equal(t, []string{"first", "high"}, j.names())
		l.Close()
	})
}

func TestRequestsUnderOtherRulesDoNotWaitBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithRule(Rule{Limits: exact(PerHour(300))}),
			WithRule(Rule{Scope: Global, Pattern: "POST /", Limits: exact(Every(2 * time.Second))}))
		for range 2 {
			enqueue(t.Context(), l, &Request{Key: "k", Method: "POST", Path: "/x", Tag: "post"})
		}
		enqueue(t.Context(), l, &Request{Key: "k", Method: "GET", Path: "/x", Tag: "get"})
		assert.Equal(t, []string{"post", "get"}, j.names())
		l.Close()
	})
}

func TestTheLatestAnswerDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t,
			WithRule(Rule{Name: "minute", Limits: exact(PerMinute(1))}),
			WithRule(Rule{Name: "hour", Scope: Global, Limits: exact(PerHour(1))}),
			WithRule(Rule{Name: "second", Scope: PerHost, Limits: exact(PerSecond(1))}))
		enqueue(t.Context(), l, &Request{Key: "k"})
		res := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 59 * time.Minute})
		var e *WaitError
		require.ErrorAs(t, res.get(t).err, &e)
		assert.Equal(t, "hour, 1 per hour", e.Limit)
		assert.Equal(t, time.Hour, e.Until.Sub(res.start))
		waiting := enqueue(t.Context(), l, &Request{Key: "k"})
		pass(time.Hour)
		synctest.Wait()
		assert.Equal(t, time.Hour, waiting.get(t).took)
	})
}

func TestKeysShareALimitFairlyWhateverTheirBacklog(t *testing.T) {
	for _, cost := range []int{1, 5} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, WithRule(Rule{Scope: Global, Limits: exact(PerSecond(10 * cost))}))
			const keys = 50
			got := make([]atomic.Int64, keys)
			ctx, cancel := context.WithCancel(t.Context())
			for k := range keys {
				// From a single request at a time to a hundred; the first keys come first.
				for range 1 + k*2 {
					r := &Request{Key: fmt.Sprint(k)}
					if k%2 == 0 {
						r.Cost = cost
					}
					go func() {
						for {
							p, err := l.Acquire(ctx, r)
							if err != nil {
								return
							}
							got[k].Add(int64(r.cost()))
							p.Release()
						}
					}()
				}
				synctest.Wait()
			}
			pass(200 * time.Second)
			cancel()
			synctest.Wait()
			sum, squares := 0., 0.
			for k := range got {
				n := float64(got[k].Load())
				sum += n
				squares += n * n
			}
			jain := sum * sum / (keys * squares)
			t.Logf("cost %d: Jain index %.4f", cost, jain)
			assert.GreaterOrEqual(t, jain, .99)
		})
	}
}

func TestAKeyWithOneRequestIsNotDelayedByOneWithTenThousand(t *testing.T) {
	for _, path := range []string{"/", "/other"} { // the second is of another class
		synctest.Test(t, func(t *testing.T) {
			l, j := journaled(t,
				WithRule(Rule{Scope: Global, Limits: exact(PerSecond(1))}),
				WithRule(Rule{Scope: Global, Pattern: "/other", Limits: exact(PerSecond(10))}))
			fill(t, l, 10_000, Request{Key: "many", Path: "/", Tag: "many"})
			enqueue(t.Context(), l, &Request{Key: "one", Path: path, Tag: "one"})
			enqueue(t.Context(), l, &Request{Key: "two", Path: path, Tag: "two"})
			pass(4 * time.Second)
			synctest.Wait()
			assert.LessOrEqual(t, j.when(t, "one"), 2*time.Second)
			assert.LessOrEqual(t, j.when(t, "two"), 3*time.Second)
			l.Close()
		})
	}
}

// fill makes n requests wait.
func fill(t testing.TB, l *Queue, n int, r Request) {
	for range n {
		go func() {
			r := r
			_, _ = l.Acquire(t.Context(), &r)
		}()
	}
	synctest.Wait()
}

func TestGivingUpDoesNotCostAKeyItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithRule(Rule{Scope: Global, Limits: exact(PerSecond(1))}))
		fill(t, l, 10, Request{Key: "steady", Tag: "steady"})
		for range 100 {
			res := enqueue(t.Context(), l, &Request{Key: "hasty", NoWait: true})
			require.ErrorIs(t, res.get(t).err, ErrNoWait)
		}
		enqueue(t.Context(), l, &Request{Key: "hasty", Tag: "hasty"})
		pass(5 * time.Second)
		synctest.Wait()
		assert.LessOrEqual(t, j.when(t, "hasty"), 2*time.Second)
		l.Close()
	})
}

func TestAHighPriorityStartsWithTheNextPermitBeforeTenThousandLowOnes(t *testing.T) {
	for _, scope := range []Scope{PerKey, Global} {
		synctest.Test(t, func(t *testing.T) {
			l, j := journaled(t, WithRule(Rule{Scope: scope, Limits: exact(PerSecond(1))}))
			fill(t, l, 10_000, Request{Key: "k", Priority: Low, Tag: "low"})
			pass(99*time.Second + time.Second/2)
			enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
			pass(time.Second / 2)
			synctest.Wait()
			assert.Equal(t, 100*time.Second, j.when(t, "high"))
			l.Close()
		})
	}
}

func TestTheFloorHoldsForAKeysOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithMinimumShare(.1), WithKeyLimit(func(string) limit.Limiter {
			return &spaced{gap: time.Second, next: time.Now().Add(time.Second)}
		}))
		fill(t, l, 1200, Request{Key: "k", Priority: High, Tag: "high"})
		fill(t, l, 1200, Request{Key: "k", Priority: Low, Tag: "low"})
		pass(1000 * time.Second)
		synctest.Wait()
		low := 0
		for _, name := range j.names() {
			if name == "low" {
				low++
			}
		}
		assert.InDelta(t, 100, low, 1)
		l.Close()
	})
}

func TestLowerPrioritiesGetTheirFloor(t *testing.T) {
	for _, scope := range []Scope{PerKey, PerHost, Global} {
		for _, floor := range []float64{0, .05, .15, .2} {
			for _, path := range []string{"/", "/other"} {
				synctest.Test(t, func(t *testing.T) {
					l, j := journaled(t, WithMinimumShare(floor),
						WithRule(Rule{Scope: scope, Limits: exact(PerSecond(1))}),
						WithRule(Rule{Scope: Global, Pattern: "/other", Limits: exact(PerSecond(10))}))
					fill(t, l, 450, Request{Key: "k", Priority: High, Path: "/", Tag: High})
					fill(t, l, 450, Request{Key: "k", Priority: Normal, Path: path, Tag: Normal})
					fill(t, l, 450, Request{Key: "k", Priority: Lowest, Path: "/", Tag: Lowest})
					pass(400 * time.Second)
					synctest.Wait()
					count := map[string]float64{}
					for _, name := range j.names() {
						count[name]++
					}
					for _, p := range []Priority{Normal, Lowest} {
						assert.InDelta(t, floor*400, count[fmt.Sprint(p)], 3, "scope %d, path %s, %d of %v", scope, path, p, count)
					}
					l.Close()
				})
			}
		}
	}
}
