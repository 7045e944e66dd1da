package client_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
)

// A randomShedder refuses a share of all requests, whatever their rate, from the first on.
type randomShedder struct {
	mu     sync.Mutex
	rng    *rand.Rand
	share  float64
	status int
	wait   string // what Retry-After says; empty is not there
	served int

	announced bool // that much is left
}

func (s *randomShedder) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	bad := s.rng.Float64() < s.share
	back := 40*time.Millisecond + time.Duration(s.rng.IntN(20))*time.Millisecond
	there := 40*time.Millisecond + time.Duration(s.rng.IntN(20))*time.Millisecond
	s.mu.Unlock()
	for _, d := range []time.Duration{there, back} {
		select {
		case <-time.After(d):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}
	if s.announced && !bad {
		for name, value := range map[string]string{"Limit": "1000000", "Remaining": "900000", "Reset": "3600"} {
			resp.Header.Set("X-RateLimit-"+name, value)
		}
	}
	if bad {
		resp.StatusCode = s.status
		if s.wait != "" {
			resp.Header.Set("Retry-After", s.wait)
		}
		return resp, nil
	}
	s.mu.Lock()
	s.served++
	s.mu.Unlock()
	return resp, nil
}

// A shedJob is a program whose callers send one request after the other.
type shedJob struct {
	share           float64
	status          int
	wait            string
	callers, routes int
	announced       bool
	mixed           bool    // each caller takes one route after the other
	least, worst    float64 // of what go-retryablehttp gets, on average and in one draw
}

// served returns how many requests of the job are served in a while.
func (j shedJob) served(t testing.TB, seed uint64, wrap func(http.RoundTripper) http.RoundTripper) int {
	s := &randomShedder{rng: rand.New(rand.NewPCG(seed, 1)), share: j.share, status: j.status, wait: j.wait, announced: j.announced}
	rt := wrap(s)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ask(ctx, t, rt, j.callers, func(caller, n int) string {
		if j.mixed {
			caller += n
		}
		return "https://api.test/" + strings.Repeat("x", caller%j.routes+1)
	})
	return s.served
}

// ask has callers send one request after the other, to the URL of the caller's n-th, until ctx is done. They pause
// after a failure.
func ask(ctx context.Context, t testing.TB, rt http.RoundTripper, callers int, url func(caller, n int) string) {
	askFor(ctx, t, rt, callers, 0, url)
}

// askFor is ask with calls that wait for no longer than the given time, if it is not 0.
func askFor(ctx context.Context, t testing.TB, rt http.RoundTripper, callers int, patience time.Duration, url func(caller, n int) string) {
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond)
			for n := 0; ctx.Err() == nil; n++ {
				call, done := ctx, context.CancelFunc(func() {})
				if patience > 0 {
					call, done = context.WithTimeout(ctx, patience)
				}
				req, err := http.NewRequestWithContext(call, http.MethodGet, url(i, n), nil)
				require.NoError(t, err)
				resp, err := rt.RoundTrip(req)
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
				done()
				if ctx.Err() == nil && (err != nil || resp.StatusCode != http.StatusOK) {
					time.Sleep(time.Second)
				}
			}
		})
	}
	group.Wait()
}

// What is learned from a server that sheds load never becomes a spiral, not even for a few
// callers, of whose requests none is under way that could prove it, and not if it names long
// waits. Each part is the mean of six draws.
func TestSheddingIsNoSpiral(t *testing.T) {
	t.Parallel()
	for i, j := range []shedJob{
		{share: .01, status: 429, callers: 20, routes: 5, mixed: true, least: .97, worst: .9},
		{share: .01, status: 429, wait: "1", callers: 20, routes: 5, mixed: true, announced: true, least: .97, worst: .9},
		{share: .003, status: 429, callers: 5, routes: 5, mixed: true, announced: true, least: .97, worst: .95},
		{share: .02, status: 429, callers: 20, routes: 10, mixed: true, least: .97, worst: .9},
		{share: .05, status: 429, callers: 20, routes: 10, mixed: true, least: 1, worst: .85},
		{share: .2, status: 429, callers: 20, routes: 10, mixed: true, least: 1, worst: .75},
		{share: .1, status: 429, wait: "1", callers: 5, routes: 1, least: .85},
		{share: .2, status: 429, callers: 1, routes: 1, least: .9},
		{share: .2, status: 429, callers: 20, routes: 1, least: .9},
		{share: .2, status: 429, callers: 20, routes: 20, announced: true, least: .9},
		{share: .2, status: 429, wait: "1", callers: 20, routes: 1, least: .85},
		{share: .2, status: 429, wait: "3", callers: 20, routes: 1, announced: true, least: .95, worst: .9},
		{share: .35, status: 429, wait: "2", callers: 2, routes: 2, least: .8},
		{share: .35, status: 429, wait: "2", callers: 20, routes: 20, least: .8},
		{share: .5, status: 429, callers: 20, routes: 1, announced: true, least: .8},
		{share: .5, status: 429, callers: 20, routes: 20, least: .8},
		{share: .5, status: 429, wait: "1", callers: 1, routes: 1, least: .8},
		{share: .5, status: 429, wait: "1", callers: 20, routes: 1, least: .8},
		{share: .5, status: 429, wait: "3", callers: 20, routes: 20, announced: true, least: .75},
		{share: .2, status: 429, wait: "10", callers: 100, routes: 1, announced: true, least: .95, worst: .9},
		{share: .5, status: 429, wait: "10", callers: 20, routes: 1, announced: true, least: .95, worst: .9},
		{share: .02, status: 429, wait: "1", callers: 20, routes: 1, announced: true, least: .95, worst: .9},
		{share: .5, status: 429, wait: "1", callers: 5, routes: 1, announced: true, least: .9, worst: .85},
		{share: .05, status: 429, callers: 1, routes: 1, announced: true, least: .95, worst: .9},
		{share: .02, status: 429, wait: "10", callers: 20, routes: 1, least: .95, worst: .85},
		{share: .2, status: 429, wait: "3", callers: 20, routes: 1, least: .93, worst: .85},
		{share: .2, status: 429, wait: "10", callers: 20, routes: 1, least: .95},
		{share: .2, status: 429, wait: "10", callers: 20, routes: 20, least: .9},
		{share: .2, status: 429, wait: "10", callers: 1, routes: 1, least: .85},
		{share: .5, status: 429, wait: "30", callers: 20, routes: 1, least: .95, worst: .9},
		{share: .05, status: 503, wait: "30", callers: 5, routes: 1, least: .95, worst: .9},
		{share: .35, status: 503, wait: "2", callers: 20, routes: 1, least: .9},
		{share: .5, status: 503, callers: 20, routes: 1, announced: true, least: .85},
		{share: .5, status: 503, wait: "1", callers: 1, routes: 1, least: .85},
	} {
		t.Run(fmt.Sprintf("%v of all by %d %s, %d callers of %d routes, %v", j.share, j.status, j.wait, j.callers, j.routes, j.announced), func(t *testing.T) {
			t.Parallel()
			if chance.Raced && i%4 > 0 {
				t.Skip("it takes too long")
			}
			chance.Test(t, func(t testing.TB) {
				draws := 6.
				if chance.Raced {
					draws = 1 // the figures take too long
				}
				mean, worst := 0.0, math.Inf(1)
				for seed := range uint64(draws) {
					part := j.part(t, seed)
					mean, worst = mean+part/draws, min(worst, part)
				}
				t.Logf("%.2f of what a client gets that only retries, %.2f at worst: %s", mean, worst, t.Name())
				assert.GreaterOrEqual(t, mean, j.least)
				assert.GreaterOrEqual(t, worst, j.worst)
			})
		})
	}
}

// part returns what is served in parts of what go-retryablehttp gets.
func (j shedJob) part(t testing.TB, seed uint64) float64 {
	var ours, plain int
	chance.Bubble(t, func(t testing.TB) {
		var transport *client.Transport
		ours = j.served(t, seed, func(base http.RoundTripper) http.RoundTripper {
			var err error
			transport, err = client.NewTransport(base)
			require.NoError(t, err)
			return transport
		})
		transport.Close()
	})
	chance.Bubble(t, func(t testing.TB) {
		plain = j.served(t, seed, func(base http.RoundTripper) http.RoundTripper { return retrying(base).Transport })
	})
	return float64(ours) / float64(plain)
}
