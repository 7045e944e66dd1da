package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// newPolicies is failsafe-go's retry policy, smooth rate limiter and bulkhead.
func newPolicies() (*http.Client, error) {
	policy, err := backoff.New(backoff.Exponential(100*time.Millisecond, 2), backoff.Cap(5*time.Second), backoff.Jitter(0.9, 1.1))
	if err != nil {
		return nil, err
	}
	return client.New(
		client.WithRetries(2),
		client.WithBackoff(policy),
		client.WithMaxWait(time.Minute),
		client.WithRule(queue.Rule{
			Name: "api", Scope: queue.Global,
			Limits:      []queue.Quota{queue.PerSecond(100).TokenBucket(1)},
			MaxInFlight: 10,
		}),
	)
}

func Example_fromFailsafe() {
	hc, err := newPolicies()
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop, asked := counting(http.StatusServiceUnavailable)
	defer stop()
	resp, err := hc.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, "after", asked(), "attempts")
	// Output: 200 OK after 2 attempts
}

// newBroken is failsafe-go's circuit breaker: open for 30 seconds when a third of at
// least six requests have failed within a minute.
func newBroken() (*http.Client, error) {
	perKey, err := breaker.PerKey(breaker.Config{
		Share: 1. / 3, MinRequests: 6, Window: time.Minute, Cooldown: 30 * time.Second, Probes: 1,
	})
	if err != nil {
		return nil, err
	}
	return client.New(client.WithBreaker(perKey), client.WithRetries(0))
}

func Example_fromCircuitBreaker() {
	hc, err := newBroken()
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop, asked := counting(500, 500, 500, 500, 500, 500)
	defer stop()
	for range 8 {
		resp, err := hc.Get(url)
		if err != nil {
			fmt.Println("open:", errors.Is(err, client.ErrCircuitOpen), asked(), "sent")
			continue
		}
		resp.Body.Close()
	}
	// Output:
	// open: true 6 sent
	// open: true 6 sent
}

// newLimiter is new Bottleneck({maxConcurrent: 5, minTime: 200, reservoir: 100,
// reservoirRefreshAmount: 100, reservoirRefreshInterval: 60_000, highWater: 1000,
// strategy: Bottleneck.strategy.OVERFLOW}).
func newLimiter() (*http.Client, error) {
	return client.New(
		client.WithRule(queue.Rule{
			Name: "limiter", Scope: queue.Global,
			MaxInFlight: 5,
			Limits:      []queue.Quota{queue.Every(200 * time.Millisecond), queue.PerMinute(100)},
		}),
		client.WithMaxWaiting(1000, queue.RefuseNewest),
	)
}

func Example_fromBottleneck() {
	hc, err := newLimiter()
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop, asked := counting()
	defer stop()
	began := time.Now()
	for range 2 {
		resp, err := hc.Get(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	fmt.Println(asked(), time.Since(began) >= 200*time.Millisecond)
	// Output: 2 true
}

// What is not HTTP is scheduled by a queue alone.
func Example_fromSchedule() {
	line, err := queue.New(queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerSecond(100)}, MaxInFlight: 5}))
	if err != nil {
		fmt.Println(err)
		return
	}
	var done atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := line.Do(context.Background(), "key", func(context.Context) error {
				done.Add(1)
				return nil
			})
			if err != nil {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
	fmt.Println(done.Load())
	if err := line.Shutdown(context.Background()); err != nil { // stop(): those who wait go first
		fmt.Println(err)
	}
	// Output: 50
}

// Priority, weight and expiration are said of one request, by its context.
func Example_fromJobOptions() {
	url, stop, _ := counting()
	defer stop()
	hc, err := client.New(client.WithRule(queue.Rule{Name: "points", Limits: []queue.Quota{queue.PerHour(10)}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ctx = client.WithPriority(ctx, queue.Highest)
	ctx = client.WithCost(ctx, 7)
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			fmt.Println("cannot go within 5 s:", errors.Is(err, context.DeadlineExceeded))
			return
		}
		fmt.Println(resp.Status)
		resp.Body.Close()
	}
	// Output:
	// 200 OK
	// cannot go within 5 s: true
}

// A reservoir is a limit that nothing refills but its owner. The queue calls it under its
// lock, and so does Update.
type reservoir struct {
	limit.NoHooks

	left int
}

func (r *reservoir) Ask(_ time.Time, d limit.Demand) limit.Decision {
	return limit.Decision{Unknown: r.left < d.Count(), Limit: "reservoir"}
}

func (r *reservoir) Take(_ time.Time, d limit.Demand) { r.left -= d.Count() }

func Example_fromReservoir() {
	budget := &reservoir{left: 2}
	t, err := client.NewTransport(nil, client.WithRule(queue.Rule{
		Name: "reservoir", Scope: queue.Global, New: func() limit.Limiter { return budget },
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop, asked := counting()
	defer stop()
	time.AfterFunc(20*time.Millisecond, func() {
		t.Queue().Update("", func(time.Time, limit.Limiter) { budget.left += 2 }) // incrementReservoir(2)
		t.Queue().Replan()                                                        // for those of other keys
	})
	hc := &http.Client{Transport: t}
	for range 4 { // the third waits for more
		resp, err := hc.Get(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	fmt.Println(asked(), budget.left)
	// Output: 4 0
}
