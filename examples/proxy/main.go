// Proxy lets programs in any language share one well-behaved client: they send plain
// requests to a reverse proxy, and that sends them on to the API as its limits allow.
// The API is built in: no network is needed.
//
//	go run ./examples/proxy
//
// It ends with status 1 if anything fails, or if the API has to refuse a request.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, loopback, 3*time.Second, "report.py", "sync.js", "check.sh")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

// token is what the API knows its caller by. The programs need not know it.
const token = "secret"

// newProxy returns a proxy to an API.
func newProxy(api string, base http.RoundTripper, opts ...client.Option) (http.Handler, error) {
	target, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	transport, err := client.NewTransport(base, opts...)
	return &httputil.ReverseProxy{
		Transport:    transport, // in which requests wait when they must
		ErrorHandler: turnAway,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("X-Connector-Token", token)
		},
	}, err
}

// turnAway tells a program that its request was not sent, or not answered, in words
// that every language knows: a status, and how many seconds to stay away.
func turnAway(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusBadGateway
	switch {
	case errors.Is(err, client.ErrMaxWait): // the quota is used up for longer than we let anybody wait
		status = http.StatusTooManyRequests
	case errors.Is(err, client.ErrFull), errors.Is(err, client.ErrClosed):
		status = http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	}
	if e, ok := errors.AsType[*client.Error](err); ok && !e.Until.IsZero() {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(time.Until(e.Until).Seconds())))))
	}
	http.Error(w, http.StatusText(status), status)
}

// run lets programs run at once, and writes what comes of it. serve puts a handler on
// a network, and returns a plain client and its address there.
func run(ctx context.Context, out io.Writer, serve func(http.Handler) (*http.Client, string, func()), minute time.Duration, programs ...string) error {
	began, sent := time.Now(), 0
	api, err := apiserver.NewBindbee(float64(time.Minute)/float64(minute), func(c *apiserver.Config) {
		c.Observe = func(d apiserver.Decision) {
			if sent++; sent%50 == 0 {
				fmt.Fprintf(out, "%5.1f s   %3d requests sent on, the last for %s\n", d.Time.Sub(began).Seconds(), sent, d.Request.UserAgent())
			}
		}
	})
	if err != nil {
		return err
	}
	toAPI, address, stop := serve(api)
	defer stop()
	proxy, err := newProxy(address, toAPI.Transport)
	if err != nil {
		return err
	}
	plain, address, stop := serve(proxy)
	defer stop()
	fmt.Fprintf(out, "The API allows 200 requests in %v. %d programs that know nothing of this send 200 each to the proxy.\n\n", minute, len(programs))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, name := range programs {
		wg.Go(func() {
			if err := program(ctx, plain, address, name); err != nil {
				cancel(fmt.Errorf("%s: %w", name, err)) // ends the others, too
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	n, possible := api.Counts(), ratemodel.Greedy(api.Fresh(token), began, time.Now(), 0) // had one known everything
	fmt.Fprintf(out, "\nAll were answered in %.1f s. The API refused %d of %d; %.1f %% of the quota was used.\n",
		time.Since(began).Seconds(), n.Refused, n.Requests, 100*float64(n.Admitted)/float64(possible))
	if n.Refused > 0 {
		return fmt.Errorf("refused %d times", n.Refused)
	}
	return nil
}

// program is what a program in any language does: it sends a request after the other.
func program(ctx context.Context, plain *http.Client, url, name string) error {
	for i := range 200 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/employees/%d", url, i), nil)
		if err != nil {
			return err
		}
		req.Header.Set("User-Agent", name)
		resp, err := plain.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(text) != `{"ok":true}` {
			return errors.Join(err, fmt.Errorf("%s: %s", resp.Status, text))
		}
	}
	return nil
}

func loopback(h http.Handler) (plain *http.Client, url string, stop func()) {
	s := httptest.NewServer(h)
	return s.Client(), s.URL, s.Close
}
