package queue

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of requests with deadlines that ask for more than a limit allows, each goes at the last moment. It goes early enough
// for most responses to come in time, however long some take.
func TestMostResponsesComeInTime(t *testing.T) {
	for name, trip := range map[string]func(*rand.Rand) time.Duration{
		"uneven":     func(rng *rand.Rand) time.Duration { return 50*ms + time.Duration(rng.Int64N(int64(150*ms))) },
		"mostly low": func(rng *rand.Rand) time.Duration { return 30*ms + time.Duration(rng.ExpFloat64()*float64(100*ms)) },
		"slow":       func(rng *rand.Rand) time.Duration { return 600*ms + time.Duration(rng.Int64N(int64(400*ms))) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				l, err := New(WithRule(Rule{Limits: []Quota{Per(10, time.Second)}}))
				require.NoError(t, err)
				defer l.Close()
				var all sync.WaitGroup
				var sent, answered atomic.Int64
				for range 15 * 120 {
					took := trip(rng)
					all.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
						defer cancel()
						p, err := l.Acquire(ctx, &Request{Key: "k"})
						if err != nil {
							return
						}
						defer p.Release()
						sent.Add(1)
						select {
						case <-time.After(took):
							answered.Add(1)
						case <-ctx.Done():
						}
					})
					time.Sleep(time.Duration(rng.ExpFloat64() / 15 * float64(time.Second)))
				}
				all.Wait()
				t.Logf("%d of %d in time", answered.Load(), sent.Load())
				assert.Greater(t, sent.Load(), int64(10*120*3/4))
				assert.Greater(t, answered.Load(), sent.Load()*9/10)
			})
		})
	}
}
