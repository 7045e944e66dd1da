package breaker_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/backoff/breaker"
)

func ExampleNew() {
	c := breaker.Defaults()
	c.Share = 2
	_, err := breaker.New(c)
	fmt.Println(err)
	// Output: breaker: invalid parameter: Share must be above 0 and at most 1, got 2
}

func ExampleDefaults() {
	c := breaker.Defaults()
	fmt.Println(c.Share, c.MinRequests, c.Window, c.Cooldown, c.Probes)
	// Output: 0.5 20 10s 5s 1
}

func ExampleBreaker_Allow() {
	b, err := breaker.New(breaker.Defaults())
	if err != nil {
		panic(err)
	}
	send := func() (*http.Response, error) { return &http.Response{StatusCode: 503}, nil }
	for range 30 {
		done, err := b.Allow()
		if open, ok := errors.AsType[*breaker.OpenError](err); ok {
			_ = open.Until // tell the caller when to come back
			continue
		}
		resp, err := send()
		done(backoff.Attempt{Response: resp, Err: err})
	}
	fmt.Println(b.Stats().State, b.Stats().Rejected)
	// Output: open 10
}

func ExampleBreaker_Stats() {
	b, err := breaker.New(breaker.Defaults())
	if err != nil {
		panic(err)
	}
	done, _ := b.Allow()
	done(backoff.Attempt{Response: &http.Response{StatusCode: 200}})
	fmt.Printf("%+v\n", b.Stats())
	// Output: {State:closed Successes:1 Failures:0 Trips:0 Rejected:0}
}

func ExamplePerKey() {
	perKey, err := breaker.PerKey(breaker.Defaults())
	if err != nil {
		panic(err)
	}
	a, b := perKey("a"), perKey("b")
	for range 20 {
		done, _ := a.Allow()
		done(backoff.Attempt{Response: &http.Response{StatusCode: 503}})
	}
	_, err = a.Allow()
	fmt.Println(err != nil)
	_, err = b.Allow()
	fmt.Println(err != nil)
	// Output:
	// true
	// false
}
