package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// One at a time is a limit that holds requests as long as the test wants.
func oneAtATime(t testing.TB, api string) string {
	t.Helper()
	return write(t, "conf", "to / "+api+"\nrule one in-flight=1 scope=global\n")
}
