package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// A jobAPI allows so many requests in each window, if it is up at all.
type jobAPI struct {
	limit             int
	window            time.Duration
	announces, retry  bool // by X-RateLimit-*, by Retry-After on a refusal
	down, down503     time.Duration
	mu                sync.Mutex
	start, began      time.Time
	count, got, again int
}

// RoundTrip takes a tenth of a second.
func (a *jobAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got++
	now := time.Now()
	h := http.Header{"Date": {now.UTC().Format(http.TimeFormat)}}
	resp := &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody, Request: req}
	switch age := now.Sub(a.start); {
	case age < a.down:
		return nil, errors.New("connection reset by peer")
	case age < a.down+a.down503:
		resp.StatusCode = http.StatusServiceUnavailable
		return resp, nil
	case a.limit == 0:
		return resp, nil
	}
	if w := now.Truncate(a.window); !w.Equal(a.began) {
		a.began, a.count = w, 0
	}
	reset := a.began.Add(a.window)
	if a.count++; a.count > a.limit {
		resp.StatusCode = http.StatusTooManyRequests
		a.again++
		if a.retry {
			h.Set("Retry-After", strconv.Itoa(int(reset.Sub(now)/time.Second)+1))
		}
	}
	if a.announces {
		h.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(max(a.limit-a.count, 0)))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	}
	return resp, nil
}

// jobs is a program that works off a list with several workers, each job with one call.
type jobs struct {
	name       string
	n, workers int
	timeout    time.Duration // of each call
	api        func() *jobAPI
}

// work returns how many jobs were done through a client.
func (j *jobs) work(hc *http.Client) int {
	hc.Timeout = j.timeout
	var next, done atomic.Int64
	var all sync.WaitGroup
	for range j.workers {
		all.Go(func() {
			for {
				i := int(next.Add(1))
				if i > j.n {
					return
				}
				req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("https://api.test/jobs/%d", i), nil)
				if resp, err := hc.Do(req); err == nil {
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						done.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	return int(done.Load())
}

// A list of jobs is not lost while a limit is closed: the calls of a plain client fail only when their patience
// is over, so that most jobs are still there when it opens.
func TestAListOfJobsIsNotLost(t *testing.T) {
	figures(t)
	minute := func(announces, retry bool) func() *jobAPI {
		return func() *jobAPI {
			return &jobAPI{limit: 100, window: time.Minute, announces: announces, retry: retry}
		}
	}
	hour := func(announces, retry bool) func() *jobAPI {
		return func() *jobAPI {
			return &jobAPI{limit: 1000, window: time.Hour, announces: announces, retry: retry}
		}
	}
	for _, j := range []jobs{
		{"a minute, announced, 30 s", 2000, 20, 30 * time.Second, minute(true, true)},
		{"a minute, announced without Retry-After, 30 s", 2000, 20, 30 * time.Second, minute(true, false)},
		{"a minute, silent, 30 s", 2000, 20, 30 * time.Second, minute(false, true)},
		{"a minute, announced, 5 s", 2000, 20, 5 * time.Second, minute(true, true)},
		{"a minute, silent, 5 s", 2000, 20, 5 * time.Second, minute(false, true)},
		{"an hour, announced", 2500, 20, 0, hour(true, true)},
		{"an hour, announced without Retry-After", 2500, 20, 0, hour(true, false)},
		{"an hour, silent", 2500, 20, 0, hour(false, true)},
		{"connections reset for a minute, 5 s", 2000, 20, 5 * time.Second, func() *jobAPI { return &jobAPI{down: time.Minute} }},
		{"503 for a minute, 2 s", 2000, 20, 2 * time.Second, func() *jobAPI { return &jobAPI{down503: time.Minute} }},
	} {
		t.Run(j.name, func(t *testing.T) {
			var plain, ours int
			var api *jobAPI
			synctest.Test(t, func(*testing.T) {
				api = j.api()
				api.start = time.Now()
				plain = j.work(retrying(api))
			})
			sent := api.got
			synctest.Test(t, func(t *testing.T) {
				api = j.api()
				api.start = time.Now()
				rt, err := client.NewTransport(api)
				require.NoError(t, err)
				defer rt.Close()
				ours = j.work(&http.Client{Transport: rt})
			})
			t.Logf("of %d jobs, go-retryablehttp does %d with %d requests, forbear %d with %d, %d refused", j.n, plain, sent, ours, api.got, api.again)
			assert.GreaterOrEqual(t, float64(ours), .955*float64(plain))
		})
	}
}

// A loop that calls until its time is over does not keep a processor busy.
func TestALoopWithADeadlineDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
		rt, err := client.NewTransport(&jobAPI{limit: 100, window: time.Minute, announces: true, retry: true})
		require.NoError(t, err)
		defer rt.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		calls, served := 0, 0
		for ; ctx.Err() == nil && calls < 10_000; calls++ {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
			if resp, err := rt.RoundTrip(req); err == nil {
				resp.Body.Close()
				served++
			}
		}
		assert.Equal(t, 100, served)
		assert.Less(t, calls, 150)
	})
}
