package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/gohugoio/httpcache"
	"github.com/stretchr/testify/require"
)

// minutes is a run of ten minutes with windows of one, in virtual time.
func minutes() config {
	return config{time.Minute, 10 * time.Minute, func(api http.Handler) (string, http.RoundTripper) {
		return "http://api.test", simnet.New(api, 1)
	}}
}

func TestHitsAboveForbearCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r result
		sent, err := r.measure(t.Context(), minutes(), "above")
		require.NoError(t, err)
		t.Log(&r, sent)
		require.Zero(t, sent.Refused)
		require.Equal(t, r.lookups, r.hits+sent.Requests)
		require.Zero(t, r.slowest, "a hit waited")
		require.Positive(t, r.empty, "no header that could have misled")
		require.Greater(t, r.hits, 5000, "20 callers, 100 times a minute, for most of ten minutes")
	})
}

func TestHitsBelowForbearWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r result
		sent, err := r.measure(t.Context(), minutes(), "below")
		require.NoError(t, err)
		t.Log(&r, sent)
		require.Zero(t, sent.Refused, "an old header was believed")
		require.Greater(t, r.slowest, 30*time.Second)
	})
}

// A header that says that nothing is left stops nobody once it comes out of a cache.
func TestStaleZeroStopsNobody(t *testing.T) {
	for _, order := range []string{"above", "below"} {
		t.Run(order, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, err := apiserver.New(apiserver.Config{
					Rules: []apiserver.Rule{{
						Model:   func(string) ratemodel.Model { return ratemodel.NewFixed(10, time.Minute) },
						Dialect: apiserver.Dialect{Fields: apiserver.XRateLimit},
					}},
					Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Cache-Control", "max-age=600")
					}),
				})
				require.NoError(t, err)
				rt, err := stack(order, simnet.New(api, 1))
				require.NoError(t, err)
				hc := &http.Client{Transport: rt}
				get := func(path string) (remaining string, cached bool) {
					resp, err := hc.Get("http://api.test" + path)
					require.NoError(t, err)
					_, err = resp.Body.Read(make([]byte, 1))
					require.Error(t, err, "an empty body")
					resp.Body.Close()
					return resp.Header.Get("X-RateLimit-Remaining"), resp.Header.Get(httpcache.XFromCache) != ""
				}
				for i := range 10 {
					remaining, cached := get(fmt.Sprint("/", i))
					require.Equal(t, strconv.Itoa(9-i), remaining)
					require.False(t, cached)
				}
				time.Sleep(2 * time.Minute)
				remaining, cached := get("/9")
				require.Equal(t, "0", remaining, "old news")
				require.True(t, cached)
				began := time.Now()
				_, cached = get("/new")
				require.False(t, cached)
				require.Less(t, time.Since(began), time.Second, "the old news was believed")
				require.Equal(t, apiserver.Counts{Requests: 11, Admitted: 11}, api.Counts())
			})
		})
	}
}

// A refusal is possible, if seldom: a wait for so short a window may be tested, and a process that is stopped comes late.
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	chance.Test(t, realNetwork)
}

func realNetwork(t testing.TB) {
	c := config{window: 300 * time.Millisecond, length: 600 * time.Millisecond, connect: func(api http.Handler) (string, http.RoundTripper) {
		server := httptest.NewServer(api)
		t.Cleanup(server.Close)
		return server.URL, server.Client().Transport
	}}
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, c), "%v", &out)
	t.Log(&out)
	require.Regexp(t, `(?m)^above forbear +\d+ +\d+ +\d+ +0 `, out.String())
	require.Regexp(t, `(?m)^below forbear +\d+ +\d+ +\d+ +0 `, out.String())
	require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
}

func TestRefusalIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := minutes()
		inner := c.connect
		c.connect = func(api http.Handler) (string, http.RoundTripper) {
			for range limit { // somebody else is faster
				api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			}
			return inner(api)
		}
		var out strings.Builder
		require.EqualError(t, run(t.Context(), &out, c), "refused 1 times")
		require.Contains(t, out.String(), "above forbear")
	})
}

func TestWrongAnswersAreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := minutes()
		c.connect = func(http.Handler) (string, http.RoundTripper) {
			return "http://api.test", simnet.New(http.NotFoundHandler(), 1)
		}
		require.ErrorContains(t, run(t.Context(), new(strings.Builder), c), "404 Not Found")
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, run(ctx, new(strings.Builder), minutes()), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(began), 91*time.Second)
	})
}
