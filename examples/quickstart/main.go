// Quickstart fetches the items of an API that has rate limits, first with plain
// go-retryablehttp and then with forbear, and compares what each of them cost. The
// API is built in: no network is needed.
//
//	go run ./examples/quickstart
//
// It ends with status 1 if an item could not be fetched, or if the API had to
// refuse forbear even once.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/client"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, plan{
		items:   300,
		callers: 20,
		limits:  limits{burst: 60, sustained: 120, period: 5 * time.Second, into: 3800 * time.Millisecond},
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// A plan is what is fetched, by how many at once, and what the API allows.
type plan struct {
	items   int
	callers int
	limits  limits
}

// run compares go-retryablehttp with forbear.
func run(ctx context.Context, out io.Writer, p plan) error {
	forbear, err := client.New() // all there is to set up
	if err != nil {
		return err
	}
	return compare(ctx, out, p, contender{"go-retryablehttp", newRetryable()}, contender{"forbear", forbear})
}

// A contender is a client that is compared with others.
type contender struct {
	name   string
	client *http.Client
}

// compare lets each client fetch all items from an API of its own, one client after
// the other, and writes a table of the results. It is an error if a fetch fails, or
// if the last of the clients was refused.
func compare(ctx context.Context, out io.Writer, p plan, clients ...contender) error {
	fmt.Fprintf(out, "%d items, %d callers, an API that allows %d requests a second and %d in %v.\n\n",
		p.items, p.callers, p.limits.burst, p.limits.sustained, p.limits.period)
	results := make([]result, len(clients))
	for i, c := range clients {
		var err error
		if results[i], err = measure(ctx, out, p, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err := writeTable(out, results); err != nil {
		return err
	}
	if last := results[len(results)-1]; last.sent.Refused > 0 {
		return fmt.Errorf("%s was refused %d times", last.name, last.sent.Refused)
	}
	return nil
}

// newRetryable returns go-retryablehttp as its documentation has it, which waits as
// long as Retry-After says. Only the number of retries is raised: with 4, the
// default, some items would not be fetched at all.
func newRetryable() *http.Client {
	c := retryablehttp.NewClient()
	c.RetryMax = 50
	c.Logger = nil
	return c.StandardClient()
}

// measure fetches all items with one client, from an API that was not used before.
func measure(ctx context.Context, out io.Writer, p plan, c contender) (result, error) {
	began := time.Now()
	api, err := serve(ctx, p.limits, began)
	if err != nil {
		return result{}, err
	}
	defer api.close()
	f := fetcher{client: c.client, url: api.url}
	stop := follow(out, func() string {
		return fmt.Sprintf("%-16s  %3d of %d items, %d refused, %.1f s",
			c.name, f.fetched.Load(), p.items, api.Counts().Refused, time.Since(began).Seconds())
	})
	err = f.fetch(ctx, p.items, p.callers)
	ended := time.Now()
	stop()
	return result{
		name: c.name, sent: api.Counts(), took: ended.Sub(began),
		possible: api.possible(began, ended),
	}, err
}
