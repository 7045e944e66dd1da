// Bcb works with an API that documents two limits and tells of neither in a header,
// as the Bermuda Commercial Bank does: 300 requests an hour for each user, and one new
// virtual account in two seconds, whoever asks. Both are written down as rules. The
// API is built in: no network is needed.
//
//	go run ./examples/bcb
//
// It ends with status 1 if anything fails, or if the API has to refuse a request.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/queue"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, loopback, limits{hour: 4 * time.Second, pace: 200 * time.Millisecond}, []*user{
		{name: "ann", requests: 600, accounts: 10}, {name: "bob", requests: 300, accounts: 10}, {name: "cyd", requests: 30, accounts: 10},
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bcb:", err)
		os.Exit(1)
	}
}

// limits are those of the API; really they are an hour and two seconds.
type limits struct {
	hour time.Duration // in which each user has 300 requests
	pace time.Duration // in which there is one new account
}

// newClient returns a client that keeps the limits, also when that takes an hour, which
// is longer than it waits by default. A refusal, should somebody else have spent the
// hour of a user, has a date in its body; there is nothing to do to have it obeyed.
func newClient(l limits, plain *http.Client) (*http.Client, error) {
	return client.Wrap(plain, client.WithMaxWait(0),
		client.WithRule(queue.Rule{ // for all requests, of each user by itself
			Name: "hour", Scope: queue.PerKey, Limits: []queue.Quota{queue.Per(300, l.hour)},
		}),
		client.WithRule(queue.Rule{ // for new accounts, of all users together
			Name: "accounts", Scope: queue.Global, Limits: []queue.Quota{queue.Every(l.pace)},
			Pattern: "POST /v1/virtual-accounts",
		}),
	)
}

// A user sends requests, some of which open a virtual account.
type user struct {
	name               string
	requests, accounts int
	took               time.Duration // filled in
}

// work is what any program does: of limits it knows nothing.
func (u *user) work(ctx context.Context, hc *http.Client, url string) error {
	began := time.Now()
	for i := range u.requests {
		method, path, want := http.MethodGet, "/v1/transactions", http.StatusOK
		if i%(u.requests/u.accounts) == 0 {
			method, path, want = http.MethodPost, "/v1/virtual-accounts", http.StatusCreated
		}
		req, err := http.NewRequestWithContext(ctx, method, url+path, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+u.name) // whose quota it is
		resp, err := hc.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
		resp.Body.Close()
		if resp.StatusCode != want {
			return fmt.Errorf("%s: %s %s: %s", u.name, method, path, resp.Status)
		}
	}
	u.took = time.Since(began)
	return nil
}

// run lets all users work at once, and writes what comes of it. serve puts the API on
// a network, and returns a plain client and the API's address there.
func run(ctx context.Context, out io.Writer, serve func(http.Handler) (*http.Client, string, func()), l limits, users []*user) error {
	began, last, closest := time.Now(), time.Time{}, l.hour
	api, err := apiserver.NewBCB(float64(time.Hour)/float64(l.hour), func(c *apiserver.Config) {
		c.Rules[1].Model = func(string) ratemodel.Model { return ratemodel.NewSlidingLog(1, l.pace) }
		c.Observe = func(d apiserver.Decision) {
			if d.Request.Method == http.MethodPost && d.Outcome == apiserver.Admitted {
				closest, last = min(closest, d.Time.Sub(last)), d.Time
				fmt.Fprintf(out, "%7.2f s  an account for %s\n", last.Sub(began).Seconds(), strings.TrimPrefix(d.Key, "Bearer "))
			}
		}
	})
	if err != nil {
		return err
	}
	plain, url, stop := serve(api)
	defer stop()
	hc, err := newClient(l, plain)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Each user has 300 requests in %v, all together have one new account in %v. No header tells.\n\n", l.hour, l.pace)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			if err := u.work(ctx, hc, url); err != nil {
				cancel(err) // ends the others, too
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-4s  %8s  %13s  %6s\n", "user", "requests", "refused (429)", "time")
	for _, u := range users {
		n := api.KeyCounts("Bearer " + u.name)
		fmt.Fprintf(out, "%-4s  %8d  %13d  %4.1f s\n", u.name, n.Requests, n.Refused, u.took.Seconds())
	}
	fmt.Fprintf(out, "\nThe closest two new accounts were %v apart.\n", closest.Truncate(time.Millisecond))
	if n := api.Counts().Refused; n > 0 {
		return fmt.Errorf("refused %d times", n)
	}
	return nil
}

func loopback(h http.Handler) (plain *http.Client, url string, stop func()) {
	s := httptest.NewServer(h)
	return s.Client(), s.URL, s.Close
}
