package queue

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// yes is the Limit that always agrees.
type yes struct{}

func (yes) Ask(time.Time, *Request) Decision { return Decision{} }
func (yes) Take(time.Time, *Request)         {}
func (yes) Idle(time.Time) bool              { return true }

// spaced lets one request go every gap, from next on; a zero gap makes it refuse without a time.
type spaced struct {
	gap     time.Duration
	next    time.Time
	unknown bool
	takes   []string
	returns int
}

func (s *spaced) Ask(now time.Time, r *Request) Decision {
	if s.unknown {
		return Decision{Name: "unknown", Unknown: true}
	}
	return Decision{At: s.next, Name: "spaced"}
}

func (s *spaced) Take(now time.Time, r *Request) {
	s.next = now.Add(s.gap)
	name, _ := r.Tag.(string)
	s.takes = append(s.takes, name)
}

func (s *spaced) Return(taken time.Time, r *Request) { s.returns++ }

func newLine(t testing.TB, opts ...Option) *Queue {
	l, err := New(opts...)
	require.NoError(t, err)
	return l
}

// own makes every key have limit as its own.
func own(limit Limit) Option { return WithKeyLimit(func(string) Limit { return limit }) }

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

// result is what came of an Acquire, so far.
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

// get returns the outcome; to ask before there is one is a failure of the test.
func (r *result) get(t testing.TB) *outcome {
	t.Helper()
	out := r.out.Load()
	require.NotNil(t, out, "still waiting")
	return out
}

// pass lets virtual time pass, and then everybody run until they block. It must be called in a bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
