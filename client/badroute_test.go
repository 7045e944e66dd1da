package client_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A badRoute is one route of ten, which refuses requests while bad says so.
type badRoute struct {
	name   string
	bad    func(since time.Duration) bool
	span   time.Duration // of the test; 0 is an hour
	others int           // how many more routes are bad
	status int
	fields []string
	// request returns a request of the nth route; nil is by path.
	request func(ctx context.Context, n int) *http.Request
}

// toHost asks a host of its own for each route.
func toHost(ctx context.Context, n int) *http.Request {
	req := get(ctx, fmt.Sprintf("/route%d", n))
	req.URL.Host = fmt.Sprintf("api%d.test", n)
	return req
}

// withToken has a token of its own for each route.
func withToken(ctx context.Context, n int) *http.Request {
	req := get(ctx, "/items")
	req.Header.Set("Authorization", fmt.Sprintf("Bearer route%d", n))
	return req
}

// withScope names a scope for each route.
func withScope(ctx context.Context, n int) *http.Request {
	return get(client.WithScope(ctx, fmt.Sprint(n)), fmt.Sprintf("/route%d", n))
}

func always(time.Duration) bool { return true }

func badRoutes() []badRoute {
	return []badRoute{
		{name: "bare 429", bad: always, status: 429},
		{name: "429, Retry-After 5", bad: always, status: 429, fields: []string{"Retry-After", "5"}},
		{name: "429, Retry-After 60", bad: always, status: 429, fields: []string{"Retry-After", "60"}},
		{name: "503, Retry-After 30", bad: always, status: 503, fields: []string{"Retry-After", "30"}},
		{name: "two of them, bare 429", bad: always, others: 1, status: 429},
		{name: "two of them, 503, Retry-After 30", bad: always, others: 1, status: 503, fields: []string{"Retry-After", "30"}},
		{name: "429 for ten minutes", bad: func(d time.Duration) bool { return d < 10*time.Minute }, span: 15 * time.Minute, status: 429},
		{name: "429 after ten minutes", bad: func(d time.Duration) bool { return d > 10*time.Minute }, span: 30 * time.Minute, status: 429},
		{name: "503 after ten minutes", bad: func(d time.Duration) bool { return d > 10*time.Minute }, span: 30 * time.Minute, status: 503, fields: []string{"Retry-After", "30"}},
		{name: "one host of ten, bare 429", bad: always, status: 429, request: toHost},
		{name: "one host of ten, 429, Retry-After 60", bad: always, status: 429, fields: []string{"Retry-After", "60"}, request: toHost},
		{name: "one host of ten, 503, Retry-After 30", bad: always, status: 503, fields: []string{"Retry-After", "30"}, request: toHost},
		{name: "one token of ten, bare 429", bad: always, status: 429, request: withToken},
		{name: "one scope of ten, bare 429", bad: always, status: 429, request: withScope},
		{name: "one scope of ten, 503, Retry-After 30", bad: always, status: 503, fields: []string{"Retry-After", "30"}, request: withScope},
	}
}

// A yield is what a pool of workers got done.
type yield struct {
	served, failed, sent int
	longest              time.Duration // call
	early, late          int           // failures within 20 minutes of the start, and after
}

func (y yield) String() string {
	return fmt.Sprintf("served %d, failed %d, sent %d, longest call %v", y.served, y.failed, y.sent, y.longest.Round(time.Second))
}

// roundTrip is what the server answers.
func (b *badRoute) roundTrip(req *http.Request, since time.Duration) *http.Response {
	var n int
	name := req.URL.Path
	if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		name = "/" + token
	}
	if _, err := fmt.Sscanf(name, "/route%d", &n); err == nil && n <= b.others && b.bad(since) {
		return respond(req, b.status, b.fields...)
	}
	return respond(req, 200)
}

// work lets twenty workers ask for whichever route comes.
func (b *badRoute) work(t testing.TB, seed uint64, plain bool) (sum yield) {
	var mu sync.Mutex // guards sum
	began := time.Now()
	server := roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		sum.sent++
		mu.Unlock()
		select {
		case <-time.After(120 * time.Millisecond):
			return b.roundTrip(req, time.Since(began)), nil
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	})
	hc := &http.Client{}
	if plain {
		hc = retrying(server)
	} else {
		hc.Transport = transport(t, server)
	}
	request := b.request
	if request == nil {
		request = func(ctx context.Context, n int) *http.Request { return get(ctx, fmt.Sprintf("/route%d", n)) }
	}
	span := cmp.Or(b.span, time.Hour)
	if chance.Raced {
		span /= 10 // the figures are not judged
	}
	ctx, cancel := context.WithCancel(t.Context()) // a deadline would make calls fail before it
	defer cancel()
	time.AfterFunc(span, cancel)
	var workers sync.WaitGroup
	for i := range 20 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for ctx.Err() == nil {
				start := time.Now()
				resp, err := hc.Do(request(ctx, random.IntN(10)))
				ok := err == nil && resp.StatusCode == 200
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				mu.Lock()
				if ok {
					sum.served++
				} else if ctx.Err() == nil {
					sum.failed++
					if time.Since(began) < 20*time.Minute {
						sum.early++
					} else {
						sum.late++
					}
				}
				sum.longest = max(sum.longest, time.Since(start))
				mu.Unlock()
				if !ok {
					time.Sleep(time.Second)
				}
			}
		})
	}
	workers.Wait()
	return sum
}

// A pool of workers must not end up waiting for the one route that serves nothing.
func TestBadRoute(t *testing.T) {
	t.Parallel()
	for _, b := range badRoutes() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			var plain yield
			synctest.Test(t, func(t *testing.T) { plain = b.work(t, 1, true) })
			chance.Bubble(t, func(t testing.TB) {
				ours := b.work(t, 1, false)
				t.Logf("forbear: %v; go-retryablehttp: %v", ours, plain)
				if float64(ours.served) < .95*float64(plain.served) {
					t.Errorf("served %d requests; go-retryablehttp %d", ours.served, plain.served)
				}
				if most := max(2*plain.longest, 2*time.Minute); ours.longest > most {
					t.Errorf("a call took %v, want at most %v", ours.longest, most)
				}
			})
		})
	}
}

// A route that may open with the next minute is waited for, and so is one of which it is known how
// long it may be closed. Some of its requests still use up their retries.
func TestRouteThatOpens(t *testing.T) {
	t.Parallel()
	t.Run("for a minute", func(t *testing.T) {
		t.Parallel()
		chance.Bubble(t, func(t testing.TB) {
			b := badRoute{status: 429, span: 10 * time.Minute, bad: func(d time.Duration) bool { return 5*time.Minute < d && d < 6*time.Minute }}
			if y := b.work(t, 1, false); y.early > 0 {
				t.Errorf("%d calls failed while the route was closed for a minute, want none", y.early)
			}
		})
	})
	t.Run("for ten minutes, twice", func(t *testing.T) {
		t.Parallel()
		chance.Bubble(t, func(t testing.TB) {
			b := badRoute{status: 429, bad: func(d time.Duration) bool {
				d %= 30 * time.Minute
				return 5*time.Minute < d && d < 15*time.Minute
			}}
			if y := b.work(t, 1, false); y.late > y.early/10 || y.early == 0 {
				t.Errorf("%d calls failed when the route was closed first, and %d when it was again, want at most a tenth", y.early, y.late)
			}
		})
	})
}
