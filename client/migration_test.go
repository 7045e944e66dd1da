package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// The examples of docs/migration.md: what a program did before, where that can be
// compiled here, and what it does now. Those of a queue are in migration_line_test.go.

// counting is a server that answers with the given statuses, one after the other, and
// then with 200. The last function tells how often it was asked.
func counting(statuses ...int) (url string, stop func(), asked func() int) {
	n := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n <= len(statuses) {
			w.WriteHeader(statuses[n-1])
		}
	}))
	return api.URL, api.Close, func() int { return n }
}

func getSleeping(url string) (*http.Response, error) {
	for {
		resp, err := http.Get(url)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests {
			return resp, err
		}
		resp.Body.Close()
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		time.Sleep(time.Duration(seconds) * time.Second)
	}
}

func getForbearing(url string) (*http.Response, error) {
	hc, err := client.New() // once, for all requests
	if err != nil {
		return nil, err
	}
	return hc.Get(url)
}

// Both end well. Only the second knows what to do when thousands do it at once.
func Example_fromSleep() {
	for _, get := range []func(string) (*http.Response, error){getSleeping, getForbearing} {
		api := refusesFirst()
		resp, err := get(api.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Status)
		resp.Body.Close()
		api.Close()
	}
	// Output:
	// 200 OK
	// 200 OK
}

func newRetryable() *http.Client {
	rc := retryablehttp.NewClient()
	rc.RetryMax = 6
	rc.RetryWaitMin = time.Millisecond
	rc.RetryWaitMax = 10 * time.Millisecond
	rc.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if resp != nil && resp.StatusCode == http.StatusConflict {
			return true, nil
		}
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
	rc.ErrorHandler = retryablehttp.PassthroughErrorHandler
	rc.Logger = nil
	return rc.StandardClient()
}

func newForbearing() (*http.Client, error) {
	policy, err := backoff.New(backoff.Exponential(time.Millisecond, 2), backoff.Cap(10*time.Millisecond), backoff.Jitter(0.5, 1))
	if err != nil {
		return nil, err
	}
	conflict := func(a backoff.Attempt) backoff.Verdict {
		if a.Response != nil && a.Response.StatusCode == http.StatusConflict {
			return backoff.Yes
		}
		return backoff.NoOpinion
	}
	return client.New(
		client.WithRetries(6),
		client.WithBackoff(policy),
		client.WithCheck(backoff.FirstOf(conflict, backoff.DefaultCheck)),
	)
}

func Example_fromRetryablehttp() {
	forbearing, err := newForbearing()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hc := range []*http.Client{newRetryable(), forbearing} {
		url, stop, asked := counting(http.StatusConflict, http.StatusBadGateway, http.StatusConflict)
		resp, err := hc.Get(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Status, "after", asked(), "attempts")
		resp.Body.Close()
		stop()
	}
	// Output:
	// 200 OK after 4 attempts
	// 200 OK after 4 attempts
}

// A signer signs each attempt: it is below forbear, where PrepareRetry was.
type signer struct{ base http.RoundTripper }

func (s signer) RoundTrip(req *http.Request) (*http.Response, error) {
	signed := req.Clone(req.Context())
	signed.Header.Set("X-Signed-At", time.Now().Format(time.RFC3339Nano))
	return s.base.RoundTrip(signed)
}

// What PrepareRetry and the log hooks did, a RoundTripper below does for every attempt.
func Example_fromPrepareRetry() {
	var signatures []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signatures = append(signatures, r.Header.Get("X-Signed-At"))
		if len(signatures) == 1 {
			w.Header().Set("Retry-After-Ms", "5")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer api.Close()
	hc, err := client.Wrap(&http.Client{Transport: signer{http.DefaultTransport}})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(len(signatures), signatures[0] != signatures[1])
	// Output: 2 true
}

// POST is not retried after a failure, unless somebody says that it does no harm.
func Example_fromRetriedPost() {
	url, stop, asked := counting(http.StatusBadGateway, http.StatusOK, http.StatusBadGateway)
	defer stop()
	policy, err := backoff.New(backoff.Constant(time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	hc, err := client.New(client.WithBackoff(policy))
	if err != nil {
		fmt.Println(err)
		return
	}
	post := func(ctx context.Context) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := hc.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.StatusCode, asked())
		resp.Body.Close()
	}
	post(context.Background())
	post(context.Background())
	post(backoff.WithIdempotent(context.Background(), true))
	// Output:
	// 502 1
	// 200 2
	// 200 4
}

type rateTransport struct {
	base    http.RoundTripper
	limiter *rate.Limiter
}

func (t *rateTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(req.Context()); err != nil {
		return nil, err
	}
	return t.base.RoundTrip(req)
}

func newRated() *http.Client {
	limiter := rate.NewLimiter(rate.Every(100*time.Millisecond), 20)
	return &http.Client{Transport: &rateTransport{http.DefaultTransport, limiter}}
}

func newRuled() (*http.Client, error) {
	return client.New(client.WithRule(queue.Rule{
		Name: "api", Scope: queue.Global, Limits: []queue.Quota{queue.PerSecond(10).TokenBucket(20)},
	}))
}

// A rate that the server tells need not be written down at all. This one does not.
func Example_fromRate() {
	ruled, err := newRuled()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hc := range []*http.Client{newRated(), ruled} {
		url, stop, asked := counting()
		for range 20 {
			resp, err := hc.Get(url)
			if err != nil {
				fmt.Println(err)
				return
			}
			resp.Body.Close()
		}
		fmt.Println(asked())
		stop()
	}
	// Output:
	// 20
	// 20
}

// Allow is NoWait, Reserve is Status, and SetLimit is SetLimits.
func Example_fromAllow() {
	url, stop, _ := counting()
	defer stop()
	t, err := client.NewTransport(nil, client.WithRule(queue.Rule{
		Name: "api", Limits: []queue.Quota{queue.PerMinute(1)},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: t}
	req, err := http.NewRequestWithContext(client.NoWait(context.Background()), http.MethodGet, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	get := func() {
		resp, err := hc.Do(req)
		if errors.Is(err, client.ErrNoWait) {
			fmt.Println("not now")
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println("sent")
	}
	get()
	get()
	status, err := t.Status(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("could go in", time.Until(status.Start).Round(time.Minute))
	if err := t.Queue().SetLimits("api", queue.PerMinute(2)); err != nil {
		fmt.Println(err)
	}
	get()
	// Output:
	// sent
	// not now
	// could go in 1m0s
	// sent
}
