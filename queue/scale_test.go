package queue

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gateLimit refuses everybody until it is opened, and then lets n go.
type gateLimit struct{ n int }

func (g *gateLimit) Ask(time.Time, *Request) Answer { return Answer{Unknown: g.n == 0} }
func (g *gateLimit) Take(time.Time, *Request)       { g.n-- }

// crowdOf fills a line with n waiting tickets of so many keys, without goroutines.
func crowdOf(tb testing.TB, l *Line, n, keys int) []*ticket {
	tickets := make([]*ticket, n)
	requests := make([]*Request, keys)
	for i := range requests {
		requests[i] = &Request{Key: fmt.Sprint("key", i), MaxWait: time.Hour}
	}
	for i := range tickets {
		tickets[i] = joinLine(l, requests[i%keys])
	}
	return tickets
}

// joinLine does what Acquire does until it blocks.
func joinLine(l *Line, r *Request) *ticket {
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	t := l.ticket(l.key(r.Key, now), l.classOf(id), r)
	l.seq++
	t.seq, t.level, t.state = l.seq, r.level(), waiting
	t.setDeadline(context.Background(), now)
	l.join(t)
	l.settle(now)
	l.judge(t, now)
	return t
}

// BenchmarkCrowd is the cost of each step in a line with 100,000 waiting.
func BenchmarkCrowd(b *testing.B) {
	const n = 100_000
	for _, keys := range []int{1, 100, n} {
		for _, shared := range []bool{false, true} {
			name := fmt.Sprintf("keys=%d/shared=%v", keys, shared)
			limit := &gateLimit{}
			option := own(limit)
			if shared {
				option = WithRule(Rule{Scope: Global, New: func() Limit { return limit }})
			}
			setup := func(b *testing.B) (*Line, []*ticket) {
				l := newLine(b, option, WithMaxWaiting(10*n, RefuseNewest), WithMaxKeys(10*n))
				limit.n = 0
				return l, crowdOf(b, l, n, keys)
			}
			b.Run(name+"/enqueue+cancel", func(b *testing.B) {
				l, _ := setup(b)
				r := &Request{Key: "key0", MaxWait: time.Minute}
				b.ReportAllocs()
				for b.Loop() {
					t := joinLine(l, r)
					l.mu.Lock()
					l.drop(t)
					l.recycle(t)
					l.settle(time.Now())
					l.mu.Unlock()
				}
			})
			b.Run(name+"/enqueue+dispatch", func(b *testing.B) {
				l, tickets := setup(b)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					// The oldest goes: requests were made in turn, key by key.
					l.mu.Lock()
					limit.n = 1
					if shared {
						l.stir(l.alarms[0])
					} else {
						l.stir(&tickets[i].key.lane.gate)
					}
					l.settle(time.Now())
					l.mu.Unlock()
					if tickets[i].state != granted {
						b.Fatal("not the oldest went")
					}
					r := tickets[i].r
					Permit{tickets[i], tickets[i].gen}.Release()
					tickets[i] = joinLine(l, r)
					i = (i + 1) % n
				}
			})
		}
	}
}

func TestAWaitingRequestIsSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs more")
	}
	const n = 100_000
	for _, keys := range []int{1, 1000} {
		l := newLine(t, own(&gateLimit{}), WithMaxWaiting(n, RefuseNewest))
		before := heapSize()
		tickets := crowdOf(t, l, n, keys)
		for _, x := range tickets {
			x.wake = make(chan struct{}, 1)
		}
		each := float64(heapSize()-before) / n
		t.Logf("%d keys: %.0f bytes a waiting request", keys, each)
		assert.Less(t, each, 400.)
		runtime.KeepAlive(tickets)
	}
}

// BenchmarkKeys is the cost of a pass among many active keys.
func BenchmarkKeys(b *testing.B) {
	for _, keys := range []int{10, 10_000} {
		for name, option := range map[string]Option{"own": own(yes{}), "rule": WithRule(Rule{Limits: []Quota{PerHour(1 << 30).Slack(0)}})} {
			b.Run(fmt.Sprintf("%s/%d", name, keys), func(b *testing.B) {
				l := newLine(b, option)
				requests := make([]*Request, keys)
				for i := range requests {
					requests[i] = &Request{Key: fmt.Sprint("account ", i)}
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					p, err := l.Acquire(context.Background(), requests[i])
					if err != nil {
						b.Fatal(err)
					}
					p.Release()
					if i++; i == keys {
						i = 0
					}
				}
			})
		}
	}
}

// Real goroutines on real time, for the race detector: everybody gets one outcome.
func TestManyCallersAtOnce(t *testing.T) {
	l := newLine(t, own(yes{}), WithMaxWaiting(50, DropOldest),
		WithRule(Rule{Scope: Global, MaxInFlight: 4}), WithRule(Rule{MaxInFlight: 2}))
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes, inFlight, most := 0, 0, 0
	const callers, each = 64, 100
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 == 0 {
					go cancel()
				}
				p, err := l.Acquire(ctx, &Request{Key: fmt.Sprint(c % 5), Priority: Priority(i%5 - 2)})
				mu.Lock()
				outcomes++
				if err == nil {
					inFlight++
					most = max(most, inFlight)
				}
				mu.Unlock()
				if err == nil {
					runtime.Gosched()
					mu.Lock()
					inFlight--
					mu.Unlock()
					p.Settle(func(time.Time, Limit) {})
				}
				cancel()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, callers*each, outcomes)
	assert.LessOrEqual(t, most, 4)
	require.NoError(t, l.Shutdown(t.Context()))
	assert.Zero(t, l.waiting)
	assert.Zero(t, l.flying)
}
