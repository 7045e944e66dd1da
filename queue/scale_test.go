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

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

// closedLimit admits no request until it is opened, and then n requests.
type closedLimit struct {
	limit.NoHooks

	n int
}

func (g *closedLimit) Ask(time.Time, limit.Demand) limit.Decision {
	return limit.Decision{Unknown: g.n == 0}
}
func (g *closedLimit) Take(time.Time, limit.Demand) { g.n-- }

// waitQueueOf fills a queue with n waiting tickets of the given number of keys, without goroutines.
func waitQueueOf(tb testing.TB, l *Queue, n, keys int) []*ticket {
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
func joinLine(l *Queue, r *Request) *ticket {
	id := l.match(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	t := l.ticket(l.key(r.Key, now), l.classOf(id), r)
	l.seq++
	t.seq, t.level, t.state = l.seq, r.level(), waiting
	t.demand, t.arrived, t.deadline = r.demand(), l.since(now), never
	l.join(t)
	l.dispatch(now)
	l.judge(t, now)
	return t
}

// BenchmarkCrowd measures the cost of each step in a queue of 100,000 requests: joining it, sending the
// next request, and giving up. It does not count what brings the queue back to 100,000.
func BenchmarkCrowd(b *testing.B) {
	const n, batch = 100_000, 1000
	for _, keys := range []int{1, 100, n} {
		for _, shared := range []bool{false, true} {
			name := fmt.Sprintf("keys=%d/shared=%v", keys, shared)
			b.Run(name+"/enqueue", func(b *testing.B) {
				c := newCrowded(b, n, keys, shared)
				added := make([]*ticket, 0, batch)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if len(added) == batch {
						b.StopTimer()
						for _, t := range added {
							c.cancel(t)
						}
						added = added[:0]
						b.StartTimer()
					}
					added = append(added, joinLine(c.line, c.requests[i%keys]))
				}
			})
			b.Run(name+"/dispatch", func(b *testing.B) {
				c := newCrowded(b, n, keys, shared)
				gone := 0
				b.ReportAllocs()
				for b.Loop() {
					if gone == batch {
						b.StopTimer()
						c.refill(gone)
						gone = 0
						b.StartTimer()
					}
					c.dispatch(b, c.oldest(gone))
					gone++
				}
			})
			b.Run(name+"/cancel", func(b *testing.B) {
				c := newCrowded(b, n, keys, shared)
				gone := 0
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if gone == batch {
						b.StopTimer()
						for ; gone > 0; gone-- {
							at := (i - gone) * 7919 % n
							c.tickets[at] = joinLine(c.line, c.requests[at%keys])
						}
						b.StartTimer()
					}
					c.cancel(c.tickets[i*7919%n]) // from anywhere in the queue
					gone++
				}
			})
		}
	}
}

// busy is a queue in which many wait.
type crowded struct {
	line     *Queue
	limit    *closedLimit
	requests []*Request
	tickets  []*ticket // a ring, of which first is the oldest
	first    int
	shared   bool
}

func newCrowded(b *testing.B, n, keys int, shared bool) *crowded {
	c := &crowded{limit: &closedLimit{}, shared: shared}
	option := own(c.limit)
	if shared {
		option = WithRule(Rule{Scope: Global, New: func() limit.Limiter { return c.limit }})
	}
	c.line = newLine(b, option, WithMaxWaiting(10*n, RefuseNewest), WithMaxKeys(10*n))
	c.tickets = waitQueueOf(b, c.line, n, keys)
	for _, t := range c.tickets[:keys] {
		c.requests = append(c.requests, t.r)
	}
	return c
}

func (c *crowded) oldest(i int) *ticket { return c.tickets[(c.first+i)%len(c.tickets)] }

// dispatch sends the oldest ticket, t, and releases its permit.
func (c *crowded) dispatch(b *testing.B, t *ticket) {
	c.line.mu.Lock()
	c.limit.n = 1
	if c.shared {
		c.line.markDirty(c.line.alarms[0])
	} else {
		c.line.markDirty(&t.key.bucket.limiter)
	}
	c.line.dispatch(time.Now())
	c.line.mu.Unlock()
	if t.state != granted {
		b.Fatal("not the oldest went")
	}
	Permit{t, t.gen}.Release()
}

// refill replaces the n oldest, which went.
func (c *crowded) refill(n int) {
	for ; n > 0; n-- {
		c.tickets[c.first] = joinLine(c.line, c.requests[c.first%len(c.requests)])
		c.first = (c.first + 1) % len(c.tickets)
	}
}

func (c *crowded) cancel(t *ticket) {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	c.line.drop(t)
	c.line.recycle(t)
	c.line.dispatch(time.Now())
}

func TestAWaitingRequestIsSmall(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector needs more")
	}
	const n = 100_000
	for _, keys := range []int{1, 1000} {
		l := newLine(t, own(&closedLimit{}), WithMaxWaiting(n, RefuseNewest))
		before := heapSize()
		tickets := waitQueueOf(t, l, n, keys)
		for _, x := range tickets {
			x.wake = make(chan struct{}, 1)
		}
		each := float64(heapSize()-before) / n
		t.Logf("%d keys: %.0f bytes a waiting request", keys, each)
		assert.Less(t, each, 400.)
		runtime.KeepAlive(tickets)
	}
}

// BenchmarkKeys measures the cost of a pass among many active keys.
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

// Real goroutines in real time, for the race detector: each request gets one outcome.
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
					p.Settle(func(time.Time, limit.Limiter) {})
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
