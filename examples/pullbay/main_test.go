package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/stretchr/testify/require"
)

// shop returns an API on the Free plan, and a fetcher that reaches it in virtual time.
func shop(t *testing.T) (*apiserver.Pullbay, *fetcher) {
	t.Helper()
	api, err := apiserver.NewPullbay(apiserver.Free, 1)
	require.NoError(t, err)
	return api, &fetcher{api: api, url: "http://api.pullbay.test", base: simnet.New(api, 1), apps: 15}
}

// spend sends n requests past the client: as somebody else with the same key.
func spend(api http.Handler, n int, path string) {
	for range n {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", key)
		api.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// seconds returns how long the output says that it took to fetch the reviews of so many
// apps, of which each has 6 pages.
func seconds(t testing.TB, out string, apps int) float64 {
	t.Helper()
	found := regexp.MustCompile(fmt.Sprintf(`(?m)^%d reviews in ([\d.]+) s: %d requests, 0 refused, %d credits\.$`,
		3000*apps, 6*apps, 30*apps)).FindStringSubmatch(out)
	require.NotNil(t, found, "no result in\n%s", out)
	s, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return s
}

// With the limits as they are documented: 10 pages at once and 5 after a minute, as Free
// allows, then 45 of the 60 of Starter, and 30 when the first of them leave the window.
func TestPlanIsUpgradedOnTheFly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, f := shop(t)
		var out strings.Builder
		require.NoError(t, f.run(t.Context(), &out), "%v", &out)
		took := seconds(t, out.String(), 15)
		t.Logf("%.1f s", took)
		require.GreaterOrEqual(t, took, 120.)
		require.Less(t, took, 132.)
		require.Equal(t, apiserver.Starter, api.Plan(key))
		require.Contains(t, out.String(), "10 a minute")
		require.Contains(t, out.String(), "60 a minute")
		require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
	})
}

// A refusal is possible, if seldom: a wait for so short a window may be tested, and a process that is stopped comes late.
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	chance.Test(t, realNetwork)
}

func realNetwork(t testing.TB) {
	const speed = 120
	api, err := apiserver.NewPullbay(apiserver.Free, speed)
	require.NoError(t, err)
	server := httptest.NewServer(api)
	defer server.Close()
	var out strings.Builder
	require.NoError(t, (&fetcher{api: api, url: server.URL, apps: 5}).run(t.Context(), &out), "%v", &out)
	t.Logf("%.1f s", seconds(t, out.String(), 5))
	require.Equal(t, apiserver.Starter, api.Plan(key))
}

func TestRefusalIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, f := shop(t)
		spend(api, int(apiserver.Free), "/v1/nothing") // costs no credits
		var out strings.Builder
		require.EqualError(t, f.run(t.Context(), &out), "1 requests refused, 450 credits charged")
	})
}

func TestCreditsThatDoNotAddUpAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, f := shop(t)
		spend(api, 1, endpoint+"?app_id=other")
		var out strings.Builder
		require.EqualError(t, f.run(t.Context(), &out), "0 requests refused, 451 credits charged")
	})
}

func TestWrongAnswersAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		status int
		want   string
	}{
		"status":         {"{}", http.StatusNotFound, "com.example.app0: 404 Not Found"},
		"not JSON":       {"<", http.StatusOK, "com.example.app0: invalid character"},
		"missing review": {`{"data":[{"id":2999}],"meta":{"total":3000}}`, http.StatusOK, `the page after "" does not begin with review 3000`},
		"no review":      {`{"data":[],"meta":{"total":3000}}`, http.StatusOK, `the page after "" does not begin with review 3000`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, f := shop(t)
				f.apps = 1
				f.base = simnet.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(c.answer))
				}), 1)
				require.ErrorContains(t, f.run(t.Context(), new(strings.Builder)), c.want)
			})
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, f := shop(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, f.run(ctx, new(strings.Builder)), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(began), 10*time.Second)
	})
}
