package backoff_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/backoff"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// show prints the waits before the first retries.
func show(p backoff.Policy, retries int) {
	waits := make([]any, retries)
	for i := range waits {
		waits[i] = p.Delay(i+1, 0)
	}
	fmt.Println(waits...)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ExampleNew() {
	p, err := backoff.New(
		backoff.Exponential(500*time.Millisecond, 2),
		backoff.Cap(30*time.Second),
		backoff.Jitter(0.5, 1))
	if err != nil {
		panic(err)
	}
	wait := p.Delay(3, time.Second)
	fmt.Println(time.Second <= wait && wait <= 2*time.Second)

	_, err = backoff.New(backoff.Exponential(-time.Second, 2))
	fmt.Println(err)
	fmt.Println(errors.Is(err, backoff.ErrInvalid))
	// Output:
	// true
	// backoff: invalid parameter: Exponential: the first delay must be positive, got -1s
	// true
}

func ExampleConstant() {
	show(must(backoff.New(backoff.Constant(3*time.Second))), 3)
	// Output: 3s 3s 3s
}

func ExampleLinear() {
	show(must(backoff.New(backoff.Linear(time.Second, 2*time.Second))), 4)
	// Output: 1s 3s 5s 7s
}

func ExampleExponential() {
	show(must(backoff.New(backoff.Exponential(time.Second, 2))), 5)
	// Output: 1s 2s 4s 8s 16s
}

func ExampleDecorrelated() {
	p := must(backoff.New(backoff.Decorrelated(time.Second), backoff.Cap(time.Minute)))
	wait := p.Delay(2, 5*time.Second) // after a wait of 5 s
	fmt.Println(time.Second <= wait && wait <= 15*time.Second)
	// Output: true
}

func ExampleCap() {
	show(must(backoff.New(backoff.Exponential(time.Second, 2), backoff.Cap(5*time.Second))), 5)
	// Output: 1s 2s 4s 5s 5s
}

// The delay doubles, and up to a tenth is added to it.
func ExampleJitter() {
	p := must(backoff.New(backoff.Exponential(time.Second, 2), backoff.Jitter(1, 1.1)))
	wait := p.Delay(5, 0)
	fmt.Println(16*time.Second <= wait && wait <= 17600*time.Millisecond)
	// Output: true
}

// fibonacci is a policy of its own kind.
type fibonacci struct{ unit time.Duration }

func (f fibonacci) Delay(n int, _ time.Duration) time.Duration {
	a, b := time.Duration(0), time.Duration(1)
	for range min(max(n, 1), 30) {
		a, b = b, a+b
	}
	return a * f.unit
}

func ExamplePolicy() {
	show(fibonacci{time.Second}, 6)
	_, err := backoff.NewStrategy(backoff.Config{Policy: fibonacci{time.Second}, Retries: 6})
	fmt.Println(err)
	// Output:
	// 1s 1s 2s 3s 5s 8s
	// <nil>
}

func ExampleServerWait() {
	wait := backoff.ServerWait(time.Minute) // Retry-After: 60
	fmt.Println(time.Minute <= wait && wait <= 61*time.Second)
	// Output: true
}

func ExampleDefaultCheck() {
	get := &http.Request{Method: "GET"}
	post := &http.Request{Method: "POST"}
	fmt.Println(backoff.DefaultCheck(backoff.Attempt{Request: get, Response: &http.Response{StatusCode: 503}}))
	fmt.Println(backoff.DefaultCheck(backoff.Attempt{Request: post, Response: &http.Response{StatusCode: 503}}))
	fmt.Println(backoff.DefaultCheck(backoff.Attempt{Request: post, Response: &http.Response{StatusCode: 429}}))
	fmt.Println(backoff.DefaultCheck(backoff.Attempt{Request: post, Response: &http.Response{StatusCode: 404}}))
	// Output:
	// yes
	// no
	// yes
	// no opinion
}

// An API that answers 404 for a short while after creating something.
func ExampleFirstOf() {
	check := backoff.FirstOf(func(a backoff.Attempt) backoff.Verdict {
		if a.Response != nil && a.Response.StatusCode == http.StatusNotFound && a.Idempotent() {
			return backoff.Yes
		}
		return backoff.NoOpinion
	}, backoff.DefaultCheck)

	get := &http.Request{Method: "GET"}
	fmt.Println(check(backoff.Attempt{Request: get, Response: &http.Response{StatusCode: 404}}))
	fmt.Println(check(backoff.Attempt{Request: get, Response: &http.Response{StatusCode: 501}}))
	// Output:
	// yes
	// no
}

func ExampleWithIdempotent() {
	ctx := backoff.WithIdempotent(context.Background(), true)
	search := must(http.NewRequestWithContext(ctx, "POST", "https://api.test/search", strings.NewReader("{}")))
	fmt.Println(backoff.DefaultCheck(backoff.Attempt{Request: search, Err: io.ErrUnexpectedEOF}))
	// Output: yes
}

func ExampleAttempt_Idempotent() {
	pay := must(http.NewRequest("POST", "https://api.test/pay", strings.NewReader("{}")))
	fmt.Println(backoff.Attempt{Request: pay}.Idempotent())
	pay.Header.Set("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")
	fmt.Println(backoff.Attempt{Request: pay}.Idempotent())
	// Output:
	// false
	// true
}

func ExampleAttempt_Replayable() {
	text := must(http.NewRequest("PUT", "https://api.test/", strings.NewReader("text")))
	fmt.Println(backoff.Attempt{Request: text}.Replayable())
	stream := must(http.NewRequest("PUT", "https://api.test/", io.LimitReader(strings.NewReader("text"), 2)))
	fmt.Println(backoff.Attempt{Request: stream}.Replayable())
	// Output:
	// true
	// false
}

func ExampleDefaults() {
	c := backoff.Defaults()
	fmt.Println(c.Retries, c.MaxElapsed, c.MaxServerWait)
	// Output: 4 45m0s 20m0s
}

func ExampleNewStrategy() {
	c := backoff.Defaults()
	c.Retries = 5
	if _, err := backoff.NewStrategy(c); err != nil {
		panic(err)
	}
	c.Retries = -1
	_, err := backoff.NewStrategy(c)
	fmt.Println(err)
	// Output: backoff: invalid parameter: NewStrategy: Retries must not be negative, got -1
}

func ExampleStrategy_Next() {
	c := backoff.Defaults()
	c.Policy = must(backoff.New(backoff.Exponential(time.Second, 2)))
	s := must(backoff.NewStrategy(c))
	var budget backoff.Budget // of the request's key

	budget.Request(noon)
	failed := backoff.Attempt{Request: &http.Request{Method: "GET"}, Response: &http.Response{StatusCode: 502}}
	now := noon
	for failed.Number = 1; ; failed.Number++ {
		wait, err := s.Next(now, failed, &budget)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println("retry", failed.Number, "after", wait)
		failed.Previous = wait
		failed.Elapsed += wait
		now = now.Add(wait)
	}
	// Output:
	// retry 1 after 1s
	// retry 2 after 2s
	// retry 3 after 4s
	// retry 4 after 8s
	// backoff: no retry after attempt 5: all retries are used (status 502)
}

func ExampleStopError() {
	s := must(backoff.NewStrategy(backoff.Defaults()))
	_, err := s.Next(noon, backoff.Attempt{
		Response:  &http.Response{StatusCode: 429},
		Wait:      12 * time.Hour,
		WaitKnown: true,
	}, nil)
	if stop, ok := errors.AsType[*backoff.StopError](err); ok {
		fmt.Println(stop.Reason, stop.Status, stop.Until.Format(time.DateTime))
	}
	// Output: exhausted 429 2030-01-02 00:00:00
}

func ExampleStrategy_Exhausted() {
	s := must(backoff.NewStrategy(backoff.Defaults()))
	fmt.Println(s.Exhausted(15*time.Minute), s.Exhausted(time.Hour))
	// Output: false true
}

func ExampleStrategy_Stats() {
	s := must(backoff.NewStrategy(backoff.Defaults()))
	s.Next(noon, backoff.Attempt{Response: &http.Response{StatusCode: 429}}, nil)
	s.Next(noon, backoff.Attempt{Response: &http.Response{StatusCode: 404}}, nil)
	fmt.Println(s.Stats().Retries, s.Stats().Stopped)
	// Output: 1 map[verdict:1]
}

// The methods fit the hooks of go-retryablehttp.
func ExampleStrategy_CheckRetry() {
	s := must(backoff.NewStrategy(backoff.Defaults()))
	var loop struct { // retryablehttp.Client
		CheckRetry func(context.Context, *http.Response, error) (bool, error)
		Backoff    func(min, max time.Duration, attempt int, resp *http.Response) time.Duration
	}
	loop.CheckRetry, loop.Backoff = s.CheckRetry, s.Backoff
	fmt.Println(loop.Backoff(0, 0, 0, nil) > 0)
	again, err := loop.CheckRetry(context.Background(), &http.Response{StatusCode: 429}, nil)
	fmt.Println(again, err)
	// Output:
	// true
	// true <nil>
}

func ExampleStrategy_Backoff() {
	c := backoff.Defaults()
	c.Policy = must(backoff.New(backoff.Exponential(time.Second, 2)))
	s := must(backoff.NewStrategy(c))
	fmt.Println(s.Backoff(0, 0, 0, nil), s.Backoff(0, 0, 1, nil))
	// Output: 1s 2s
}

func ExampleBudget() {
	var b backoff.Budget
	for range 100 {
		b.Request(noon)
	}
	for b.Retry(noon) {
	}
	fmt.Println(b.Stats(noon).Allowed)
	fmt.Printf("%.1f of them count 10 s later\n", b.Stats(noon.Add(10*time.Second)).Retries)
	// Output:
	// 30
	// 11.0 of them count 10 s later
}

func ExampleNewBudget() {
	b := must(backoff.NewBudget(0.1, 2, time.Minute))
	for range 50 {
		b.Request(noon)
	}
	fmt.Println(b.Stats(noon).Free)
	// Output: 7
}

func ExampleBudget_Refund() {
	b := must(backoff.NewBudget(0, 1, time.Minute))
	fmt.Println(b.Retry(noon), b.Retry(noon))
	b.Refund(noon, noon) // the caller gave up before it was sent
	fmt.Println(b.Retry(noon))
	// Output:
	// true false
	// true
}
