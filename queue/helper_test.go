package queue

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// yes is the Limiter that always agrees.
type yes struct{ limit.NoHooks }

func (yes) Ask(time.Time, limit.Demand) limit.Decision { return limit.Decision{} }
func (yes) Take(time.Time, limit.Demand)               {}
func (yes) Idle(time.Time) bool                        { return true }

// spaced lets one request go every gap, from next on; a zero gap makes it refuse without a time.
type spaced struct {
	limit.NoHooks

	gap     time.Duration
	next    time.Time
	unknown bool
	takes   []string
	returns int
}

func (s *spaced) Ask(now time.Time, d limit.Demand) limit.Decision {
	if s.unknown {
		return limit.Decision{Limit: "unknown", Unknown: true}
	}
	return limit.Decision{At: s.next, Limit: "spaced"}
}

func (s *spaced) Take(now time.Time, d limit.Demand) {
	s.next = now.Add(s.gap)
	name, _ := d.Tag.(string)
	s.takes = append(s.takes, name)
}

func (s *spaced) Cancel(time.Time, limit.Demand) { s.returns++ }

func newLine(t testing.TB, opts ...Option) *Queue {
	l, err := New(opts...)
	require.NoError(t, err)
	return l
}

// own makes l the own limit of every key.
func own(l limit.Limiter) Option {
	return WithKeyLimit(func(string) limit.Limiter { return l })
}

// enqueue starts a goroutine that acquires r, and waits until it blocks or is through. It must be
// called in a bubble.
func enqueue(ctx context.Context, l *Queue, r *Request) *result {
	res := &result{start: time.Now()}
	go func() {
		p, err := l.Acquire(ctx, r)
		res.out.Store(&outcome{p, err, time.Since(res.start)})
	}()
	synctest.Wait()
	return res
}

// result is the outcome of an Acquire, if there is one yet.
type result struct {
	start time.Time
	out   atomic.Pointer[outcome]
}

type outcome struct {
	permit Permit
	err    error
	took   time.Duration
}

func (r *result) done() bool { return r.out.Load() != nil }

// get returns the outcome. It fails the test if there is none yet.
func (r *result) get(t testing.TB) *outcome {
	t.Helper()
	out := r.out.Load()
	require.NotNil(t, out, "still waiting")
	return out
}

// pass lets virtual time pass, and then lets all goroutines run until they block. It must be called in a bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
