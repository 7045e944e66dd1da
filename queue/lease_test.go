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

// lender is a Limit that lends. It agrees while fewer than room are under way.
type lender struct {
	room, lends int
	lasts       time.Duration
	strict      bool // keeps to no loan

	taken, went, over, returned int
	lent                        bool
}

func (l *lender) flying() int { return l.taken + l.went - l.over }

func (l *lender) Ask(time.Time, *Request) Answer {
	return Answer{Name: "lender", Unknown: l.flying() >= l.room}
}
func (l *lender) Take(time.Time, *Request)   { l.taken++ }
func (l *lender) Return(time.Time, *Request) { l.taken--; l.returned++ }
func (l *lender) Idle(time.Time) bool        { return true }

func (l *lender) Lend(now time.Time, _ *Request) (int, time.Time) {
	l.lent = true
	return l.lends, now.Add(l.lasts)
}
func (l *lender) Keep(time.Time, int) bool { return !l.strict }
func (l *lender) Repay(_ time.Time, went, over int) {
	l.went += went
	l.over += over
}

func newLender() *lender { return &lender{room: 1000, lends: 5, lasts: time.Second} }

// settled is the news that a request is over.
func settled(_ time.Time, own Limit) { own.(*lender).over++ }

var anyone = &Request{Key: "a"}

func TestALeaseLetsSomeGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLender()
		l := newLine(t, own(limit))
		s := l.Lend(anyone)
		require.NotNil(t, s)
		for n := 5; n > 0; n-- {
			assert.Equal(t, n, s.Left())
			require.True(t, s.Take())
		}
		require.False(t, s.Take())
		require.False(t, s.Take())
		assert.Zero(t, s.Left())
		assert.Zero(t, limit.went, "the limit does not hear of it at once")
		assert.Equal(t, 5, l.Stats().InFlight)
		assert.Equal(t, 5, limit.went)

		require.True(t, s.Done())
		assert.Equal(t, 4, l.KeyStats("a").InFlight)
		require.True(t, s.Done())
		l.Each(func(_ string, _ Limit, holds Stats) { assert.Equal(t, 3, holds.InFlight) })
		s.Settle(settled)
		assert.Equal(t, 3, limit.over)
		s.Settle(nil)
		require.True(t, s.Done())
		assert.Zero(t, l.Stats().InFlight)
		assert.Equal(t, 4, limit.over)
		assert.Equal(t, 5, limit.went)
	})
}

func TestALeaseEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := newLender()
		l := newLine(t, own(limit))
		first := l.Lend(anyone)
		require.True(t, first.Take())
		time.Sleep(800 * time.Millisecond)
		second := l.Lend(anyone) // lasts longer than the first, for whom the timer was set
		require.False(t, first.Take(), "there is one at a time")
		time.Sleep(999 * time.Millisecond)
		require.True(t, second.Take())
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		require.False(t, second.Take())
		assert.Equal(t, 2, limit.went)
		require.True(t, first.Done())
		require.True(t, second.Done())
		assert.Zero(t, l.Stats().InFlight)
		third := l.Lend(anyone)
		time.Sleep(time.Second + 1)
		synctest.Wait()
		require.False(t, third.Take())

		l.Lend(anyone)
		limit.lasts = time.Millisecond
		last := l.Lend(anyone) // lasts for less long than the one before
		time.Sleep(time.Millisecond + 1)
		synctest.Wait()
		require.False(t, last.Take())
	})
}

// Whoever asks meanwhile goes beside the lease, if the limit agrees to that.
func TestALeaseBesideOthers(t *testing.T) {
	limit := newLender()
	l := newLine(t, own(limit))
	s := l.Lend(anyone)
	require.True(t, s.Take())
	p, err := l.Acquire(t.Context(), anyone)
	require.NoError(t, err)
	assert.Equal(t, 1, limit.went, "it knows of all when it is asked")
	require.True(t, s.Take())
	p.Settle(settled)
	assert.Equal(t, 2, limit.went, "and when it hears news")
	require.True(t, s.Take())

	limit.strict = true
	p, err = l.Acquire(t.Context(), anyone)
	require.NoError(t, err)
	assert.Equal(t, 3, limit.went)
	require.False(t, s.Take())
	p.Release()
}

func TestALeaseEndsWithNews(t *testing.T) {
	for name, news := range map[string]func(l *Line, limit *lender, s *Lease){
		"that it is no good": func(l *Line, limit *lender, _ *Lease) {
			l.Update("a", func(time.Time, Limit) { limit.strict = true })
		},
		"of one of its own": func(_ *Line, _ *lender, s *Lease) { s.Settle(settled) },
		"of a costly one": func(l *Line, _ *lender, _ *Lease) {
			_, err := l.Acquire(context.Background(), &Request{Key: "a", Cost: 2})
			require.NoError(t, err)
		},
		"of one who waits": func(l *Line, limit *lender, _ *Lease) {
			limit.room = 0
			_, err := l.Acquire(context.Background(), &Request{Key: "a", NoWait: true})
			require.ErrorIs(t, err, ErrNoWait)
		},
		"of the end": func(l *Line, _ *lender, _ *Lease) { l.Close() },
		"of the end coming": func(l *Line, _ *lender, _ *Lease) {
			go func() { _ = l.Shutdown(context.Background()) }()
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := newLender()
				l := newLine(t, own(limit))
				s := l.Lend(anyone)
				require.True(t, s.Take())
				news(l, limit, s)
				require.False(t, s.Take())
				assert.Equal(t, 1, limit.went)
				l.Close()
				synctest.Wait()
			})
		})
	}
}

func TestNothingToLend(t *testing.T) {
	for name, opts := range map[string][]Option{
		"no limit":     {},
		"no lender":    {own(yes{})},
		"rules":        {own(newLender()), WithRule(Rule{Pattern: "/rare", Limits: []Quota{PerHour(1)}})},
		"a bound":      {own(newLender()), WithRule(Rule{MaxInFlight: 3})},
		"nothing":      {own(&lender{lasts: time.Second})},
		"for no time":  {own(&lender{lends: 5})},
		"all listened": {WithKeyLimit(func(string) Limit { return observing{newLender()} })},
	} {
		l := newLine(t, opts...)
		assert.Nil(t, l.Lend(anyone), name)
	}
	synctest.Test(t, func(t *testing.T) {
		limit := newLender()
		limit.room = 0
		l := newLine(t, own(limit))
		enqueue(t.Context(), l, anyone)
		assert.Nil(t, l.Lend(anyone), "somebody waits")
		assert.NotNil(t, l.Lend(&Request{Key: "b"}))
		l.Close()
		assert.Nil(t, l.Lend(&Request{Key: "b"}), "closed")
		assert.True(t, limit.lent)
	})
}

// observing is a lender that wants to hear of every request.
type observing struct{ *lender }

func (observing) Observe(_, _ time.Time) {}

// Whoever waits until another request is over hears of those that went with a lease.
func TestWhoWaitsHearsOfALease(t *testing.T) {
	for name, end := range map[string]func(s *Lease){
		"settled": func(s *Lease) {
			require.False(t, s.Done(), "all that can be known is of use")
			s.Settle(settled)
		},
		"without news": func(s *Lease) {
			s.Settle(nil)
			s.line.Update("a", settled)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := newLender()
				limit.room = 1
				l := newLine(t, own(limit))
				s := l.Lend(anyone)
				require.True(t, s.Take())
				waits := enqueue(t.Context(), l, anyone)
				require.False(t, waits.done())
				end(s)
				synctest.Wait()
				require.NoError(t, waits.get(t).err)
				waits.get(t).permit.Settle(settled)
				s = l.Lend(anyone)
				require.True(t, s.Take())
				require.True(t, s.Done(), "nobody waits any more")
			})
		})
	}
}

// A request that is over in the instant in which somebody begins to wait may have seen
// nobody.
func TestWhoWaitsHearsOfALeaseThatJustEnded(t *testing.T) {
	for range 5000 {
		limit := newLender()
		limit.room = 1
		l := newLine(t, own(limit))
		s := l.Lend(anyone)
		require.True(t, s.Take())
		var both sync.WaitGroup
		both.Go(func() {
			if !s.Done() {
				s.Settle(settled)
			}
		})
		both.Go(func() {
			p, err := l.Acquire(t.Context(), anyone)
			assert.NoError(t, err)
			p.Release()
		})
		both.Wait()
	}
}

func TestShutdownWaitsForLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, own(newLender()))
		s := l.Lend(anyone)
		require.True(t, s.Take())
		require.True(t, s.Take())
		var over atomic.Bool
		go func() {
			assert.NoError(t, l.Shutdown(context.Background()))
			over.Store(true)
		}()
		synctest.Wait()
		require.False(t, s.Done(), "it wants to know")
		s.Settle(settled)
		synctest.Wait()
		require.False(t, over.Load())
		s.Settle(settled)
		synctest.Wait()
		require.True(t, over.Load())
	})
}

func TestKeysWithALeaseAreKept(t *testing.T) {
	limit := newLender()
	limit.lasts = time.Hour
	l := newLine(t, own(limit), WithMaxKeys(1))
	s := l.Lend(anyone)
	l.Update("b", nil)
	assert.Equal(t, 2, l.Stats().Keys)
	require.True(t, s.Take())
	s.Settle(settled) // ends the lease
	l.Update("c", nil)
	assert.Zero(t, l.KeyStats("a").Keys)
}

// However requests with and without leases come, each is counted once.
func TestLeasesUnderLoad(t *testing.T) {
	limit := newLender()
	limit.lends, limit.lasts = 16, 200*time.Microsecond
	l := newLine(t, own(limit))
	var current atomic.Pointer[Lease]
	var borrowed, asked, told atomic.Int64
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for range 5000 {
				if s := current.Load(); s != nil && s.Take() {
					borrowed.Add(1)
					if random.IntN(20) > 0 && s.Done() {
						continue
					}
					told.Add(1)
					s.Settle(settled)
					continue
				}
				p, err := l.Acquire(t.Context(), anyone)
				if !assert.NoError(t, err) {
					return
				}
				asked.Add(1)
				p.Settle(settled)
				if s := l.Lend(anyone); s != nil {
					current.Store(s)
				}
			}
		})
	}
	callers.Wait()
	assert.Zero(t, l.Stats().InFlight)
	assert.EqualValues(t, borrowed.Load(), limit.went)
	assert.EqualValues(t, asked.Load(), limit.taken)
	assert.Equal(t, 8*5000, limit.over)
	assert.Greater(t, borrowed.Load(), asked.Load(), "most go with a lease")
	assert.Empty(t, l.loansOut())
}

func (l *Line) loansOut() map[*loan]struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	for o := range l.loans {
		l.recall(l.now(), o.key)
	}
	return l.loans
}

// BenchmarkLease is what a request costs that goes with a lease, and a new lease for each 64
// of them.
func BenchmarkLease(b *testing.B) {
	limit := newLender()
	limit.lends, limit.room = 64, 1<<60
	l := newLine(b, own(limit))
	s := l.Lend(anyone)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Take() {
			s = l.Lend(anyone)
			continue
		}
		s.Done()
	}
}
