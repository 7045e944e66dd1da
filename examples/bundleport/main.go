// Bundleport searches hotels in an API like Bundleport's, behind Kong, with three limits
// at once: for a minute, an hour and a day. Searches wait in one queue, ten are under way
// at the most, and answers are kept for a minute. The API is built in: no network is needed.
//
//	go run ./examples/bundleport
//
// It ends with status 1 if anything fails, or if the API has to refuse a request.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/queue"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	account := apiserver.BundleportLimits{Minute: 60, Hour: 1500, Day: 25_000} // a tenth of what is usual
	err := run(ctx, os.Stdout, loopback, account, 6*time.Second, 6000)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundleport:", err)
		os.Exit(1)
	}
}

// A searcher asks for hotels, but not again within keep for the same.
type searcher struct {
	client *http.Client
	url    string
	keep   time.Duration
	cache  sync.Map // of *found, by criteria
}

type found struct {
	turn   chan struct{} // full while somebody looks here
	hotels string
	until  time.Time
}

// search returns what the API finds. Of several callers who want the same at once, one
// asks the API, and the others get the answer too.
func (s *searcher) search(ctx context.Context, criteria string) (string, error) {
	known, _ := s.cache.LoadOrStore(criteria, &found{turn: make(chan struct{}, 1)})
	f := known.(*found)
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if time.Now().Before(f.until) {
		return f.hotels, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(criteria))
	if err != nil {
		return "", err
	}
	resp, err := s.client.Do(req) // waits when it must
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	hotels, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(hotels) != criteria {
		return "", errors.Join(err, fmt.Errorf("search for %s: %s, %q", criteria, resp.Status, hotels))
	}
	f.hotels, f.until = string(hotels), time.Now().Add(s.keep)
	return f.hotels, nil
}

// run lets 40 callers search, and writes what is left of each limit meanwhile. serve
// puts the API on a network, and returns a plain client and the API's address there.
func run(ctx context.Context, out io.Writer, serve func(http.Handler) (*http.Client, string, func()),
	account apiserver.BundleportLimits, hour time.Duration, searches int,
) error {
	api, err := apiserver.NewBundleport(account, float64(time.Hour)/float64(hour), func(c *apiserver.Config) {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	})
	if err != nil {
		return err
	}
	plain, url, stop := serve(api)
	defer stop()
	// The three limits are read from the responses. What these do not tell is a rule.
	rt, err := client.NewTransport(plain.Transport, client.WithMaxWait(0),
		client.WithRule(queue.Rule{Name: "searches", Pattern: "POST /hotels/v1/search", MaxInFlight: 10}),
	)
	if err != nil {
		return err
	}
	s := &searcher{client: &http.Client{Transport: rt}, url: url + "/hotels/v1/search", keep: hour / 60}
	example := httptest.NewRequestWithContext(ctx, http.MethodPost, s.url, nil) // is never sent
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			for range searches / 40 {
				if _, err := s.search(ctx, fmt.Sprintf(`{"city":%d}`, rand.IntN(3*account.Minute))); err != nil {
					cancel(err) // ends the others, too
					return
				}
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	fmt.Fprintf(out, "%d searches. An hour of the API lasts %v.\n\n", searches, hour)
	for began := time.Now(); ; {
		select {
		case <-time.After(hour / 12):
			status, err := rt.Status(example)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%5.1f s", time.Since(began).Seconds())
			for _, w := range status.Windows {
				fmt.Fprintf(out, "   %s %5d of %d", w.Name, w.Credit, w.Limit)
			}
			fmt.Fprintf(out, "   %d waiting\n", status.Ahead)
		case <-done:
			n := api.Counts()
			fmt.Fprintf(out, "\nThe API was asked %d times in %.1f s, and refused %d. Other answers were kept.\n", n.Requests, time.Since(began).Seconds(), n.Refused)
			if n.Refused > 0 {
				cancel(fmt.Errorf("refused %d times", n.Refused))
			}
			return context.Cause(ctx)
		}
	}
}

func loopback(h http.Handler) (plain *http.Client, url string, stop func()) {
	s := httptest.NewServer(h)
	return s.Client(), s.URL, s.Close
}
