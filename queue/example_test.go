package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/limit"
)

// must serves examples whose options are known to be valid.
func must(l *queue.Queue, err error) *queue.Queue {
	if err != nil {
		panic(err)
	}
	return l
}

// Three windows at once and at most ten requests in flight, for each API key.
func Example() {
	line, err := queue.New(queue.WithRule(queue.Rule{
		Limits:      []queue.Quota{queue.PerMinute(600), queue.PerHour(15_000), queue.PerDay(250_000)},
		MaxInFlight: 10,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	var sent atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_ = line.Do(context.Background(), "api key", func(ctx context.Context) error {
				sent.Add(1) // send the request here
				return nil
			})
		})
	}
	wg.Wait()
	fmt.Println(sent.Load())
	// Output: 100
}

// Workers that share a rate need no pause between requests: the queue paces them. Here all waiting
// requests are sent at 500 a second, without bursts.
func ExampleQuota_TokenBucket() {
	line := must(queue.New(queue.WithRule(queue.Rule{
		Scope:  queue.Global,
		Limits: []queue.Quota{queue.PerSecond(500).TokenBucket(1).Slack(0)},
	})))
	start := time.Now()
	var wg sync.WaitGroup
	for range 2 { // workers
		wg.Go(func() {
			for range 10 {
				_ = line.Do(context.Background(), "key", func(context.Context) error { return nil })
			}
		})
	}
	wg.Wait()
	fmt.Println(time.Since(start) >= 19*2*time.Millisecond)
	// Output: true
}

// Each user may send 300 requests an hour, and all users together may create one account every two
// seconds. A creation obeys both.
func ExampleWithRule() {
	line := must(queue.New(
		queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerHour(300)}}),
		queue.WithRule(queue.Rule{
			Name:    "creation",
			Pattern: "POST /v1/virtual-accounts",
			Scope:   queue.Global,
			Limits:  []queue.Quota{queue.Every(2 * time.Second)},
		}),
	))
	for _, user := range []string{"ann", "bob"} {
		for _, method := range []string{"GET", "POST"} {
			_, err := line.Acquire(context.Background(), &queue.Request{
				Key: user, Method: method, Path: "/v1/virtual-accounts", NoWait: true,
			})
			fmt.Println(user, method, err == nil)
		}
	}
	// Output:
	// ann GET true
	// ann POST true
	// bob GET true
	// bob POST false
}

// A request that cannot be sent before its deadline fails at once, with the time at which it could.
func ExampleWaitError() {
	line := must(queue.New(queue.WithRule(queue.Rule{Name: "plan", Limits: []queue.Quota{queue.PerHour(1)}})))
	_, _ = line.Acquire(context.Background(), &queue.Request{Key: "key"})

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := line.Acquire(ctx, &queue.Request{Key: "key"})
	if wait, ok := errors.AsType[*queue.WaitError](err); ok {
		fmt.Println(wait.Limit)
		fmt.Println(time.Until(wait.Until).Round(time.Hour))
		fmt.Println(errors.Is(err, context.DeadlineExceeded), ctx.Err())
	}
	// Output:
	// plan, 1 per hour
	// 1h0m0s
	// true <nil>
}

// A request may cost more than 1, but not more than the limit.
func ExampleCostError() {
	line := must(queue.New(queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerMinute(1000).Named("tokens")}})))
	_, err := line.Acquire(context.Background(), &queue.Request{Key: "key", Cost: 800})
	fmt.Println(err)
	_, err = line.Acquire(context.Background(), &queue.Request{Key: "key", Cost: 1500})
	var cost *queue.CostError
	fmt.Println(errors.As(err, &cost), cost.Max)
	// Output:
	// <nil>
	// true 1000
}

// hold is a limit learned from responses: no request may be sent before a time that the server named.
type hold struct {
	limit.NoHooks // it learns nothing from requests that are over

	until time.Time
}

func (h *hold) Ask(time.Time, limit.Demand) limit.Decision {
	return limit.Decision{At: h.until, Limit: "hold"}
}
func (h *hold) Take(time.Time, limit.Demand) {}
func (h *hold) Idle(now time.Time) bool      { return h.until.Before(now) }

// The caller passes what a response says to the key's own limit, and the queue reconsiders all requests that wait.
func ExamplePermit_Settle() {
	line := must(queue.New(queue.WithKeyLimit(func(key string) limit.Limiter { return new(hold) })))
	permit, _ := line.Acquire(context.Background(), &queue.Request{Key: "key"})
	// The response says "Retry-After: 60".
	permit.Settle(func(now time.Time, own limit.Limiter) { own.(*hold).until = now.Add(60 * time.Second) })

	_, err := line.Acquire(context.Background(), &queue.Request{Key: "key", MaxWait: 10 * time.Second})
	var wait *queue.WaitError
	fmt.Println(errors.As(err, &wait), wait.Limit, time.Until(wait.Until).Round(time.Second))
	// Output: true hold 1m0s
}

// A plan changes while requests wait: they are sent at once, and earlier requests still count.
func ExampleQueue_SetLimits() {
	line := must(queue.New(queue.WithRule(queue.Rule{Name: "plan", Limits: []queue.Quota{queue.PerMinute(10)}})))
	var sent sync.WaitGroup
	for range 60 {
		sent.Go(func() {
			_ = line.Do(context.Background(), "key", func(context.Context) error { return nil })
		})
	}
	for line.Stats().Waiting < 50 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(line.SetLimits("plan", queue.PerMinute(60)))
	sent.Wait()
	fmt.Println(line.Stats().Waiting)
	// Output:
	// <nil>
	// 0
}

// A full queue rejects new requests, or drops the oldest request of the lowest priority in their favour.
func ExampleWithMaxWaiting() {
	line := must(queue.New(
		queue.WithMaxWaiting(1, queue.DropOldest),
		queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerHour(1)}}),
	))
	_, _ = line.Acquire(context.Background(), &queue.Request{Key: "key"})
	low := make(chan error)
	go func() {
		_, err := line.Acquire(context.Background(), &queue.Request{Key: "key", Priority: queue.Low})
		low <- err
	}()
	for line.Stats().Waiting < 1 {
		time.Sleep(time.Millisecond)
	}
	go func() { _, _ = line.Acquire(context.Background(), &queue.Request{Key: "key"}) }()
	fmt.Println(errors.Is(<-low, queue.ErrDropped))
	line.Close()
	// Output: true
}

// How long would it take?
func ExampleQueue_Peek() {
	line := must(queue.New(queue.WithRule(queue.Rule{Name: "plan", Limits: []queue.Quota{queue.PerHour(1)}})))
	request := &queue.Request{Key: "key"}
	for range 2 {
		place, _ := line.Peek(request)
		fmt.Printf("%v %q\n", time.Until(place.Start).Round(time.Minute), place.Limit)
		_, _ = line.Acquire(context.Background(), &queue.Request{Key: "key", NoWait: true})
	}
	// Output:
	// 0s ""
	// 1h0m0s "plan, 1 per hour"
}

// A waiting request can show where it stands.
func ExampleWaiting() {
	line := must(queue.New(queue.WithRule(queue.Rule{Limits: []queue.Quota{queue.PerHour(1)}})))
	_, _ = line.Acquire(context.Background(), &queue.Request{Key: "key"})
	ctx, cancel := context.WithCancel(context.Background())
	_, err := line.Acquire(ctx, &queue.Request{Key: "key", OnWait: func(w queue.Waiting) {
		place, _ := w.Position()
		fmt.Println(place.Ahead, "ahead, starts in", time.Until(place.Start).Round(time.Minute))
		cancel() // so long?
	}})
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// 0 ahead, starts in 1h0m0s
	// true
}

// Requests of a higher priority go first, in any order of arrival.
func ExamplePriority() {
	line := must(queue.New(queue.WithRule(queue.Rule{Scope: queue.Global, MaxInFlight: 1})))
	first, _ := line.Acquire(context.Background(), &queue.Request{Key: "batch"})
	var wg sync.WaitGroup
	for i, p := range []queue.Priority{queue.Low, queue.Normal, queue.High} {
		wg.Go(func() {
			permit, _ := line.Acquire(context.Background(), &queue.Request{Key: "batch", Priority: p})
			fmt.Println("priority", p)
			permit.Release()
		})
		for line.Stats().Waiting <= i {
			time.Sleep(time.Millisecond)
		}
	}
	first.Release()
	wg.Wait()
	// Output:
	// priority 1
	// priority 0
	// priority -1
}

// Shutdown serves the requests that wait and rejects new ones.
func ExampleQueue_Shutdown() {
	line := must(queue.New())
	permit, _ := line.Acquire(context.Background(), &queue.Request{Key: "key"})
	go permit.Release()
	fmt.Println(line.Shutdown(context.Background()))
	_, err := line.Acquire(context.Background(), &queue.Request{Key: "key"})
	fmt.Println(errors.Is(err, queue.ErrClosed))
	// Output:
	// <nil>
	// true
}
