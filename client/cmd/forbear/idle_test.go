package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A parkingServer answers each request with its method and path, and parks connections.
type parkingServer struct {
	*httptest.Server
	listener *idleListener
}

func parking(t testing.TB, parkAfter, timeout time.Duration) *parkingServer {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, r.URL.Path) }))
	l := newIdleListener(s.Listener, timeout)
	s.Listener, s.Config.IdleTimeout = l, parkAfter
	// Not s.Start, whose own ConnState expects to see each connection once.
	s.Config.ConnState = l.connState
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Config.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Config.Close()
		<-served
	})
	return &parkingServer{s, l}
}

// dial opens a connection.
func (s *parkingServer) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// parked returns once so many connections are parked.
func (s *parkingServer) parked(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.listener.mu.Lock()
		defer s.listener.mu.Unlock()
		return len(s.listener.parked) == n
	}, 10*time.Second, time.Millisecond)
}

// get sends a request on a connection and reads the answer.
func get(conn net.Conn, path string) (string, error) {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return "", err
	}
	return answer(bufio.NewReader(conn))
}

func answer(r *bufio.Reader) (string, error) {
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// A connection that was parked serves requests as before.
func TestParkedConnections(t *testing.T) {
	t.Parallel()
	s := parking(t, time.Millisecond, time.Hour)
	conn := s.dial(t)
	for range 3 {
		text, err := get(conn, "/a")
		require.NoError(t, err)
		require.Equal(t, "GET/a", text)
		s.parked(t, 1)
	}
	_, err := fmt.Fprint(conn, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	for _, want := range []string{"GET/1", "GET/2"} {
		text, err := answer(r)
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
	s.parked(t, 1)
	require.NoError(t, conn.Close())
	s.parked(t, 0)
}

// A parked connection is closed after a while, and with the listener.
func TestParkedConnectionsEnd(t *testing.T) {
	t.Parallel()
	s := parking(t, time.Millisecond, 10*time.Millisecond)
	conn := s.dial(t)
	_, err := get(conn, "/")
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)

	s = parking(t, time.Millisecond, time.Hour)
	conn = s.dial(t)
	_, err = get(conn, "/")
	require.NoError(t, err)
	s.parked(t, 1)
	require.NoError(t, s.Config.Shutdown(t.Context()))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	s.parked(t, 0)
	require.NoError(t, s.listener.Close())
}

// A connection on which a part of the next request has come is not parked: the server
// has that part.
func TestPartOfARequestIsNotParked(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"G", "GE", "GET"} {
		s := parking(t, time.Millisecond, time.Hour)
		conn := s.dial(t)
		_, err := fmt.Fprint(conn, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"+part)
		require.NoError(t, err)
		r := bufio.NewReader(conn)
		text, err := answer(r)
		require.NoError(t, err)
		require.Equal(t, "GET/a", text)
		_, err = r.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	}
}

// No request is lost, however close to the time at which its connection is parked it
// comes.
func TestParkingLosesNoRequest(t *testing.T) {
	t.Parallel()
	s := parking(t, time.Millisecond, time.Hour)
	var wg sync.WaitGroup
	for range 20 {
		conn := s.dial(t)
		wg.Go(func() {
			for i := range 100 {
				want := fmt.Sprint("/", i)
				if text, err := get(conn, want); err != nil || text != "GET"+want {
					t.Errorf("got %q, error %v", text, err)
					return
				}
				time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Millisecond))))
			}
		})
	}
	wg.Wait()
}

// An idle connection costs the proxy little.
func TestMemoryOfIdleConnections(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	used := func() uint64 {
		var m runtime.MemStats
		releaseMemory()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	p := startWith(t, http.DefaultTransport, func(s *proxyServer) {
		require.Equal(t, parkAfter, s.server.IdleTimeout)
		s.server.IdleTimeout = 100 * time.Millisecond
	}, "-to", api.URL)
	const n = 500
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		conns[i] = conn
	}
	// The server has both buffers of each before it has seen a request, once it waits for one.
	require.Eventually(t, func() bool { return waitingForRequest(t) >= n }, 10*time.Second, 10*time.Millisecond)
	before := used()
	for _, conn := range conns {
		text, err := get(conn, "/")
		require.NoError(t, err)
		require.Equal(t, "ok", text)
	}
	require.Eventually(t, func() bool { return used()+n*4<<10 < before }, 10*time.Second, 50*time.Millisecond)
	for _, conn := range conns { // they still serve
		text, err := get(conn, "/")
		require.NoError(t, err)
		require.Equal(t, "ok", text)
	}
}

// waitingForRequest returns how many new connections of servers in this process wait for their first request.
// To count all goroutines would be wrong as soon as some that others left behind end meanwhile.
func waitingForRequest(t testing.TB) (conns int) {
	t.Helper()
	var stacks strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
	for group := range strings.SplitSeq(stacks.String(), "\n\n") {
		if n, _, ok := strings.Cut(group, " @ "); ok && strings.Contains(group, "net/http.(*conn).readRequest") {
			same, err := strconv.Atoi(n[strings.LastIndexByte(n, '\n')+1:])
			require.NoError(t, err)
			conns += same
		}
	}
	return conns
}
