// Bindbee copies the employees of several customers out of an API with the limits of
// Bindbee, 200 requests a minute for each connector: all connectors at once, through one
// client, and none slows another. The API is built in: no network is needed.
//
//	go run ./examples/bindbee
//
// It ends with status 1 if anything fails, or if the API has to refuse a request.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, 3*time.Second, []*connector{
		{token: "acme", employees: 600}, {token: "birch", employees: 600}, {token: "cedar", employees: 400},
		{token: "delta", employees: 200}, {token: "elm", employees: 50},
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bindbee:", err)
		os.Exit(1)
	}
}

// A connector is what a customer has connected.
type connector struct {
	token     string
	employees int
	took      time.Duration // filled in
}

// copyAll copies all connectors at once. This is all that there is to do; the rest of
// the program is the API, and a look at what happens.
func copyAll(ctx context.Context, plain *http.Client, url string, connectors []*connector) error {
	hc, err := client.Wrap(plain) // or client.New(); it tells connectors apart by itself
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	var wg sync.WaitGroup
	for _, c := range connectors {
		wg.Go(func() {
			for id := 1; id <= c.employees; id++ {
				if err := c.copy(ctx, hc, fmt.Sprintf("%s/employees/%d", url, id)); err != nil {
					cancel(fmt.Errorf("%s: employee %d: %w", c.token, id, err)) // ends the others, too
					return
				}
			}
			c.took = time.Since(began)
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// copy gets one employee, as any program does: of limits it knows nothing.
func (c *connector) copy(ctx context.Context, hc *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer one-key-for-all")
	req.Header.Set("X-Connector-Token", c.token)
	resp, err := hc.Do(req) // waits while the connector has used up its quota
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	var got string
	if err = json.NewDecoder(resp.Body).Decode(&got); err == nil && got != c.token+req.URL.Path {
		err = fmt.Errorf("the API sent %q", got)
	}
	return err
}

// run copies from an API on the loopback interface, and writes what that took.
func run(ctx context.Context, out io.Writer, minute time.Duration, connectors []*connector) error {
	api, err := newAPI(minute)
	if err != nil {
		return err
	}
	server := httptest.NewServer(api)
	defer server.Close()
	fmt.Fprintf(out, "One client. The API allows each connector 200 requests a minute; its minutes last %v.\n\n", minute)
	began := time.Now()
	done := make(chan error)
	go func() { done <- copyAll(ctx, server.Client(), server.URL, connectors) }()
	for {
		select {
		case <-time.After(minute / 6):
			fmt.Fprintf(out, "%5.1f s", time.Since(began).Seconds())
			for _, c := range connectors {
				fmt.Fprintf(out, "   %s %3d", c.token, api.KeyCounts(c.token).Admitted)
			}
			fmt.Fprintln(out)
		case err := <-done:
			if err != nil {
				return err
			}
			return report(out, api, began, connectors)
		}
	}
}

// newAPI returns an API like the real one, but with minutes that one can wait for. It
// answers each request with the token and the path.
func newAPI(minute time.Duration) (*apiserver.Server, error) {
	return apiserver.NewBindbee(float64(time.Minute)/float64(minute), func(c *apiserver.Config) {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(r.Header.Get("X-Connector-Token") + r.URL.Path)
		})
	})
}

// report writes a row for each connector. It is an error if the API refused a request.
func report(out io.Writer, api *apiserver.Server, began time.Time, connectors []*connector) error {
	fmt.Fprintf(out, "\n%-9s  %9s  %13s  %10s  %6s\n", "connector", "employees", "refused (429)", "quota used", "time")
	for _, c := range connectors {
		sent := api.KeyCounts(c.token)
		possible := ratemodel.Greedy(api.Fresh(c.token), began, began.Add(c.took), 0) // had one known everything
		fmt.Fprintf(out, "%-9s  %9d  %13d  %8.1f %%  %4.1f s\n", c.token, c.employees, sent.Refused,
			100*float64(sent.Admitted)/float64(possible), c.took.Seconds())
	}
	if n := api.Counts().Refused; n > 0 {
		return fmt.Errorf("refused %d times", n)
	}
	return nil
}
