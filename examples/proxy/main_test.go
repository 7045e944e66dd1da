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
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/simnet"
)

// slow is a network as slow as a real one.
func slow(h http.Handler) (*http.Client, string, func()) {
	return &http.Client{Transport: simnet.New(h, 1)}, "http://somewhere.test", func() {}
}

// In minutes as long as those of the real API.
func TestDocumentedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const into = 17 * time.Second // of a minute
		time.Sleep(time.Until(simnet.Into(time.Now(), time.Minute, into)))
		began := time.Now()
		var out strings.Builder
		require.NoError(t, run(t.Context(), &out, slow, time.Minute, "a", "b", "c"))
		t.Log(out.String())
		sent, refused, used := result(t, out.String())
		require.Equal(t, []int{600, 0}, []int{sent, refused})
		require.Greater(t, used, 99.5)
		// The third minute's quota lasts to the end, but need not be spread to it.
		took := time.Since(began)
		require.Greater(t, took, 2*time.Minute-into)
		require.LessOrEqual(t, took, 3*time.Minute-into)
	})
}

// In windows as short as these a wait may be tested, and a process that is stopped comes late: on a busy machine
// one in forty of the runs with one processor has a refusal.
func TestOnLoopback(t *testing.T) {
	t.Parallel() // it takes a second, and hardly any work
	chance.Test(t, onLoopback)
}

func onLoopback(t testing.TB) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, loopback, 400*time.Millisecond, "a", "b"), "%v", &out)
	t.Log(out.String())
	require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
	sent, refused, used := result(t, out.String())
	require.Equal(t, []int{400, 0}, []int{sent, refused})
	require.Positive(t, used)
	require.LessOrEqual(t, used, 100.)
}

// result returns the numbers in the last line.
func result(t testing.TB, text string) (sent, refused int, used float64) {
	t.Helper()
	found := regexp.MustCompile(`The API refused (\d+) of (\d+); ([\d.]+) % of the quota was used\.`).FindStringSubmatch(text)
	require.NotNil(t, found, text)
	_, err := fmt.Sscan(strings.Join(found[1:], " "), &refused, &sent, &used)
	require.NoError(t, err)
	return sent, refused, used
}

func TestTurnAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) time.Time { return time.Now().Add(d) }
		for name, c := range map[string]struct {
			err    error
			status int
			after  string // "" is none
		}{
			"used up":         {&client.Error{Reason: client.ErrMaxWait, Until: in(90*time.Minute + 1)}, 429, "5401"},
			"for a moment":    {&client.Error{Reason: client.ErrMaxWait, Until: in(time.Millisecond)}, 429, "1"},
			"in the past":     {&client.Error{Reason: client.ErrMaxWait, Until: in(-time.Hour)}, 429, "1"},
			"nobody knows":    {&client.Error{Reason: client.ErrMaxWait}, 429, ""},
			"full":            {&client.Error{Reason: client.ErrFull, Until: in(3 * time.Second)}, 503, "3"},
			"closed":          {&client.Error{Reason: client.ErrClosed}, 503, ""},
			"before deadline": {&client.Error{Reason: context.DeadlineExceeded, Until: in(time.Minute)}, 504, "60"},
			"deadline":        {context.DeadlineExceeded, 504, ""},
			"wrapped":         {fmt.Errorf("proxy: %w", &client.Error{Reason: client.ErrMaxWait, Until: in(time.Second)}), 429, "1"},
			"network":         {errors.New("dial tcp 10.1.2.3:443: connection refused"), 502, ""},
		} {
			w := httptest.NewRecorder()
			turnAway(w, nil, c.err)
			require.Equal(t, c.status, w.Code, name)
			require.Equal(t, c.after, w.Header().Get("Retry-After"), name)
			require.Equal(t, http.StatusText(c.status)+"\n", w.Body.String(), "%s: nothing of what is behind the proxy", name)
		}
	})
}

// through returns a plain client of a proxy to the API with real minutes.
func through(t *testing.T, opts ...client.Option) (*http.Client, *apiserver.Server) {
	t.Helper()
	api, err := apiserver.NewBindbee(1)
	require.NoError(t, err)
	toAPI, address, _ := slow(api)
	proxy, err := newProxy(address, toAPI.Transport, opts...)
	require.NoError(t, err)
	plain, _, _ := slow(proxy)
	return plain, api
}

func get(t *testing.T, ctx context.Context, plain *http.Client) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://somewhere.test/employees", nil)
	require.NoError(t, err)
	req.Header.Set("X-Connector-Token", "the program's own")
	return plain.Do(req)
}

// A program that would have to wait for longer than the proxy lets it is told when to
// come back, and then it is let through. The API is not troubled.
func TestUsedUpForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plain, api := through(t, client.WithPacing(client.Burst), client.WithMaxWait(10*time.Second))
		var resp *http.Response
		for i := range 201 {
			var err error
			resp, err = get(t, t.Context(), plain)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, i < 200, resp.StatusCode == http.StatusOK)
		}
		require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
		after, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
		require.NoError(t, err)
		require.Less(t, 10*time.Second, after)
		require.Less(t, after, time.Minute)

		time.Sleep(after)
		resp, err = get(t, t.Context(), plain)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, apiserver.Counts{Requests: 201, Admitted: 201}, api.Counts())
		require.Equal(t, 201, api.KeyCounts(token).Admitted, "the token is that of the proxy")
	})
}

// A program that goes away while it waits costs nothing.
func TestProgramGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plain, api := through(t, client.WithPacing(client.Burst))
		for range 200 {
			resp, err := get(t, t.Context(), plain)
			require.NoError(t, err)
			resp.Body.Close()
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := get(t, ctx, plain)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(began), 2*time.Second)
		time.Sleep(2 * time.Minute)
		require.Equal(t, apiserver.Counts{Requests: 200, Admitted: 200}, api.Counts())
	})
}

// What a program uploads is recorded while it is passed on, so that it is sent again after a refusal.
func TestUploadIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plain, api := through(t)
		for range 200 { // as another proxy with the same token might have
			r := httptest.NewRequest(http.MethodGet, "/employees", nil)
			r.Header.Set("X-Connector-Token", token)
			api.ServeHTTP(httptest.NewRecorder(), r)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://somewhere.test/employees", strings.NewReader("Ann"))
		require.NoError(t, err)
		resp, err := plain.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, 1, api.Counts().Refused)
	})
}

func TestNoProxyToNowhere(t *testing.T) {
	_, err := newProxy("http://not a host", nil)
	require.Error(t, err)
	_, err = newProxy("http://somewhere.test", nil, client.WithRetries(-1))
	require.ErrorContains(t, err, "client: ")
}

func TestRefusalIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		err := run(t.Context(), io.Discard, func(h http.Handler) (*http.Client, string, func()) {
			if served++; served == 1 { // the API
				for range 200 { // as another proxy with the same token might have
					r := httptest.NewRequest(http.MethodGet, "/employees", nil)
					r.Header.Set("X-Connector-Token", token)
					h.ServeHTTP(httptest.NewRecorder(), r)
				}
			}
			return slow(h)
		}, time.Minute, "a")
		require.EqualError(t, err, "refused 1 times")
	})
}

func TestWrongAnswerIsAnError(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"a: 404 Not Found: 404 page not found\n": http.NotFound,
		`a: 202 Accepted: {"ok":true}`: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"ok":true}`)
		},
		"a: 200 OK: busy": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "busy") },
	} {
		err := run(t.Context(), io.Discard, func(http.Handler) (*http.Client, string, func()) { return loopback(answer) }, time.Minute, "a")
		require.EqualError(t, err, want)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, run(ctx, io.Discard, loopback, 10*time.Minute, "a", "b"), context.DeadlineExceeded)
	require.Less(t, time.Since(began), time.Minute) // all of it takes longer
}

func TestImpossibleMinute(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), io.Discard, loopback, time.Microsecond, "a"), "apiserver: ")
}
