package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/simnet"
)

var documented = apiserver.BundleportLimits{Minute: 600, Hour: 15_000, Day: 250_000}

// crowd counts the requests that are under way over a network as slow as a real one.
type crowd struct {
	base http.RoundTripper

	mu        sync.Mutex // guards what follows
	now, most int
}

func (c *crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	c.add(1)
	defer c.add(-1)
	return c.base.RoundTrip(r)
}

func (c *crowd) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

// With the limits, the minutes and the hours of the real API.
func TestDocumentedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(simnet.Into(time.Now(), time.Hour, 50*time.Minute+20*time.Second)))
		var wire *crowd
		var out strings.Builder
		require.NoError(t, run(t.Context(), &out, func(h http.Handler) (*http.Client, string, func()) {
			wire = &crowd{base: simnet.New(h, 1)}
			return &http.Client{Transport: wire}, "http://bundleport.test", func() {}
		}, documented, time.Hour, 36_000))
		t.Log(out.String())
		require.Equal(t, 10, wire.most, "under way at once")
		asked, refused := result(t, out.String())
		require.Zero(t, refused)
		require.Less(t, asked, 33_000, "the cache has not helped")
		require.Regexp(t, `   minute +\d+ of 600   hour +\d+ of 15000   day +\d+ of 250000   `, out.String())
		// 10 minutes of 600, an hour of 15,000, and some more of the next.
		require.Greater(t, asked, 10*600+15_000)
	})
}

// A refusal is possible, if seldom: a wait for so short a window may be tested, and a process that is stopped comes late.
func TestOnLoopback(t *testing.T) {
	t.Parallel() // it takes a second, and hardly any work
	chance.Test(t, onLoopback)
}

func onLoopback(t testing.TB) {
	var out strings.Builder
	small := apiserver.BundleportLimits{Minute: 20, Hour: 250, Day: 2500}
	require.NoError(t, run(t.Context(), &out, loopback, small, 1200*time.Millisecond, 800), "%v", &out)
	t.Log(out.String())
	require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
	asked, refused := result(t, out.String())
	require.Zero(t, refused)
	require.Positive(t, asked)
	require.Less(t, asked, 800, "the cache has not helped")
}

// result returns how many requests were sent, and refused.
func result(t testing.TB, text string) (asked, refused int) {
	t.Helper()
	found := regexp.MustCompile(`The API was asked (\d+) times in [\d.]+ s, and refused (\d+)\.`).FindStringSubmatch(text)
	require.NotNil(t, found, text)
	_, err := fmt.Sscan(found[1]+" "+found[2], &asked, &refused)
	require.NoError(t, err)
	return asked, refused
}

func TestRefusalIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := run(t.Context(), io.Discard, func(h http.Handler) (*http.Client, string, func()) {
			for range 60 { // as somebody else with the same account might have
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/hotels/v1/search", nil))
			}
			return &http.Client{Transport: simnet.New(h, 1)}, "http://bundleport.test", func() {}
		}, apiserver.BundleportLimits{Minute: 60}, time.Hour, 80)
		require.EqualError(t, err, "refused 1 times")
	})
}

// answers is a transport that echoes, after a second and as often as it is asked.
type answers struct {
	asked atomic.Int64
	fail  func(body string) (status int, answer string, err error) // nil is never
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Second)
	status, answer := http.StatusOK, string(body)
	if a.fail != nil {
		if status, answer, err = a.fail(answer); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}

func newSearcher(a *answers) *searcher {
	return &searcher{client: &http.Client{Transport: a}, url: "http://bundleport.test", keep: time.Minute}
}

func TestCacheAnswersForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a answers
		s := newSearcher(&a)
		for range 20 { // at once
			go func() {
				hotels, err := s.search(t.Context(), "x")
				assert.NoError(t, err)
				assert.Equal(t, "x", hotels)
			}()
		}
		time.Sleep(time.Minute) // of which the answer took a second
		require.EqualValues(t, 1, a.asked.Load())
		_, err := s.search(t.Context(), "x")
		require.NoError(t, err)
		require.EqualValues(t, 1, a.asked.Load())
		_, err = s.search(t.Context(), "y")
		require.NoError(t, err)
		require.EqualValues(t, 2, a.asked.Load())
		_, err = s.search(t.Context(), "x")
		require.NoError(t, err)
		require.EqualValues(t, 3, a.asked.Load(), "the minute is over")
	})
}

func TestCacheKeepsNoFailure(t *testing.T) {
	gone := errors.New("unplugged")
	for name, c := range map[string]struct {
		status int
		answer string
		err    error
		want   string
	}{
		"status":         {http.StatusBadGateway, "x", nil, `search for x: Bad Gateway, "x"`},
		"another search": {http.StatusOK, "y", nil, `search for x: OK, "y"`},
		"network":        {0, "", gone, "unplugged"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := answers{fail: func(string) (int, string, error) { return c.status, c.answer, c.err }}
				s := newSearcher(&a)
				for range 2 {
					_, err := s.search(t.Context(), "x")
					require.ErrorContains(t, err, c.want)
				}
				require.EqualValues(t, 2, a.asked.Load())
			})
		})
	}
}

// Whoever waits for the answer to somebody else's search may give up.
func TestSearchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a answers
		s := newSearcher(&a)
		go func() { _, _ = s.search(t.Context(), "x") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.search(ctx, "x")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualValues(t, 1, a.asked.Load())
		time.Sleep(time.Second) // until the other has got its answer
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, run(ctx, io.Discard, loopback, apiserver.BundleportLimits{Minute: 1}, time.Hour, 1e6), context.DeadlineExceeded)
	require.Less(t, time.Since(began), time.Minute) // all of it takes longer
}

func TestImpossibleAccount(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), io.Discard, loopback, apiserver.BundleportLimits{Minute: -1}, time.Hour, 1), "apiserver: ")
}
