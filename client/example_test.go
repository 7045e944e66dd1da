package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// refusesFirst is a server that refuses the first request for some milliseconds.
func refusesFirst() *httptest.Server {
	n := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Retry-After-Ms", "5")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, "here you are")
	}))
}

// used is a server whose quota is used up for the next hour.
func used() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit-Hour", "100")
		w.Header().Set("X-RateLimit-Remaining-Hour", "0")
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, "out of credit")
	}))
}

// busy is a server whose quota is used up for the next minute.
func busy() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
}

// open is a server without a limit.
func open() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
}

func ExampleNew() {
	api := refusesFirst()
	defer api.Close()

	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL) // refused at first, and sent again when the server said
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleWrap() {
	api := refusesFirst()
	defer api.Close()

	mine := &http.Client{Timeout: 10 * time.Second}
	hc, err := client.Wrap(mine, client.WithRetries(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, hc.Timeout, mine.Transport == nil)
	// Output: 200 OK 10s true
}

func ExampleNewTransport() {
	api := open()
	defer api.Close()

	base := http.DefaultTransport.(*http.Transport).Clone()
	rt, err := client.NewTransport(base)
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: rt} // or that of any SDK which takes an http.RoundTripper
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	rt.Close() // whoever waits or comes later is turned away
	_, err = hc.Get(api.URL)
	fmt.Println(resp.Status, errors.Is(err, client.ErrClosed))
	// Output: 200 OK true
}

func ExampleError() {
	api := used()
	defer api.Close()
	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL) // the API refuses it for an hour, which is an answer
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	_, err = hc.Get(api.URL) // not sent
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println("limit:", e.Limit)
		fmt.Println("attempts:", e.Attempts)
		fmt.Println("try again in:", time.Until(e.Until).Round(time.Minute))
		fmt.Println("too long:", errors.Is(err, client.ErrMaxWait))
		fmt.Println("the API said:", e.Status, e.Body)
	}
	// Output:
	// 429 Too Many Requests
	// limit: refusal
	// attempts: 0
	// try again in: 1h0m0s
	// too long: true
	// the API said: 429 out of credit
}

// A request whose deadline cannot be kept fails at once, and not at its deadline.
func ExampleError_Timeout() {
	api := used()
	defer api.Close()
	hc, err := client.New(client.WithMaxWait(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	hc.Timeout = time.Minute
	resp, err := hc.Get(api.URL) // tells that the quota is used up
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	began := time.Now()
	_, err = hc.Get(api.URL)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), time.Since(began) < time.Minute)
	// Output: true true
}

func ExampleNoWait() {
	api := busy()
	defer api.Close()
	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := client.NoWait(context.Background())
	for range 2 {
		req, err := http.NewRequestWithContext(client.NoRetry(ctx), http.MethodGet, api.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			fmt.Println("would have to wait:", errors.Is(err, client.ErrNoWait))
			return
		}
		fmt.Println(resp.Status)
		resp.Body.Close()
	}
	// Output:
	// 429 Too Many Requests
	// would have to wait: true
}

func ExampleNoRetry() {
	api := refusesFirst()
	defer api.Close()
	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequestWithContext(client.NoRetry(context.Background()), http.MethodGet, api.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 429 Too Many Requests
}

// Two accounts behind one token have a quota each.
func ExampleWithKey() {
	api := busy()
	defer api.Close()
	hc, err := client.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, account := range []string{"a", "a", "b"} {
		ctx := client.WithKey(client.NoRetry(client.NoWait(context.Background())), account)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			fmt.Println(account, "would have to wait")
			continue
		}
		fmt.Println(account, resp.StatusCode)
		resp.Body.Close()
	}
	// Output:
	// a 429
	// a would have to wait
	// b 429
}

// A key function tells whose quota a request spends, for all requests of a client.
func ExampleWithKeyFunc() {
	tenant := func(r *http.Request) string { return r.Header.Get("X-Tenant") }
	_, err := client.New(client.WithKeyFunc(tenant))
	fmt.Println(err)
	// Output: <nil>
}

// The last tenth of a quota is spread until the reset by default. A batch job may
// want it all at once, a service may want to leave something to others.
func ExampleWithPacing() {
	_, err := client.New(client.WithPacing(client.Burst))
	fmt.Println(err)
	_, err = client.New(client.WithThreshold(throttle.Share(.5)), client.WithReserve(throttle.Requests(20)))
	fmt.Println(err)
	_, err = client.New(client.WithThreshold(throttle.Share(7)))
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// throttle: threshold: a share must be from 0 to 1, got 7
}

// Retries, their backoff, and what is worth one can be chosen.
func ExampleWithRetries() {
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 5 {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer api.Close()
	policy, err := backoff.New(backoff.Exponential(time.Millisecond, 2), backoff.Cap(4*time.Millisecond), backoff.Jitter(.5, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	conflicts := func(a backoff.Attempt) backoff.Verdict {
		if a.Response != nil && a.Response.StatusCode == http.StatusConflict {
			return backoff.Yes
		}
		return backoff.NoOpinion
	}
	hc, err := client.New(
		client.WithRetries(5),
		client.WithBackoff(policy),
		client.WithCheck(backoff.FirstOf(conflicts, backoff.DefaultCheck)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status, "after", n, "attempts")
	// Output: 200 OK after 5 attempts
}

// A limit that no header tells is written down.
func ExampleWithRule() {
	api := open()
	defer api.Close()
	hc, err := client.New(
		client.WithMaxWait(time.Minute),
		client.WithRule(queue.Rule{
			Name: "export", Pattern: "POST /export", Limits: []queue.Quota{queue.PerDay(1)}, MaxInFlight: 1,
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		resp, err := hc.Post(api.URL+"/export", "text/plain", nil)
		if e, ok := errors.AsType[*client.Error](err); ok {
			fmt.Println(e.Limit, errors.Is(e, client.ErrMaxWait))
			return
		}
		fmt.Println(resp.Status)
		resp.Body.Close()
	}
	// Output:
	// 200 OK
	// export, 1 per day true
}

// A field that means something else than it seems to is explained by a dialect.
func ExampleWithDialects() {
	_, err := client.New(client.WithDialects(header.Dialect{
		Hosts:  []string{"api.example.com"},
		Fields: map[string]header.Field{"X-Next": {Role: header.RetryAfter, Unit: time.Millisecond}},
	}))
	fmt.Println(err)
	// Output: <nil>
}
