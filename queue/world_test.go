package queue

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (w *world) checkError(a *asked, out *outcome) {
	end := a.came.Add(out.took)
	var cost *CostError
	var wait *WaitError
	switch {
	case errors.As(out.err, &cost):
		assert.Greater(w.t, a.r.cost(), 1)
	case errors.Is(out.err, ErrClosed):
		assert.True(w.t, w.closed)
	case errors.Is(out.err, ErrFull):
		assert.NotEqual(w.t, Block, w.overflow)
		assert.Zero(w.t, out.took)
	case errors.Is(out.err, ErrDropped):
		assert.Equal(w.t, DropOldest, w.overflow)
	case errors.Is(out.err, ErrNoWait):
		assert.True(w.t, a.r.NoWait)
		assert.Zero(w.t, out.took)
	case errors.Is(out.err, context.Canceled):
		assert.True(w.t, a.gaveUp)
	case errors.Is(out.err, ErrMaxWait), errors.Is(out.err, context.DeadlineExceeded):
		require.False(w.t, a.limit.IsZero())
		assert.False(w.t, end.After(a.limit), "turned away after the deadline")
		if errors.As(out.err, &wait) && !wait.Until.IsZero() {
			useful := a.limit
			if a.r.MaxWait == 0 { // the response has to come by then
				useful = useful.Add(-min(w.longest, a.limit.Sub(a.came)/2))
			}
			assert.True(w.t, wait.Until.After(useful), "turned away although it could go in time")
		}
	default:
		w.t.Errorf("unexpected error: %v", out.err)
	}
}

// checkOrder checks that no earlier request of the same key, bucket and priority still waits, unless a
// went ahead as a retry, is subject to other limits, or the other waits in vain.
func (w *world) checkOrder(a *asked) {
	for _, b := range w.asked {
		same := b.r.Key == a.r.Key && b.r.Bucket == a.r.Bucket && b.r.Priority == a.r.Priority && b.r.Host == a.r.Host && b.r.Path == a.r.Path
		if same && b.id < a.id && w.waits(b) && b.res.out.Load() == nil && (!a.r.Retry || b.r.Retry) && !w.inVain(b) {
			w.t.Fatalf("request %d went before %d", a.id, b.id)
		}
	}
}

// inVain reports whether a waits in vain, as far as is known.
func (w *world) inVain(a *asked) bool {
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	return slices.ContainsFunc(w.line.inVain, func(t *ticket) bool { return t.r == a.r })
}

// spent returns the cost of the requests like r that were granted in the last d.
func (w *world) spent(d time.Duration, like func(*asked) bool) (n int) {
	since := time.Now().Add(-d)
	for _, a := range w.asked {
		if !a.granted.IsZero() && a.granted.After(since) && like(a) {
			n += a.r.cost()
		}
	}
	return n
}

func (w *world) inFlight(like func(*asked) bool) (n int) {
	for _, a := range w.asked {
		if a.held && like(a) {
			n++
		}
	}
	return n
}

// room returns how much is left of each limit that applies to a.
func (w *world) room(a *asked) map[string]int {
	key := func(b *asked) bool { return b.r.Key == a.r.Key }
	host := func(b *asked) bool { return b.r.Host == a.r.Host }
	slow := func(b *asked) bool { return b.r.Path == "/slow" }
	all := func(*asked) bool { return true }
	m := map[string]int{
		"key":        w.perKey - w.spent(time.Second, key),
		"host":       w.perHost - w.spent(10*time.Second, host),
		"key flight": w.keyFlight - w.inFlight(key),
		"all flight": w.allFlight - w.inFlight(all),
	}
	if slow(a) {
		m["slow"] = w.global - w.spent(time.Second, slow)
	}
	return m
}

// checkLimits checks that no limit was exceeded. Only requests granted now can have done so.
func (w *world) checkLimits() {
	for _, a := range w.asked {
		if a.held && a.granted.Equal(time.Now()) {
			for name, left := range w.room(a) {
				require.GreaterOrEqual(w.t, left, 0, "limit %s exceeded", name)
			}
		}
	}
}

// checkNobodyWaitsForNothing checks that each waiting request is held by a limit or, where costs differ,
// by another request.
func (w *world) checkNobodyWaitsForNothing() {
	n := 0
	for _, a := range w.asked {
		if w.waits(a) {
			n++
		}
	}
	require.True(w.t, w.overflow == Block || n <= w.full, "%d wait where %d may", n, w.full)
	if w.costs || n > w.full {
		return // some are stopped by others
	}
	for _, a := range w.asked {
		if !w.waits(a) {
			continue
		}
		least := 1
		for _, left := range w.room(a) {
			least = min(least, left)
		}
		require.LessOrEqual(w.t, least, 0, "request %d waits for nothing", a.id)
	}
}

// checkEmpty checks that a queue has no waiting requests and no keys in use.
func checkEmpty(t *testing.T, l *Queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	assert.Zero(t, l.waiting)
	assert.Zero(t, l.flying)
	assert.Empty(t, l.alarms)
	assert.Empty(t, l.deadlines)
	assert.Empty(t, l.inVain)
	assert.Zero(t, l.overflowed.len())
	for _, k := range l.keys {
		assert.Zero(t, k.waiting)
		assert.Zero(t, k.flying)
		assert.Nil(t, k.bucket)
		assert.False(t, k.several())
		for _, g := range k.limiters {
			if g != nil {
				assert.Nil(t, g.waiting)
				assert.Nil(t, g.share)
				assert.True(t, g.flight() == nil || g.flight().now == 0)
			}
		}
	}
	for _, c := range l.classes {
		assert.Zero(t, c.users)
		assert.Zero(t, c.ready)
		for i := range c.entries {
			assert.Zero(t, c.entries[i].ready.n)
			assert.Nil(t, c.entries[i].parked)
		}
		assert.Empty(t, c.account)
	}
	for _, g := range l.shared {
		assert.Nil(t, g.waiting)
		assert.Nil(t, g.share)
		assert.True(t, g.flight() == nil || g.flight().now == 0)
	}
	for i := range l.arrivals {
		assert.Nil(t, l.arrivals[i].oldest)
	}
}
