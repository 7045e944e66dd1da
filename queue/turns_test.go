package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Buckets that wait for the same limit of their key take turns, whether it opens for one request at a time or for
// many: each gets as much as any, unless it asks for less.
func TestBucketsTakeTurns(t *testing.T) {
	seeds := uint64(40)
	if chance.Raced {
		seeds = 4
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 3))
		buckets, rate := 2+rng.IntN(8), 1+rng.IntN(20)
		quota := []Quota{Per(rate, time.Second).TokenBucket(1), PerSecond(rate), PerSecond(rate).FixedWindow(time.UTC)}[rng.IntN(3)].Slack(0)
		answers := time.Duration(1+rng.IntN(300)) * time.Millisecond
		t.Run(fmt.Sprintf("%d buckets, %v, %v", buckets, quota, answers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, WithKeyLimit(func(string) limit.Limiter {
					own, err := quota.Limiter()
					require.NoError(t, err)
					return own
				}))
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				permits := make([]atomic.Int64, buckets)
				var all sync.WaitGroup
				for b := range buckets {
					// So many that some wait, however few are due.
					for range 2*rate + rng.IntN(10*rate) {
						all.Go(func() {
							for {
								p, err := l.Acquire(ctx, &Request{Key: "k", Bucket: fmt.Sprint(b)})
								if err != nil {
									return
								}
								permits[b].Add(1)
								time.Sleep(answers)
								p.Release()
							}
						})
					}
				}
				all.Wait()
				sum := int64(0)
				for b := range permits {
					sum += permits[b].Load()
				}
				assert.Greater(t, sum, int64(84*rate))
				for b := range permits {
					assert.InDelta(t, 1, float64(permits[b].Load()*int64(buckets))/float64(sum), .1, "bucket %d", b)
				}
				l.Close()
			})
		})
	}
}

// A bucket that sends one request after the other is not kept waiting by one in which many wait, nor the other way round.
func TestFewWaitBesideMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(&spaced{gap: time.Second, next: time.Now()}))
		fill(t, l, 1000, Request{Key: "k", Bucket: "many"})
		for i := range 20 {
			res := enqueue(t.Context(), l, &Request{Key: "k", Bucket: fmt.Sprint("few", i%3)})
			pass(2 * time.Second)
			require.NoError(t, res.get(t).err)
		}
		assert.InDelta(t, 980, l.Stats().Waiting, 1)
		l.Close()
	})
}
