package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/require"
)

// Programs that know nothing of each other share one quota: none is refused.
// In windows as short as these a wait may be tested, and a process that is stopped comes late.
func TestProgramsShareAQuota(t *testing.T) {
	t.Parallel()
	chance.Test(t, func(t testing.TB) {
		api, err := apiserver.NewBindbee(60) // 200 a second
		require.NoError(t, err)
		p := start(t, "-to", serve(t, api.ServeHTTP).URL)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 120 {
					status, _ := ask(t, http.MethodGet, p.url+"/employees", "", "X-Connector-Token", "shared")
					require.Equal(t, http.StatusOK, status)
				}
			})
		}
		wg.Wait()
		require.Zero(t, api.Counts().Refused)
		require.Equal(t, 360, api.Counts().Admitted)
		_, text := ask(t, http.MethodGet, p.url+"/-/", "")
		require.Contains(t, text, "of 200 left")
		require.NotContains(t, text, "shared")
		_, text = ask(t, http.MethodGet, p.url+"/-/metrics", "")
		for _, want := range []string{
			`forbear_client_request_time_in_queue_seconds_count{forbear_queue_outcome="admitted",server_address="127.0.0.1"`,
			"forbear_client_request_queued{", "forbear_limit_remaining{", "forbear_limit_utilization_ratio{", "forbear_limit_reset_time_seconds{",
		} {
			require.Contains(t, text, want)
		}
		require.NotContains(t, text, "shared")
	})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	echo := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s %v", name, r.Host, r.RequestURI, r.Header)
		}
	}
	a, b := serve(t, echo("a")), serve(t, echo("b"))
	p := start(t, "-config", write(t, "conf", "to /b "+b.URL+"/v1\nname X-Team"), "-to", a.URL)
	for path, want := range map[string]string{
		"/":              "a " + a.Listener.Addr().String() + " / ",
		"/x?q=1&r=a%20b": "a " + a.Listener.Addr().String() + " /x?q=1&r=a%20b ",
		"/b/x/":          "b " + b.Listener.Addr().String() + " /v1/x/ ",
		"/b/a%2Fb":       "b " + b.Listener.Addr().String() + " /v1/a%2Fb ",
		"/b":             "a " + a.Listener.Addr().String() + " /b ",
		"/b%2Fx":         "a " + a.Listener.Addr().String() + " /b%2Fx ",
	} {
		status, text := ask(t, http.MethodGet, p.url+path, "", "X-Team", "blue", "X-Forwarded-For", "1.2.3.4")
		require.Equal(t, http.StatusOK, status)
		require.True(t, strings.HasPrefix(text, want), "%s: %s", path, text)
		require.NotContains(t, text, "X-Team")
		require.NotContains(t, text, "1.2.3.4")
	}
	_, page := ask(t, http.MethodGet, p.url+"/-/", "")
	require.Contains(t, page, "<h2>blue</h2>")
}

func TestForwardProxy(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	through := func(p *running) (int, string) {
		u, err := url.Parse(p.url)
		require.NoError(t, err)
		tr := &http.Transport{Proxy: http.ProxyURL(u)}
		defer tr.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL, nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	status, _ := through(start(t, "-to", api.URL))
	require.Equal(t, http.StatusForbidden, status)
	p := start(t, "-forward")
	status, text := through(p)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, api.Listener.Addr().String(), text)
	status, _ = ask(t, http.MethodGet, p.url+"/x", "")
	require.Equal(t, http.StatusNotFound, status)
	w := httptest.NewRecorder()
	p.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodConnect, "api.test:443", nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// A proxy that leads back to itself says so at once, instead of asking itself for ever.
// Nor does it show the page to a machine whose request it forwards to itself.
func TestLoop(t *testing.T) {
	t.Parallel()
	p := start(t, "-forward")
	c := new(config)
	require.NoError(t, c.addUpstream("/", p.url))
	p.gateway.config.Store(c)
	status, text := ask(t, http.MethodGet, p.url, "")
	require.Equal(t, http.StatusLoopDetected, status)
	require.Contains(t, text, "to itself")

	u, err := url.Parse(p.url)
	require.NoError(t, err)
	tr := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return u, nil }}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/-/", nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusLoopDetected, resp.StatusCode)
	status, _ = ask(t, http.MethodGet, p.url+"/-/", "")
	require.Equal(t, http.StatusOK, status)
}

// The page is for this machine, unless told otherwise; health is for all.
func TestAccess(t *testing.T) {
	t.Parallel()
	api := serve(t, func(http.ResponseWriter, *http.Request) {})
	private, public := start(t, "-to", api.URL), start(t, "-to", api.URL, "-public")
	for _, c := range []struct {
		from, host string
		local      bool
	}{
		{"127.0.0.1:1234", "localhost:8080", true}, {"[::1]:1234", "[::1]:8080", true}, {"127.0.0.1:1234", "127.0.0.1", true},
		{"[::ffff:127.0.0.1]:1", "LOCALHOST", true}, {"10.0.0.1:1234", "localhost:8080", false}, {"127.0.0.1:1234", "evil.test", false},
		{"127.0.0.1:1234", "evil.test:8080", false}, {"", "localhost", false}, {"127.0.0.1:1234", "", false},
	} {
		for path, wants := range map[string][2]bool{"/-/": {c.local, true}, "/-/health": {true, true}} {
			for i, p := range []*running{private, public} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr, r.Host = c.from, c.host
				w := httptest.NewRecorder()
				p.gateway.ServeHTTP(w, r)
				require.Equal(t, wants[i], w.Code == http.StatusOK, "%s %+v: %d", path, c, w.Code)
			}
		}
	}
	status, text := ask(t, http.MethodGet, private.url+"/-/health", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ok\n", text)
	status, _ = ask(t, http.MethodGet, private.url+"/-/other", "")
	require.Equal(t, http.StatusNotFound, status)
}

// Programs that retry themselves can have that to themselves.
func TestRetriesFlag(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]int32{"0": 1, "1": 2} {
		var served atomic.Int32
		api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			served.Add(1)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		status, _ := ask(t, http.MethodGet, start(t, "-to", api.URL, "-retries", flag).url, "")
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Equal(t, want, served.Load())
	}
}

func TestUsedUpOrUnreachable(t *testing.T) {
	t.Parallel()
	api := serve(t, func(http.ResponseWriter, *http.Request) {})
	p := start(t, "-config", write(t, "conf", "to / "+api.URL+"\nrule hourly limit=1/1h\n"))
	status, _ := ask(t, http.MethodGet, p.url, "")
	require.Equal(t, http.StatusOK, status)
	resp, err := http.Get(p.url)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.Regexp(t, `^3[56]\d\d$`, resp.Header.Get("Retry-After"))

	p = start(t, "-to", "http://127.0.0.1:1", "-retries", "0")
	status, text := ask(t, http.MethodPost, p.url, "x")
	require.Equal(t, http.StatusBadGateway, status)
	require.Equal(t, "Bad Gateway\n", text)
}

// A request that the limit does not let go is answered as the API answered the one before.
func TestUsedUpAsTheAPISays(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	long := strings.Repeat("x", 5000)
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-RateLimit-Limit", "60")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		w.Header().Set("Set-Cookie", "a=secret")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"API rate limit exceeded"`)
		if r.Header.Get("X-Connector-Token") == "long" {
			fmt.Fprint(w, `,"more":"`+long+`"`)
		}
		fmt.Fprint(w, "}")
	})
	p := start(t, "-to", api.URL)
	send := func(token string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url, nil)
		require.NoError(t, err)
		req.Header.Set("X-Connector-Token", token)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp, string(text)
	}
	first, said := send("short")
	again, repeated := send("short")
	require.EqualValues(t, 1, served.Load())
	require.Equal(t, []int{http.StatusForbidden, http.StatusForbidden}, []int{first.StatusCode, again.StatusCode})
	require.Equal(t, said, repeated)
	require.Equal(t, "application/json", again.Header.Get("Content-Type"))
	require.Equal(t, "0", again.Header.Get("X-RateLimit-Remaining"))
	require.Regexp(t, `^3[56]\d\d$`, again.Header.Get("Retry-After"))
	require.Empty(t, again.Header.Get("Set-Cookie"))

	// What was too long to be kept is not repeated in part.
	send("long")
	again, repeated = send("long")
	require.EqualValues(t, 2, served.Load())
	require.Equal(t, http.StatusForbidden, again.StatusCode)
	require.Equal(t, "Too Many Requests\n", repeated)
	require.Equal(t, "text/plain; charset=utf-8", again.Header.Get("Content-Type"))
	require.Equal(t, "0", again.Header.Get("X-RateLimit-Remaining"))
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	p := start(t, "-forward")
	require.Equal(t, 10*time.Second, p.server.ReadHeaderTimeout)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url, nil)
	require.NoError(t, err)
	req.Header.Set("X", strings.Repeat("x", 80<<10))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
}
