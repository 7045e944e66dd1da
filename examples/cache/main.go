// Cache puts an HTTP cache above forbear, where it belongs, and then below it, and
// compares how many lookups get an answer. The API is built in.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/gohugoio/httpcache"
	"golang.org/x/sync/errgroup"
)

// stack puts a cache above forbear: a hit never gets there, so it costs no quota, waits
// for none, and nobody believes what its old header says of limits. The other order is
// wrong: a hit waits as if it were sent, and forbear has to see that its header is old.
func stack(order string, network http.RoundTripper) (http.RoundTripper, error) {
	if order == "below" {
		return client.NewTransport(cached(network))
	}
	limited, err := client.NewTransport(network)
	return cached(limited), err
}

// cached returns a private cache, one for each key of an API.
func cached(base http.RoundTripper) http.RoundTripper {
	return &httpcache.Transport{Transport: base, Cache: new(memory), MarkCachedResponses: true}
}

// memory keeps what is cached, without bounds.
type memory struct{ all sync.Map }

func (m *memory) Set(key string, response []byte) { m.all.Store(key, response) }
func (m *memory) Delete(key string)               { m.all.Delete(key) }
func (m *memory) Get(key string) ([]byte, bool) {
	v, ok := m.all.Load(key)
	response, _ := v.([]byte)
	return response, ok
}

func main() {
	c := config{2 * time.Second, 5 * time.Second, func(api http.Handler) (string, http.RoundTripper) {
		return httptest.NewServer(api).URL, http.DefaultTransport
	}}
	if err := run(context.Background(), os.Stdout, c); err != nil {
		fmt.Fprintln(os.Stderr, "cache:", err)
		os.Exit(1)
	}
}

const limit, callers, each = 20, 10, 3 // each caller has rates of its own to look up

// A config says how long a window of the API is, how long to run, and how to connect.
type config struct {
	window, length time.Duration
	connect        func(api http.Handler) (url string, network http.RoundTripper)
}

// run compares both orders. It fails if an answer was wrong, or if the API refused one.
func run(ctx context.Context, out io.Writer, c config) error {
	fmt.Fprintf(out, "%d exchange rates, fresh for five minutes each; %d requests in %v allowed.\n\n", callers*each, limit, c.window)
	fmt.Fprintln(out, `cache          lookups    hits  requests  refused  slowest hit  hits whose header says "0 left"`)
	for _, order := range []string{"above", "below"} {
		var r result
		sent, err := r.measure(ctx, c, order)
		fmt.Fprintf(out, "%s forbear  %7d  %6d  %8d  %7d  %11v  %d\n",
			order, r.lookups, r.hits, sent.Requests, sent.Refused, r.slowest.Round(time.Millisecond), r.empty)
		if err != nil || sent.Refused > 0 {
			return cmp.Or(err, fmt.Errorf("refused %d times", sent.Refused))
		}
	}
	_, err := fmt.Fprintln(out, "\nAbove, a hit costs nothing. Below, it waits as if it were sent.")
	return err
}

// A result is what became of some lookups.
type result struct {
	mu            sync.Mutex // guards what follows
	lookups, hits int
	empty         int           // hits whose header says that no requests are left
	slowest       time.Duration // hit
}

// measure has callers look up all rates again and again, from an API of their own.
func (r *result) measure(ctx context.Context, c config, order string) (apiserver.Counts, error) {
	api, err := apiserver.New(apiserver.Config{Rules: []apiserver.Rule{{
		Model:   func(string) ratemodel.Model { return ratemodel.NewFixed(limit, c.window) },
		Dialect: apiserver.Dialect{Fields: apiserver.XRateLimit, Rounding: apiserver.Exact, RetryAfter: apiserver.Seconds},
	}}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		_ = json.NewEncoder(w).Encode(r.URL.Path) // in place of a rate
	})})
	if err != nil {
		return apiserver.Counts{}, err
	}
	url, network := c.connect(api)
	transport, err := stack(order, network)
	if err != nil {
		return apiserver.Counts{}, err
	}
	group, ctx := errgroup.WithContext(ctx)
	for i := range callers {
		group.Go(func() error { return r.lookUp(ctx, &http.Client{Transport: transport}, url, i, c) })
	}
	err = group.Wait()
	return api.Counts(), err
}

// lookUp gets one rate after the other, as any program does.
func (r *result) lookUp(ctx context.Context, hc *http.Client, url string, n int, c config) error {
	for end := time.Now().Add(c.length); time.Now().Before(end); n += callers {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/rates/%d", url, n%(each*callers)), nil)
		if err = cmp.Or(err, ctx.Err()); err != nil { // a hit would not notice
			return err
		}
		began := time.Now()
		resp, err := hc.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body) // to its end: only then is it cached
		resp.Body.Close()
		if err != nil || string(text) != fmt.Sprintf("%q\n", req.URL.Path) {
			return cmp.Or(err, fmt.Errorf("%s: %s %q", req.URL, resp.Status, text))
		}
		r.mu.Lock()
		r.lookups++
		if resp.Header.Get(httpcache.XFromCache) != "" {
			r.hits++
			r.slowest = max(r.slowest, time.Since(began))
			if resp.Header.Get("X-RateLimit-Remaining") == "0" {
				r.empty++
			}
		}
		r.mu.Unlock()
		time.Sleep(c.window / 100) // there are other things to do
	}
	return nil
}
