package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/stretchr/testify/require"
)

// A running is a proxy on loopback.
type running struct {
	*proxyServer
	url    string
	again  chan os.Signal
	cancel context.CancelFunc
	ended  chan error
}

// start starts a proxy as the flags say.
func start(t testing.TB, args ...string) *running {
	t.Helper()
	return startOver(t, http.DefaultTransport, args...)
}

// startOver starts a proxy that sends over a transport.
func startOver(t testing.TB, base http.RoundTripper, args ...string) *running {
	t.Helper()
	return startWith(t, base, func(*proxyServer) {}, args...)
}

// startWith starts a proxy that setUp changes.
func startWith(t testing.TB, base http.RoundTripper, setUp func(*proxyServer), args ...string) *running {
	t.Helper()
	var p proxyFlags
	flags := newFlags()
	p.declare(flags)
	require.NoError(t, flags.Parse(args))
	c, err := p.read()
	require.NoError(t, err)
	s, err := newProxyServer(&p, c, base, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	setUp(s)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{s, "http://" + l.Addr().String(), make(chan os.Signal), cancel, make(chan error, 1)}
	go func() { r.ended <- s.run(ctx, l, r.again) }()
	t.Cleanup(func() {
		cancel()
		_ = s.server.Close()
	})
	return r
}

// serve starts a server on loopback.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// ask sends a request and returns the status and the body of the answer.
func ask(t testing.TB, method, url, body string, fields ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// dial connects to a proxy.
func dial(t testing.TB, url string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// waiting returns once so many requests wait in the queue.
func (r *running) waiting(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return r.transport.Queue().Stats().Waiting == n }, 10*time.Second, time.Millisecond)
}

// Programs that know nothing of each other share one quota: none is refused.
func TestProgramsShareAQuota(t *testing.T) {
	t.Parallel()
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

// One at a time is a limit that holds requests as long as the test wants.
func oneAtATime(t testing.TB, api string) string {
	t.Helper()
	return write(t, "conf", "to / "+api+"\nrule one in-flight=1 scope=global\n")
}

// On SIGTERM all that wait are answered, and nothing else is taken.
func TestDrain(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { <-hold; fmt.Fprint(w, "done") })
	memory := filepath.Join(t.TempDir(), "memory")
	p := start(t, "-config", oneAtATime(t, api.URL), "-memory", memory)
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/-/", nil)
	require.NoError(t, err)
	page.Header.Set("Accept", "text/event-stream")
	open, err := http.DefaultClient.Do(page)
	require.NoError(t, err)
	defer open.Body.Close()
	var wg sync.WaitGroup
	var done atomic.Int32
	for range 20 {
		wg.Go(func() {
			if status, text := ask(t, http.MethodGet, p.url, ""); status == http.StatusOK && text == "done" {
				done.Add(1)
			}
		})
	}
	p.waiting(t, 19)
	p.cancel()
	_, err = io.Copy(io.Discard, open.Body)
	_ = err // however it ends, the page that was open ends
	close(hold)
	wg.Wait()
	require.NoError(t, <-p.ended)
	require.EqualValues(t, 20, done.Load())
	_, err = http.Get(p.url)
	require.Error(t, err)
	text, err := os.ReadFile(memory)
	require.NoError(t, err)
	require.JSONEq(t, "{}", string(text))
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	api := serve(t, func(http.ResponseWriter, *http.Request) { <-hold })
	t.Cleanup(func() { close(hold) })
	p := start(t, "-config", oneAtATime(t, api.URL), "-grace", "10ms")
	go func() { _, _ = http.Get(p.url) }()
	go func() { _, _ = http.Get(p.url) }()
	p.waiting(t, 1)
	p.cancel()
	require.ErrorContains(t, <-p.ended, "requests were still waiting")
}

// A caller that disconnects leaves the queue.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var served atomic.Int32
	api := serve(t, func(http.ResponseWriter, *http.Request) { served.Add(1); <-hold })
	p := start(t, "-config", oneAtATime(t, api.URL))
	var wg sync.WaitGroup
	wg.Go(func() { ask(t, http.MethodGet, p.url, "") })
	require.Eventually(t, func() bool { return served.Load() == 1 }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
		_, err := http.DefaultClient.Do(req)
		require.ErrorIs(t, err, context.Canceled)
	})
	p.waiting(t, 1)
	cancel()
	p.waiting(t, 0)
	close(hold)
	wg.Wait()
	require.EqualValues(t, 1, served.Load())
}

// SIGHUP changes limits and upstreams for those who wait, too; a wrong file changes
// nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var served atomic.Int32
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { served.Add(1); <-hold; fmt.Fprint(w, "old") })
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "new") })
	file := oneAtATime(t, api.URL)
	p := start(t, "-config", file)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			status, text := ask(t, http.MethodGet, p.url, "")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "old", text)
		})
	}
	p.waiting(t, 2)
	require.Eventually(t, func() bool { return served.Load() == 1 }, 10*time.Second, time.Millisecond)
	for text, want := range map[string]string{
		"to / ftp://x":      ":1: to: ",
		"to / " + other.URL: "0 rules in place of 1",
		"to / " + other.URL + "\nrule one limit=1/1s scope=global":  "rule one differs",
		"to / " + other.URL + "\nrule two in-flight=1 scope=global": "rule two differs",
		"to / " + other.URL + "\nrule one in-flight=1":              "rule one differs",
	} {
		write(t, file, text)
		require.ErrorContains(t, p.reload(), want)
	}
	p.again <- syscall.SIGHUP // it is still wrong
	require.EqualValues(t, 1, served.Load())
	write(t, file, "to / "+other.URL+"\nrule one in-flight=3 scope=global\n")
	p.again <- syscall.SIGHUP
	p.waiting(t, 0)
	close(hold)
	wg.Wait()
	status, text := ask(t, http.MethodGet, p.url, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "new", text)
}

// Streams pass as they come, in both directions.
func TestStreams(t *testing.T) {
	t.Parallel()
	read, step := make(chan string), make(chan struct{})
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := bufio.NewReader(r.Body)
		for range 2 {
			line, _ := body.ReadString('\n')
			read <- line
		}
		_, _ = io.Copy(io.Discard, body)
		fmt.Fprint(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-step
		fmt.Fprint(w, "data: 2\n\n")
	})
	p := start(t, "-to", api.URL)
	out, in := io.Pipe()
	go func() {
		for _, line := range []string{"first\n", "second\n"} {
			_, _ = io.WriteString(in, line)
			if line != <-read { // it arrives before the next is sent
				_ = in.CloseWithError(io.ErrUnexpectedEOF)
			}
		}
		_ = in.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, out)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "data: 1\n", line)
	close(step)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "\ndata: 2\n\n", string(rest))
}

// A protocol switch is a tunnel.
func TestSwitchOfProtocols(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		fmt.Fprint(conn, line)
	})
	p := start(t, "-to", api.URL)
	conn := dial(t, p.url)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	fmt.Fprintln(conn, "hello")
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
}

// A refused request is sent again if its body is short; what is long passes through.
func TestReplay(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{"short": http.StatusOK, "long as anything": http.StatusTooManyRequests} {
		var calls atomic.Int32
		api := serve(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			if calls.Add(1) == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = w.Write(text)
		})
		p := start(t, "-to", api.URL, "-replay", "10")
		status, text := ask(t, http.MethodPost, p.url, body)
		require.Equal(t, want, status)
		if want == http.StatusOK {
			require.Equal(t, body, text)
		}
	}
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

// What a run was taught helps the next.
func TestMemoryFile(t *testing.T) {
	t.Parallel()
	const text = `{"ab":{"limit":300,"length":3600000000000}}`
	name := write(t, "memory", text)
	quiet := slog.New(slog.DiscardHandler)
	m, err := readMemory(name, quiet)
	require.NoError(t, err)
	require.Equal(t, 300, m["ab"].Limit)
	require.NoError(t, writeMemory(name, m))
	again, err := readMemory(name, quiet)
	require.NoError(t, err)
	require.Equal(t, m, again)
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Error(t, writeMemory(filepath.Join(t.TempDir(), "nowhere", "memory"), m))
	_, err = readMemory(filepath.Join(t.TempDir(), "none"), quiet)
	require.NoError(t, err)

	// A damaged file is no reason not to start; a folder in its place is.
	var log strings.Builder
	m, err = readMemory(write(t, "memory", "{"), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	require.Empty(t, m)
	require.Contains(t, log.String(), "memory ignored")
	out, errors, status := runs(t, "", "proxy", "-to", "http://api.test", "-memory", t.TempDir())
	require.Equal(t, 2, status, out)
	require.Contains(t, errors, "directory")
}

// The command itself listens, serves, and ends with its context.
func TestProxyCommand(t *testing.T) {
	t.Parallel()
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hi") })
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"proxy", "-listen", "127.0.0.1:0", "-to", api.URL}, &streams{strings.NewReader(""), in, io.Discard})
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	words := strings.Fields(line)
	status, text := ask(t, http.MethodGet, strings.TrimSuffix(words[4], ","), "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "hi", text)
	cancel()
	require.Zero(t, <-ended)

	for want, args := range map[string][]string{
		"nowhere to send":        {"proxy"},
		"want a URL that begins": {"proxy", "-to", "api.test"},
		"no such file":           {"proxy", "-config", "/nowhere"},
		"/nowhere/":              {"proxy", "-to", api.URL, "-memory", "/nowhere/memory"},
		"-listen: address 1":     {"proxy", "-to", api.URL, "-listen", "1"},
		"must not be negative":   {"proxy", "-to", api.URL, "-max-wait", "-1s"},
		"Retries":                {"proxy", "-to", api.URL, "-retries", "-1"},
		"-grace must not be":     {"proxy", "-to", api.URL, "-grace", "-1s"},
		"-replay must not be":    {"proxy", "-to", api.URL, "-replay", "-1"},
		`invalid value "x"`:      {"proxy", "-grace", "x"},
	} {
		_, errors, status := runs(t, "", args...)
		require.Equal(t, 2, status, errors)
		require.Contains(t, errors, want)
	}
	_, errors, status := runs(t, "", "proxy", "-to", api.URL, "-listen", api.Listener.Addr().String())
	require.Equal(t, 1, status, errors)
}
