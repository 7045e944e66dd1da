package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/simnet"
)

func customers() []*connector {
	return []*connector{{token: "acme", employees: 600}, {token: "birch", employees: 400}, {token: "elm", employees: 50}}
}

// In minutes as long as those of the real API, over a network as slow as a real one.
func TestRealMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, err := newAPI(time.Minute)
		require.NoError(t, err)
		const into = 17 * time.Second // of a minute
		time.Sleep(time.Until(simnet.Into(time.Now(), time.Minute, into)))
		began, all := time.Now(), customers()
		require.NoError(t, copyAll(t.Context(), &http.Client{Transport: simnet.New(api, 1)}, "http://bindbee.test", all))

		var out strings.Builder
		require.NoError(t, report(&out, api, began, all))
		for _, c := range all {
			copied, refused, used := row(t, out.String(), c.token)
			require.Equal(t, c.employees, copied)
			require.Equal(t, c.employees, api.KeyCounts(c.token).Admitted)
			require.Zero(t, refused)
			if c.token != "elm" { // which has not enough employees to use it up
				require.Greater(t, used, 99.5, c.token)
			}
		}
		// Each is done when it would be alone.
		require.InDelta(t, 3*time.Minute-into, all[0].took, float64(5*time.Second))
		require.InDelta(t, 2*time.Minute-into, all[1].took, float64(5*time.Second))
		require.Less(t, all[2].took, 50*160*time.Millisecond)
	})
}

// A refusal is possible, if seldom: a wait for so short a window may be tested, and a process that is stopped comes late.
func TestRun(t *testing.T) {
	t.Parallel() // it takes a second, and hardly any work
	chance.Test(t, runs)
}

func runs(t testing.TB) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 400*time.Millisecond, customers()), "%v", &out)
	t.Log(out.String())
	require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
	for _, c := range customers() {
		copied, refused, used := row(t, out.String(), c.token)
		require.Equal(t, c.employees, copied)
		require.Zero(t, refused)
		require.Positive(t, used)
		require.LessOrEqual(t, used, 100.)
	}
}

// row returns the numbers in the row of the table that begins with name.
func row(t testing.TB, text, name string) (copied, refused int, used float64) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` +(\d+) +(\d+) +([\d.]+) % +[\d.]+ s$`).FindStringSubmatch(text)
	require.NotNil(t, found, "no row %s in\n%s", name, text)
	_, err := fmt.Sscan(strings.Join(found[1:], " "), &copied, &refused, &used)
	require.NoError(t, err)
	return copied, refused, used
}

// answers is a transport that answers by token and path.
type answers func(token, path string) (status int, body string)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a(r.Header.Get("X-Connector-Token"), r.URL.Path)
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status), Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func TestFailureEndsAll(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"no JSON":          {200, `<`, "acme: employee 2: invalid character '<' looking for beginning of value"},
		"not found":        {404, "", `acme: employee 2: 404`},
		"another employee": {200, `"acme/employees/3"`, `acme: employee 2: the API sent "acme/employees/3"`},
		"another customer": {200, `"birch/employees/2"`, `acme: employee 2: the API sent "birch/employees/2"`},
	} {
		t.Run(name, func(t *testing.T) {
			all := customers()
			all[1].employees = 1e9
			err := copyAll(t.Context(), &http.Client{Transport: answers(func(token, path string) (int, string) {
				if token == "acme" && path == "/employees/2" {
					return c.status, c.body
				}
				return http.StatusOK, strconv.Quote(token + path)
			})}, "http://bindbee.test", all)
			require.EqualError(t, err, c.want)
			require.Zero(t, all[0].took)
		})
	}
}

func TestRefusalIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, err := newAPI(time.Minute)
		require.NoError(t, err)
		began, network := time.Now(), simnet.New(api, 1)
		spend(t, network, "elm") // as somebody else with the same token might have
		all := customers()
		require.NoError(t, copyAll(t.Context(), &http.Client{Transport: network}, "http://bindbee.test", all))
		var out strings.Builder
		require.EqualError(t, report(&out, api, began, all), "refused 1 times")
		_, refused, _ := row(t, out.String(), "elm")
		require.Equal(t, 1, refused)
	})
}

// spend uses up a minute of a connector.
func spend(t *testing.T, rt http.RoundTripper, token string) {
	for range 200 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://bindbee.test/", nil)
		require.NoError(t, err)
		req.Header.Set("X-Connector-Token", token)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		resp.Body.Close()
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, run(ctx, io.Discard, time.Hour, customers()), context.DeadlineExceeded)
	require.Less(t, time.Since(began), time.Minute) // all of it takes longer
}

func TestImpossibleMinute(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), io.Discard, time.Microsecond, nil), "apiserver: ")
}
