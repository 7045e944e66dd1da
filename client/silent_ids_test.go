package client_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

var (
	silentIDs     = flag.Int("silentids", 12, "how many APIs with silent limits of ids are drawn")
	silentIDsFrom = flag.Uint64("silentidsfrom", 0, "the first of their seeds")
)

// A silentIDJob is a job at an API that limits each of several ids, and tells nothing of it but by its refusals.
type silentIDJob struct {
	url     string // what follows # is sent in a body
	ids     int
	hot     bool // half of all requests are for the first
	limit   int
	window  time.Duration
	rolling bool
	bare    bool          // refusals name no wait
	patient time.Duration // 0: without a deadline
	callers int
	pool    bool // any caller asks for any id
	shared  bool // all ids share the limit
}

func drawSilentIDs(seed uint64) silentIDJob {
	rng := rand.New(rand.NewPCG(seed, 61))
	urls := []string{"/chats/12ID/messages", "/send?chat_id=ID", "/v1/orgs/acme/chats/77ID/messages?page=N", "/send#ID"}
	return silentIDJob{
		url: urls[rng.IntN(len(urls))], ids: []int{3, 5, 12}[rng.IntN(3)], hot: rng.IntN(3) == 0,
		limit: []int{1, 2, 5, 20}[rng.IntN(4)], window: []time.Duration{time.Second, 3 * time.Second, 10 * time.Second, time.Minute}[rng.IntN(4)],
		rolling: rng.IntN(2) == 0, bare: rng.IntN(3) == 0, patient: []time.Duration{0, 10 * time.Second}[rng.IntN(2)],
		callers: []int{8, 24}[rng.IntN(2)], pool: rng.IntN(2) == 0, shared: rng.IntN(4) == 0,
	}
}

// The clients of such a job.
const (
	plainClient = iota
	toldClient  // is told that ids are scopes
	ownClient
)

// run returns how many requests were served and refused in ten minutes.
func (j silentIDJob) run(t testing.TB, seed uint64, who int) (served, refused int) {
	api := &silentIDsAPI{silentIDJob: j, rng: rand.New(rand.NewPCG(seed, 3)), sent: map[string][]time.Time{}}
	rt := transportOf(t, roundTripper(api.answer), who != plainClient)
	if who == toldClient {
		told := rt
		rt = roundTripper(func(req *http.Request) (*http.Response, error) {
			return told.RoundTrip(req.WithContext(client.WithScope(req.Context(), j.idOf(req))))
		})
	}
	rt = posting(rt)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	rng := rand.New(rand.NewPCG(seed, 5))
	var mu sync.Mutex // guards rng
	askFor(ctx, t, rt, j.callers, j.patient, func(caller, n int) string {
		mu.Lock()
		defer mu.Unlock()
		id := caller
		if j.pool {
			id = rng.IntN(j.ids << 10)
		}
		if j.hot && id%2 == 0 {
			id = 0
		}
		return "https://api.test" + strings.NewReplacer("ID", strconv.Itoa(id%j.ids), "N", strconv.Itoa(n)).Replace(j.url)
	})
	return api.served, api.refused
}

// idOf returns what tells those requests apart that do not share a limit.
func (j silentIDJob) idOf(req *http.Request) string {
	if j.shared {
		return "all"
	}
	id := req.URL.Path + req.URL.Query().Get("chat_id")
	if req.GetBody != nil {
		body, _ := req.GetBody()
		text, _ := io.ReadAll(body)
		id += string(text)
	}
	return id
}

// posting sends what follows # in a URL in a body.
func posting(rt http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		chat := req.URL.Fragment
		if chat == "" {
			return rt.RoundTrip(req)
		}
		post, err := http.NewRequestWithContext(req.Context(), http.MethodPost, "https://"+req.URL.Host+req.URL.Path, strings.NewReader(`{"type": "text", "chat_id": `+chat+"}"))
		if err != nil {
			return nil, err
		}
		post.Header.Set("Content-Type", "application/json; charset=utf-8")
		return rt.RoundTrip(post)
	})
}

// Where each of several ids has a limit of its own, of which only refusals tell, the others do not wait for one that is refused.
func TestSilentLimitsOfIDs(t *testing.T) {
	t.Parallel()
	figures(t)
	var mu sync.Mutex
	sum, all, below, worst, few, many := 0.0, 0, 0, 2.0, 0, 0
	t.Cleanup(func() {
		t.Logf("in the mean %.3f, %d of %d below .9, %.3f at the least; %d refused, of a client that only retries %d", sum/float64(all), below, all, worst, few, many)
		assert.Greater(t, sum/float64(all), .915)
		assert.Less(t, few, many)
	})
	for seed := *silentIDsFrom; seed < *silentIDsFrom+uint64(*silentIDs); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := drawSilentIDs(seed)
				plain, most := j.run(t, seed, plainClient)
				told, least := j.run(t, seed, toldClient)
				served, refused := j.run(t, seed, ownClient)
				of := float64(served) / float64(min(plain, told))
				t.Logf("%.2f: served %d, %d refused, of a client that only retries %d, %d, and of one that is told %d, %d: %+v", of, served, refused, plain, most, told, least, j)
				mu.Lock()
				defer mu.Unlock()
				sum, all, worst = sum+min(of, 1), all+1, min(worst, of)
				if of < .9 {
					below++
				}
				few += refused
				many += most
			})
		})
	}
}

type silentIDsAPI struct {
	silentIDJob

	mu              sync.Mutex
	rng             *rand.Rand
	sent            map[string][]time.Time
	served, refused int
}

func (r *silentIDsAPI) answer(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	trip := time.Duration(60+r.rng.IntN(40)) * time.Millisecond
	r.mu.Unlock()
	time.Sleep(trip / 2)
	defer time.Sleep(trip / 2)
	r.mu.Lock()
	defer r.mu.Unlock()
	now, id := time.Now(), r.idOf(req)
	opens := now.Add(-r.window)
	if !r.rolling {
		opens = now.Truncate(r.window)
	}
	for len(r.sent[id]) > 0 && !r.sent[id][0].After(opens) && (r.rolling || r.sent[id][0].Before(opens)) {
		r.sent[id] = r.sent[id][1:]
	}
	if len(r.sent[id]) < r.limit {
		r.sent[id] = append(r.sent[id], now)
		r.served++
		return respond(req, http.StatusOK), nil
	}
	r.refused++
	wait := r.sent[id][0].Add(r.window).Sub(now)
	if !r.rolling {
		wait = opens.Add(r.window).Sub(now)
	}
	if r.bare {
		return respond(req, http.StatusTooManyRequests), nil
	}
	return respond(req, http.StatusTooManyRequests, "Retry-After", strconv.Itoa(int(wait.Seconds())+1)), nil
}

// An id that is seldom asked for does not wait for one that is always refused, once that was seen.
func TestSeldomIDs(t *testing.T) {
	t.Parallel()
	figures(t)
	for _, url := range []string{"/chats/12ID/messages", "/send?chat_id=ID", "/send#ID"} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				j := silentIDJob{url: url, ids: 4, limit: 6, window: time.Minute, rolling: true}
				api := &silentIDsAPI{silentIDJob: j, rng: rand.New(rand.NewPCG(1, 3)), sent: map[string][]time.Time{}}
				rt := posting(transportOf(t, roundTripper(api.answer), true))
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				busy := func(caller, _ int) string {
					return "https://api.test" + strings.ReplaceAll(url, "ID", strconv.Itoa(caller%2))
				}
				var asked, served atomic.Int32
				var seldom sync.WaitGroup
				for n := range 2 {
					seldom.Go(func() {
						for time.Sleep(time.Duration(5*n) * time.Second); ctx.Err() == nil; time.Sleep(15 * time.Second) {
							call, done := context.WithTimeout(ctx, 5*time.Second)
							req, err := http.NewRequestWithContext(call, http.MethodGet, "https://api.test"+strings.ReplaceAll(url, "ID", strconv.Itoa(2+n)), nil)
							require.NoError(t, err)
							resp, err := rt.RoundTrip(req)
							asked.Add(1)
							if err == nil && resp.StatusCode == http.StatusOK {
								served.Add(1)
							}
							done()
						}
					})
				}
				askFor(ctx, t, rt, 8, 10*time.Second, busy)
				seldom.Wait()
				t.Logf("served %d of %d that are seldom asked for, and %d in all, %d refused", served.Load(), asked.Load(), api.served, api.refused)
				assert.GreaterOrEqual(t, float64(served.Load()), .7*float64(asked.Load()))
			})
		})
	}
}
