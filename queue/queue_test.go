package queue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

func TestRequestsOfAKeyGoInTheOrderOfTheirArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{gap: time.Second}
		l := newLine(t, own(pace))
		var all []*result
		for i := range 5 {
			all = append(all, enqueue(t.Context(), l, &Request{Key: "k", Tag: fmt.Sprint(i)}))
		}
		retry := enqueue(t.Context(), l, &Request{Key: "k", Retry: true, Tag: "retry"})
		high := enqueue(t.Context(), l, &Request{Key: "k", Priority: High, Tag: "high"})
		inTurn := enqueue(t.Context(), l, &Request{Key: "k", Retry: true, InTurn: true, Tag: "in turn"})
		pass(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"0", "high", "retry", "1", "2", "3", "4", "in turn"}, pace.takes)
		assert.Equal(t, 7*time.Second, inTurn.get(t).took)
		for i, r := range all[1:] {
			require.NoError(t, r.get(t).err)
			assert.Equal(t, time.Duration(i+3)*time.Second, r.get(t).took)
		}
		assert.Equal(t, time.Second, high.get(t).took)
		assert.Equal(t, 2*time.Second, retry.get(t).took)
	})
}

func TestBucketsDoNotWaitBehindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := bucketLimit{opens: map[string]time.Time{"slow": time.Now().Add(time.Hour)}}
		l := newLine(t, own(slow))
		a := enqueue(t.Context(), l, &Request{Key: "k", Bucket: "slow", Tag: "slow"})
		b := enqueue(t.Context(), l, &Request{Key: "k", Bucket: "fast"})
		assert.False(t, a.done())
		assert.True(t, b.done())
		pass(time.Hour)
		synctest.Wait()
		assert.Equal(t, time.Hour, a.get(t).took)
	})
}

type bucketLimit struct {
	limit.NoHooks

	opens map[string]time.Time // by the tag of the request
}

func (m bucketLimit) Ask(now time.Time, d limit.Demand) limit.Decision {
	return limit.Decision{At: m.opens[fmt.Sprint(d.Tag)]}
}
func (bucketLimit) Take(time.Time, limit.Demand) {}

func TestNewsPlansTheKeyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{unknown: true}
		l := newLine(t, own(pace))
		pace.unknown = false
		first := enqueue(t.Context(), l, &Request{Key: "k"})
		require.True(t, first.done())
		pace.unknown = true
		second := enqueue(t.Context(), l, &Request{Key: "k"})
		third := enqueue(t.Context(), l, &Request{Key: "k"})
		pass(time.Hour)
		assert.False(t, second.done())

		first.get(t).permit.Update(func(now time.Time, own limit.Limiter) {
			assert.Same(t, pace, own)
			pace.unknown, pace.gap, pace.next = false, time.Minute, now.Add(time.Minute)
		})
		pass(10 * time.Minute)
		synctest.Wait()
		assert.Equal(t, time.Hour+time.Minute, second.get(t).took)
		assert.Equal(t, time.Hour+2*time.Minute, third.get(t).took)

		pace.next = time.Now().Add(time.Hour)
		fourth := enqueue(t.Context(), l, &Request{Key: "k"})
		l.Update("k", func(now time.Time, own limit.Limiter) { pace.next = now })
		synctest.Wait()
		assert.True(t, fourth.done())
	})
}

func TestReleaseAsksAgainWhereNoTimeWasKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{}
		l := newLine(t, own(pace))
		p, err := l.Acquire(t.Context(), &Request{Key: "k"})
		require.NoError(t, err)
		pace.unknown = true
		second := enqueue(t.Context(), l, &Request{Key: "k"})
		pace.unknown = false
		p.Release()
		synctest.Wait()
		assert.True(t, second.done())
	})
}

func TestACancelledRequestLeavesAtOnceAndSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{gap: time.Second}
		l := newLine(t, own(pace))
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
		pass(time.Second)
		synctest.Wait()
		assert.Equal(t, time.Second, next.get(t).took)
		assert.Equal(t, []string{"0", "next"}, pace.takes)

		_, err := l.Acquire(ctx, &Request{Key: "k"})
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestAPermitGrantedWhileItsCallerGivesUpIsGivenBack(t *testing.T) {
	for _, cancelFirst := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			pace := &spaced{next: time.Now().Add(time.Second)}
			l := newLine(t, own(pace), WithRule(Rule{Name: "rate", Limits: exact(PerHour(2)), MaxInFlight: 1}))
			ctx, cancel := context.WithCancel(t.Context())
			res := enqueue(ctx, l, &Request{Key: "k"})
			// Both happen before the caller runs.
			l.mu.Lock()
			if cancelFirst {
				cancel()
			}
			pace.next = time.Time{}
			l.markDirty(&l.keys["k"].bucket.limiter)
			l.dispatch(time.Now())
			require.Equal(t, 1, l.flying)
			l.mu.Unlock()
			cancel()
			synctest.Wait()
			left := 2
			if cancelFirst {
				assert.ErrorIs(t, res.get(t).err, context.Canceled)
				assert.Equal(t, 1, pace.returns)
			} else {
				require.NoError(t, res.get(t).err)
				assert.Zero(t, pace.returns)
				res.get(t).permit.Release()
				left = 1
			}
			assert.Equal(t, Stats{Keys: 1}, l.Stats())
			for i := range 3 {
				p, err := l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
				assert.Equal(t, i < left, err == nil)
				p.Release()
			}
		})
	}
}

func TestWhoCannotGoInTimeIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{gap: time.Minute}
		l := newLine(t, own(pace))
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

		// A request with NoWait gets ErrNoWait, also if there are other reasons.
		for _, r := range []*Request{{Key: "k", NoWait: true, MaxWait: time.Millisecond}, {Key: "new", NoWait: true, MaxWait: time.Millisecond}} {
			both := enqueue(t.Context(), l, r)
			assert.ErrorIs(t, both.get(t).err, ErrNoWait)
			assert.NotErrorIs(t, both.get(t).err, ErrMaxWait)
			soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			both = enqueue(soon, l, &Request{Key: r.Key, NoWait: true})
			cancel()
			assert.ErrorIs(t, both.get(t).err, ErrNoWait)
			assert.NotErrorIs(t, both.get(t).err, context.DeadlineExceeded)
		}
		patient := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: time.Minute})
		assert.False(t, patient.done())
		behind := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 2 * time.Minute})
		assert.False(t, behind.done())
		free := enqueue(t.Context(), l, &Request{Key: "k"})

		// An update moves the time back: both requests with a deadline fail at once.
		l.Update("k", func(now time.Time, own limit.Limiter) { pace.next = now.Add(time.Hour) })
		synctest.Wait()
		for _, r := range []*result{patient, behind} {
			require.True(t, r.done())
			assert.Zero(t, r.get(t).took)
			assert.ErrorIs(t, r.get(t).err, ErrMaxWait)
			require.ErrorAs(t, r.get(t).err, &e)
			assert.Equal(t, time.Hour, e.Until.Sub(r.start))
		}
		assert.False(t, free.done())
		pass(time.Hour)
		synctest.Wait()
		assert.NoError(t, free.get(t).err)
	})
}

func TestADeadlineEndsTheWaitWhereNoTimeIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{unknown: true}
		l := newLine(t, own(pace), WithMaxWait(time.Minute))
		a := enqueue(t.Context(), l, &Request{Key: "k"})
		b := enqueue(t.Context(), l, &Request{Key: "k", MaxWait: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := enqueue(ctx, l, &Request{Key: "k"})
		pass(time.Hour)
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
	p.Update(func(time.Time, limit.Limiter) { t.Error("an old permit must do nothing") })
	assert.Equal(t, 1, l.flying)
	q.Release()
	assert.Equal(t, 0, l.flying)
	Permit{}.Release()
}

// A canceled permit leaves no trace: rates, places and the key's own limit are as before, and the
// queue reconsiders the requests that wait for them.
func TestAReturnedPermitSpentNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{}
		l := newLine(t, own(pace), WithRule(Rule{Name: "day", Limits: []Quota{PerDay(1)}, MaxInFlight: 1, Scope: Global}))
		permit, err := l.Acquire(t.Context(), &Request{Key: "a"})
		require.NoError(t, err)
		next := enqueue(t.Context(), l, &Request{Key: "b"})
		assert.False(t, next.done())
		permit.Cancel()
		synctest.Wait()
		assert.Equal(t, 1, pace.returns)
		got := next.get(t)
		require.NoError(t, got.err)
		assert.Zero(t, got.took)

		permit.Cancel() // an old copy
		permit.Release()
		assert.Equal(t, 1, l.Stats().InFlight)
		assert.Equal(t, 1, pace.returns)
		got.permit.Release()
		got.permit.Cancel() // too late
		_, err = l.Acquire(t.Context(), &Request{Key: "b", NoWait: true})
		assert.ErrorIs(t, err, ErrNoWait, "the day is spent")
		Permit{}.Cancel()
	})
}

func TestAPanicOfTheCallersOwnLeavesTheLineUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{next: time.Now().Add(time.Second)}
		l := newLine(t, own(pace))
		assert.PanicsWithValue(t, "boom", func() {
			_, _ = l.Acquire(t.Context(), &Request{Key: "k", OnWait: func(Waiting) { panic("boom") }})
		})
		assert.PanicsWithValue(t, "boom", func() {
			l.Update("k", func(time.Time, limit.Limiter) { panic("boom") })
		})
		assert.Equal(t, Stats{Keys: 1}, l.Stats())
		bad := newLine(t, WithKeyLimit(func(string) limit.Limiter { panic("boom") }))
		for range 2 {
			assert.PanicsWithValue(t, "boom", func() { _, _ = bad.Acquire(t.Context(), &Request{}) })
		}
		res := enqueue(t.Context(), l, &Request{Key: "k"})
		assert.Equal(t, Stats{Keys: 1, Waiting: 1}, l.Stats())
		pass(time.Second)
		synctest.Wait()
		assert.Equal(t, Stats{Keys: 1, InFlight: 1}, l.Stats())
		res.get(t).permit.Release()
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
