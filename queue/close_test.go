package queue

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCloseTurnsEverybodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := &spaced{gap: time.Second}
		l := newLine(t, own(pace))
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
		pace := &spaced{gap: time.Second}
		l := newLine(t, own(pace))
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
		pass(5 * time.Second)
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
