package queue

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// yes is the Limit that always agrees.
type yes struct{}

func (yes) Ask(time.Time, *Request) Answer { return Answer{} }
func (yes) Take(time.Time, *Request)       {}
func (yes) Idle(time.Time) bool            { return true }

// spaced lets one request go every gap, from next on; a zero gap makes it refuse without a time.
type spaced struct {
	gap     time.Duration
	next    time.Time
	unknown bool
	takes   []string
	returns int
}

func (s *spaced) Ask(now time.Time, r *Request) Answer {
	if s.unknown {
		return Answer{Name: "unknown", Unknown: true}
	}
	return Answer{At: s.next, Name: "spaced"}
}

func (s *spaced) Take(now time.Time, r *Request) {
	s.next = now.Add(s.gap)
	name, _ := r.Tag.(string)
	s.takes = append(s.takes, name)
}

func (s *spaced) Return(taken time.Time, r *Request) { s.returns++ }

func newLine(t testing.TB, opts ...Option) *Line {
	l, err := New(opts...)
	require.NoError(t, err)
	return l
}

// own makes every key have limit as its own.
func own(limit Limit) Option { return WithKeyLimit(func(string) Limit { return limit }) }

// enqueue starts a goroutine that acquires r, and waits until it blocks or is through. It must be
// called in a bubble.
func enqueue(ctx context.Context, l *Line, r *Request) *result {
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

func TestRequestsOfAKeyGoInTheOrderOfTheirArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{gap: time.Second}
		l := newLine(t, own(limit))
		var all []*result
		for i := range 5 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k", Tag: fmt.Sprint(i)}))
		}
		retry := enqueue(t.Context(), l, &Request{Key: "k", Retry: true, Tag: "retry"})
		high := enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"0", "high", "retry", "1", "2", "3", "4"}, limit.takes)
		for i, r := range all[1:] {
			require.NoError(t, r.get(t).err)
			assert.Equal(t, time.Duration(i+3)*time.Second, r.get(t).took)
		}
		assert.Equal(t, time.Second, high.get(t).took)
		assert.Equal(t, 2*time.Second, retry.get(t).took)
	})
}

func TestLanesDoNotWaitBehindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := laneLimit{"slow": time.Now().Add(time.Hour)}
		l := newLine(t, own(slow))
		a := enqueue(t.Context(), l, &Request{Key: "k", Lane: "slow"})
		b := enqueue(t.Context(), l, &Request{Key: "k", Lane: "fast"})
		assert.False(t, a.done())
		assert.True(t, b.done())
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, time.Hour, a.get(t).took)
	})
}

type laneLimit map[string]time.Time

func (m laneLimit) Ask(now time.Time, r *Request) Answer {
	return Answer{At: m[r.Lane], Name: r.Lane}
}
func (laneLimit) Take(time.Time, *Request) {}

func TestNewsPlansTheKeyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{unknown: true}
		l := newLine(t, own(limit))
		limit.unknown = false
		first := enqueue(t.Context(), l, &Request{Key: "k"})
		require.True(t, first.done())
		limit.unknown = true
		second := enqueue(t.Context(), l, &Request{Key: "k"})
		third := enqueue(t.Context(), l, &Request{Key: "k"})
		time.Sleep(time.Hour)
		assert.False(t, second.done())

		first.get(t).permit.Update(func(now time.Time, own Limit) {
			assert.Same(t, limit, own)
			limit.unknown, limit.gap, limit.next = false, time.Minute, now.Add(time.Minute)
		})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.Equal(t, time.Hour+time.Minute, second.get(t).took)
		assert.Equal(t, time.Hour+2*time.Minute, third.get(t).took)

		limit.next = time.Now().Add(time.Hour)
		fourth := enqueue(t.Context(), l, &Request{Key: "k"})
		l.Update("k", func(now time.Time, own Limit) { limit.next = now })
		synctest.Wait()
		assert.True(t, fourth.done())
	})
}

func TestReleaseAsksAgainWhereNoTimeWasKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{}
		l := newLine(t, own(limit))
		p, err := l.Acquire(t.Context(), &Request{Key: "k"})
		require.NoError(t, err)
		limit.unknown = true
		second := enqueue(t.Context(), l, &Request{Key: "k"})
		limit.unknown = false
		p.Release()
		synctest.Wait()
		assert.True(t, second.done())
	})
}

func TestACancelledRequestLeavesAtOnceAndSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{gap: time.Second}
		l := newLine(t, own(limit))
		enqueue(t.Context(), l, &Request{Key: "k", Tag: "0"})
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := enqueue(ctx, l, &Request{Key: "k", Tag: "gone"})
		next := enqueue(t.Context(), l, &Request{Key: "k", Tag: "next"})
		cause := errors.New("user went home")
		cancel(cause)
		synctest.Wait()
		require.True(t, gone.done())
		assert.ErrorIs(t, gone.get(t).err, context.Canceled)
		assert.ErrorIs(t, gone.get(t).err, cause)
		var e *WaitError
		assert.ErrorAs(t, gone.get(t).err, &e)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, time.Second, next.get(t).took)
		assert.Equal(t, []string{"0", "next"}, limit.takes)

		_, err := l.Acquire(ctx, &Request{Key: "k"})
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestAPermitGrantedWhileItsCallerGivesUpIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{next: time.Now().Add(time.Second)}
		l := newLine(t, own(limit))
		ctx, cancel := context.WithCancel(t.Context())
		gone := enqueue(ctx, l, &Request{Key: "k"})
		// Both happen before the caller runs; which of the two it sees first is up to select.
		l.mu.Lock()
		cancel()
		limit.next = time.Time{}
		l.stir(&l.keys["k"].lane.gate)
		l.settle(time.Now())
		l.mu.Unlock()
		synctest.Wait()
		require.True(t, gone.done())
		if gone.get(t).err != nil {
			assert.ErrorIs(t, gone.get(t).err, context.Canceled)
			assert.Equal(t, 1, limit.returns)
			assert.Zero(t, l.flying)
		} else {
			assert.Zero(t, limit.returns)
			assert.Equal(t, 1, l.flying)
		}
	})
}

func TestWhoCannotGoInTimeIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{gap: time.Minute}
		l := newLine(t, own(limit))
		enqueue(t.Context(), l, &Request{Key: "k"})
		reset := time.Now().Add(time.Minute)

		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		late := enqueue(ctx, l, &Request{Key: "k"})
		require.True(t, late.done())
		assert.Zero(t, late.get(t).took)
		assert.ErrorIs(t, late.get(t).err, context.DeadlineExceeded)
		var e *WaitError
		require.ErrorAs(t, late.get(t).err, &e)
		assert.Equal(t, "spaced", e.Limit)
		assert.True(t, reset.Equal(e.Until))
		assert.True(t, reset.Equal(e.RetryAt()))

		impatient := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: time.Second})
		assert.ErrorIs(t, impatient.get(t).err, ErrMaxWait)
		assert.NotErrorIs(t, impatient.get(t).err, context.DeadlineExceeded)
		unwilling := enqueue(t.Context(), l, &Request{Key: "k", NoWait: true})
		assert.ErrorIs(t, unwilling.get(t).err, ErrNoWait)
		patient := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: time.Minute})
		assert.False(t, patient.done())
		behind := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 2 * time.Minute})
		assert.False(t, behind.done())
		free := enqueue(t.Context(), l, &Request{Key: "k"})

		// News pushes the time out: both who have a deadline are told at once.
		l.Update("k", func(now time.Time, own Limit) { limit.next = now.Add(time.Hour) })
		synctest.Wait()
		for _, r := range []*result{patient, behind} {
			require.True(t, r.done())
			assert.Zero(t, r.get(t).took)
			assert.ErrorIs(t, r.get(t).err, ErrMaxWait)
			require.ErrorAs(t, r.get(t).err, &e)
			assert.Equal(t, time.Hour, e.Until.Sub(r.start))
		}
		assert.False(t, free.done())
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.NoError(t, free.get(t).err)
	})
}

func TestADeadlineEndsTheWaitWhereNoTimeIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{unknown: true}
		l := newLine(t, own(limit), WithMaxWait(time.Minute))
		a := enqueue(t.Context(), l, &Request{Key: "k"})
		b := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := enqueue(ctx, l, &Request{Key: "k"})
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, time.Minute, a.get(t).took)
		assert.ErrorIs(t, a.get(t).err, ErrMaxWait)
		assert.Equal(t, 10*time.Second, b.get(t).took)
		assert.ErrorIs(t, b.get(t).err, ErrMaxWait)
		assert.Equal(t, 20*time.Second, c.get(t).took)
		assert.ErrorIs(t, c.get(t).err, context.DeadlineExceeded)
	})
}

func TestReleaseCountsOnce(t *testing.T) {
	l := newLine(t)
	p, err := l.Acquire(t.Context(), &Request{Key: "k"})
	require.NoError(t, err)
	p.Release()
	q, err := l.Acquire(t.Context(), &Request{Key: "k"})
	require.NoError(t, err)
	p.Release() // an old copy: its ticket is q's by now
	p.Update(func(time.Time, Limit) { t.Error("an old permit must do nothing") })
	assert.Equal(t, 1, l.flying)
	q.Release()
	assert.Equal(t, 0, l.flying)
	Permit{}.Release()
}

func TestCloseTurnsEverybodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{gap: time.Second}
		l := newLine(t, own(limit))
		first := enqueue(t.Context(), l, &Request{Key: "k"})
		var all []*result
		for range 10 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k"}))
		}
		l.Close()
		l.Close()
		synctest.Wait()
		for _, r := range all {
			require.True(t, r.done())
			assert.ErrorIs(t, r.get(t).err, ErrClosed)
		}
		_, err := l.Acquire(t.Context(), &Request{Key: "k"})
		assert.ErrorIs(t, err, ErrClosed)
		first.get(t).permit.Release()
	})
}

func TestShutdownServesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := &spaced{gap: time.Second}
		l := newLine(t, own(limit))
		first := enqueue(t.Context(), l, &Request{Key: "k"})
		second := enqueue(t.Context(), l, &Request{Key: "k"})
		var closed error
		var took time.Duration
		go func() {
			start := time.Now()
			closed = l.Shutdown(t.Context())
			took = time.Since(start)
		}()
		synctest.Wait()
		_, err := l.Acquire(t.Context(), &Request{Key: "k"})
		assert.ErrorIs(t, err, ErrClosed)
		retry := enqueue(t.Context(), l, &Request{Key: "k", Retry: true})
		time.Sleep(5 * time.Second)
		for _, r := range []*result{first, second, retry} {
			require.True(t, r.done())
			require.NoError(t, r.get(t).err)
			r.get(t).permit.Release()
		}
		synctest.Wait()
		assert.NoError(t, closed)
		assert.Equal(t, 5*time.Second, took)
	})
}

func TestShutdownThatTakesTooLongCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(&spaced{gap: time.Hour}))
		enqueue(t.Context(), l, &Request{Key: "k"})
		stuck := enqueue(t.Context(), l, &Request{Key: "k"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		assert.ErrorIs(t, l.Shutdown(ctx), context.DeadlineExceeded)
		synctest.Wait()
		assert.ErrorIs(t, stuck.get(t).err, ErrClosed)
	})
}

func TestDoReleasesAlsoWhenTheFunctionPanics(t *testing.T) {
	l := newLine(t)
	assert.Panics(t, func() {
		_ = l.Do(t.Context(), "k", func(context.Context) error { panic("boom") })
	})
	assert.Zero(t, l.flying)
	want := errors.New("want")
	assert.Equal(t, want, l.Do(t.Context(), "k", func(context.Context) error { return want }))
	l.Close()
	assert.ErrorIs(t, l.Do(t.Context(), "k", nil), ErrClosed)
}

func TestBadRequestsAreErrors(t *testing.T) {
	l := newLine(t)
	for _, r := range []*Request{nil, {Cost: -1}, {Priority: Highest + 1}, {Priority: Lowest - 1}, {MaxWait: -1}} {
		_, err := l.Acquire(t.Context(), r)
		assert.ErrorContains(t, err, "queue: ")
	}
}

func BenchmarkPass(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchPass(b, newLine(b, own(yes{}))) })
}

func benchPass(b *testing.B, l *Line) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	r := &Request{Key: "k", Host: "api.example.com", Method: "GET", Path: "/v1/things/17"}
	b.ReportAllocs()
	for b.Loop() {
		p, err := l.Acquire(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		p.Settle(func(now time.Time, own Limit) {})
	}
}

func BenchmarkPassParallel(b *testing.B) {
	l := newLine(b, own(yes{}))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := &Request{Key: "k"}
		for pb.Next() {
			p, _ := l.Acquire(context.Background(), r)
			p.Release()
		}
	})
}

func TestAnUncontendedPassDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l := newLine(t, own(yes{}))
	r := &Request{Key: "k"}
	var seen time.Time
	n := testing.AllocsPerRun(1000, func() {
		p, err := l.Acquire(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p.Update(func(now time.Time, own Limit) { seen = now })
		p.Release()
	})
	assert.Zero(t, n)
	assert.False(t, seen.IsZero())
}
