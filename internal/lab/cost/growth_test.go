package cost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// BenchmarkKeys is a request of one of so many keys, each of which has a limit that
// was learned.
func BenchmarkKeys(b *testing.B) {
	for _, n := range []int{1, 100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("Bearer tenant %d", i)
			}
			before := memory()
			rt, err := client.NewTransport(newNoop())
			require.NoError(b, err)
			defer rt.Close()
			req := newRequest(b, "https://api.test/items", "")
			values := req.Header["Authorization"]
			for _, name := range names {
				values[0] = name
				exchange(b, rt, req)
			}
			held := memory() - before
			rng := rand.New(rand.NewPCG(1, 1))
			b.ReportAllocs()
			for b.Loop() {
				values[0] = names[rng.IntN(n)]
				exchange(b, rt, req)
			}
			b.ReportMetric(float64(held)/float64(n), "B/key")
		})
	}
}

// BenchmarkWaiters is the memory of a request that waits, its goroutine included. Where
// few wait in one client, there are several clients. An operation is a request that is
// turned away at once, as it must not wait; where a client knows no such thing there is
// none.
func BenchmarkWaiters(b *testing.B) {
	for _, name := range []string{"x/time/rate, burst 1", "go-retryablehttp", peer.Forbear} {
		for _, n := range []int{1, 100, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { waiters(b, name, n, max(1, 1000/n)) })
		}
	}
}

func waiters(b *testing.B, name string, n, clients int) {
	c, ok := peer.Named(name)
	require.True(b, ok)
	req := newRequest(b, "https://api.test/items", "secret")
	all := make([]http.RoundTripper, clients)
	for i := range all {
		// One request is let go at first, and no other for an hour.
		rt, err := c.New(peer.Setting{Base: refusing{}, Rate: peer.Rate{Limit: 1, Per: 3600e9}})
		require.NoError(b, err)
		spend(rt, req, name == "go-retryablehttp")
		all[i] = rt
	}
	ctx, leave := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	before := memory()
	for _, rt := range all {
		for range n {
			waiting.Go(func() {
				if resp, err := rt.RoundTrip(req.WithContext(ctx)); err == nil {
					resp.Body.Close()
				}
			})
		}
	}
	wait(n * clients)
	held := memory() - before
	if name == peer.Forbear {
		turned := req.WithContext(client.NoWait(context.Background()))
		b.ReportAllocs()
		for b.Loop() {
			_, err := all[0].RoundTrip(turned)
			if err == nil {
				b.Fatal("a request went that had to wait")
			}
		}
	} else {
		for b.Loop() { // nothing to measure but memory
		}
		b.ReportMetric(0, "ns/op") // leaves it out
	}
	b.ReportMetric(float64(held)/float64(n*clients), "B/waiter")
	leave()
	waiting.Wait()
}

// spend spends what a client may send at once. A client that would wait for the
// refusal of its request gets none but one that is cancelled.
func spend(rt http.RoundTripper, req *http.Request, waits bool) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	contexts := []context.Context{client.NoWait(cancelled)}
	if !waits {
		contexts = append(contexts, client.NoRetry(context.Background()))
	}
	for _, ctx := range contexts {
		if resp, err := rt.RoundTrip(req.WithContext(ctx)); err == nil {
			resp.Body.Close()
		}
	}
}

// BenchmarkHandover is the way from the end of one request to the start of the next,
// while so many wait for a limit of one at a time.
func BenchmarkHandover(b *testing.B) {
	for _, n := range []int{1, 100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			gate := gated{arrived: make(chan struct{}), next: make(chan struct{}), base: newNoop()}
			rt, err := client.NewTransport(gate, client.WithMaxWait(0), client.WithRule(queue.Rule{Name: "one", MaxInFlight: 1}))
			require.NoError(b, err)
			ctx, leave := context.WithCancel(context.Background())
			req := newRequest(b, "https://api.test/items", "secret").WithContext(ctx)
			var all sync.WaitGroup
			for range n + 1 {
				all.Go(func() {
					for ctx.Err() == nil {
						if resp, err := rt.RoundTrip(req); err == nil {
							resp.Body.Close()
						}
					}
				})
			}
			wait(n + 1)
			<-gate.arrived
			b.ReportAllocs()
			for b.Loop() {
				gate.next <- struct{}{}
				<-gate.arrived
			}
			leave()
			close(gate.next)
			go func() {
				for range gate.arrived { // whoever was let go meanwhile
				}
			}()
			all.Wait()
			close(gate.arrived)
		})
	}
}

// gated holds each request until it is told to answer it.
type gated struct {
	arrived, next chan struct{}
	base          http.RoundTripper
}

func (t gated) RoundTrip(req *http.Request) (*http.Response, error) {
	t.arrived <- struct{}{}
	<-t.next
	return t.base.RoundTrip(req)
}
