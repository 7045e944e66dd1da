package client_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// A refusal's wait of most of an hour may become wrong, because the quota is raised or forgotten. Requests that cannot wait so long
// find that out, after five minutes at the latest where it was said early.
func TestWaitThatBecomesWrong(t *testing.T) {
	t.Parallel()
	for _, urls := range []int{1, 3} {
		for _, told := range []bool{false, true} {
			for _, query := range []bool{false, true} {
				t.Run(fmt.Sprint(urls, told, query), func(t *testing.T) {
					t.Parallel()
					job := func(ours bool) (served, refused int) {
						chance.Bubble(t, func(t testing.TB) {
							api := &raisedAPI{opens: time.Now().Add(55 * time.Minute), left: 200, told: told}
							rt := transportOf(t, roundTripper(api.answer), ours)
							ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
							defer cancel()
							time.AfterFunc(4*time.Minute, api.raise)
							path := "https://api.test/r%d"
							if query {
								path = "https://api.test/r?page=%d"
							}
							askIn(ctx, t, rt, 6, 10*time.Second, func(caller, n int) string { return fmt.Sprintf(path, (caller+n)%urls) })
							served, refused = api.served, api.refused
						})
						return served, refused
					}
					plain, most := job(false)
					ours, refused := job(true)
					t.Logf("served %d, %d refused, and of a client that only retries %d, %d", ours, refused, plain, most)
					assert.GreaterOrEqual(t, float64(ours), .8*float64(plain))
					assert.LessOrEqual(t, refused, 20)
				})
			}
		}
	}
}

// Where all refusals name the same wait, whatever is left of a window that is shorter, requests that cannot wait so long find that out.
func TestWaitThatIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{10 * time.Minute, time.Hour} {
		for _, window := range []time.Duration{time.Minute, 5 * time.Minute} {
			for _, urls := range []int{1, 4} {
				t.Run(fmt.Sprint(wait, window, urls), func(t *testing.T) {
					t.Parallel()
					job := func(ours bool) (served, refused int) {
						chance.Bubble(t, func(t testing.TB) {
							api := &raisedAPI{opens: time.Now().Add(window), left: 200, window: window, wait: wait}
							rt := transportOf(t, roundTripper(api.answer), ours)
							ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
							defer cancel()
							askIn(ctx, t, rt, 6, 10*time.Second, func(caller, n int) string { return fmt.Sprintf("https://api.test/r%d", (caller+n)%urls) })
							served, refused = api.served, api.refused
						})
						return served, refused
					}
					plain, most := job(false)
					ours, refused := job(true)
					t.Logf("served %d, %d refused, and of a client that only retries %d, %d", ours, refused, plain, most)
					assert.GreaterOrEqual(t, float64(ours), .5*float64(plain))
				})
			}
		}
	}
}

// A raisedAPI has so many requests left until it opens, or its quota is raised.
type raisedAPI struct {
	opens time.Time
	told  bool // what is left

	window, wait time.Duration // if not 0, it opens again after that, and refusals name this

	mu              sync.Mutex
	left            int
	served, refused int
}

func (r *raisedAPI) raise() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += 1_000_000
}

func (r *raisedAPI) answer(req *http.Request) (*http.Response, error) {
	time.Sleep(time.Second)
	r.mu.Lock()
	defer r.mu.Unlock()
	status, fields := http.StatusOK, []string{"Date", time.Now().UTC().Format(http.TimeFormat)}
	if r.window > 0 && !time.Now().Before(r.opens) {
		r.left, r.opens = 200, time.Now().Add(r.window)
	}
	reset := strconv.Itoa(int(time.Until(r.opens).Seconds()) + 1)
	if r.wait > 0 {
		reset = strconv.Itoa(int(r.wait.Seconds()))
	}
	if r.left == 0 {
		r.refused++
		status, fields = http.StatusTooManyRequests, append(fields, "Retry-After", reset)
	} else {
		r.left--
		r.served++
	}
	if r.told {
		fields = append(fields, "X-RateLimit-Limit", "1000000", "X-RateLimit-Remaining", strconv.Itoa(r.left), "X-RateLimit-Reset", reset)
	}
	return respond(req, status, fields...), nil
}

// askIn is ask, with so long for each request.
func askIn(ctx context.Context, t testing.TB, rt http.RoundTripper, callers int, patience time.Duration, url func(caller, n int) string) {
	ask(ctx, t, roundTripper(func(req *http.Request) (*http.Response, error) {
		one, cancel := context.WithTimeout(req.Context(), patience)
		defer cancel()
		return rt.RoundTrip(req.WithContext(one))
	}), callers, url)
}
