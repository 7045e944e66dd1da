package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// soon has a refusal end in a millisecond of real time.
func soon(w http.ResponseWriter) {
	w.Header().Set("Retry-After-Ms", "1")
	w.WriteHeader(http.StatusTooManyRequests)
}

// overBoth runs a test over HTTP/1.1 and over HTTP/2, against a server on a socket.
func overBoth(t *testing.T, h http.HandlerFunc, f func(t *testing.T, hc *http.Client, url string)) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, protocol, r.Proto)
				h(w, r)
			}))
			ts.EnableHTTP2 = protocol == "HTTP/2.0"
			ts.StartTLS()
			defer ts.Close()
			base := ts.Client().Transport.(*http.Transport)
			base.ExpectContinueTimeout = time.Minute
			hc, err := client.Wrap(ts.Client())
			require.NoError(t, err)
			defer hc.Transport.(*client.Transport).Close()
			f(t, hc, ts.URL)
		})
	}
}

// A server that refuses an announced body is not sent it.
func TestExpectContinue(t *testing.T) {
	var n atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 1 {
			soon(w)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		var bodies []*watched
		make := func() (io.ReadCloser, error) {
			bodies = append(bodies, watch(strings.NewReader("text")))
			return bodies[len(bodies)-1], nil
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
		require.NoError(t, err)
		req.GetBody = make
		req.Body, _ = make()
		req.ContentLength = 4
		req.Header.Set("Expect", "100-continue")
		resp, err := hc.Do(req)
		require.NoError(t, err)
		assert.Equal(t, "text", text(t, resp))
		require.Len(t, bodies, 2)
		assert.Zero(t, bodies[0].read.Load(), "of the refused body")
	})
}

func text(t testing.TB, resp *http.Response) string {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(b)
}

// Trailers pass in both directions, also after a refusal.
func TestTrailers(t *testing.T) {
	var n atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 1 {
			soon(w)
			return
		}
		w.Header().Set("Trailer", "X-Answer")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Answer", "to "+r.Trailer.Get("X-Sum"))
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
		require.NoError(t, err)
		req.Trailer = http.Header{"X-Sum": {"7"}}
		req.ContentLength = -1
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("text")), nil }
		req.Body, _ = req.GetBody()
		resp, err := hc.Do(req)
		require.NoError(t, err)
		assert.Equal(t, "text", text(t, resp))
		assert.Equal(t, "to 7", resp.Trailer.Get("X-Answer"))
	})
}

// Lengths, encodings and the wish to close pass as they are.
func TestFraming(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprint(r.ContentLength, r.Close, len(b)))
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b)
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		for _, c := range []struct {
			length int64
			close  bool
		}{{4, false}, {-1, false}, {4, true}} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, nil)
			require.NoError(t, err)
			req.Body, req.ContentLength, req.Close = io.NopCloser(strings.NewReader("text")), c.length, c.close
			resp, err := hc.Do(req)
			require.NoError(t, err)
			assert.Equal(t, int64(4), resp.ContentLength)
			assert.Equal(t, "text", text(t, resp))
			closed := c.close && resp.ProtoMajor == 1 // HTTP/2 has no word for it
			assert.Equal(t, fmt.Sprint(c.length, closed, 4), resp.Header.Get("X-Seen"))
		}
	})
}

// A handler that aborts breaks off: what is idempotent is sent again, as long as no
// answer has begun; a body that breaks off is the reader's.
func TestAbort(t *testing.T) {
	var n atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		if n.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "whole")
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		n.Store(0)
		_, err := hc.Post(url, "text/plain", strings.NewReader("text"))
		assert.Error(t, err)
		assert.EqualValues(t, 1, n.Load())
		n.Store(0)
		resp, err := hc.Get(url)
		require.NoError(t, err)
		assert.Equal(t, "whole", text(t, resp))
		assert.EqualValues(t, 2, n.Load())
		resp, err = hc.Get(url + "/body")
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		assert.Equal(t, "half", string(b))
		assert.Error(t, err)
		resp.Body.Close()
	})
}

// Events arrive one by one while the response goes on, and end with the context.
func TestServerSentEvents(t *testing.T) {
	next := make(chan struct{})
	h := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; ; i++ {
			fmt.Fprintf(w, "data: %d\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}
	overBoth(t, h, func(t *testing.T, hc *http.Client, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		require.NoError(t, err)
		resp, err := hc.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		for i := range 3 {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("data: %d\n", i), line)
			next <- struct{}{}
		}
		_, _ = lines.ReadString('\n')
		cancel()
		_, err = lines.ReadString('\n')
		require.Error(t, err)
	})
}

// A connection that changes its protocol can be written to and read from.
func TestUpgrade(t *testing.T) {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := buf.ReadString('\n')
		_, _ = io.WriteString(conn, line)
	}))
	defer ts.Close()
	hc, err := client.New()
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ts.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := hc.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
}

// A server of HTTP/1.0, which ends a body by closing the connection, is understood.
func TestHTTP10(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			answer := "HTTP/1.0 429 Too Many Requests\r\nRetry-After-Ms: 1\r\n\r\nlater"
			if i > 0 {
				answer = "HTTP/1.0 200 OK\r\n\r\nnow"
			}
			_, _ = io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	hc, err := client.New()
	require.NoError(t, err)
	resp, err := hc.Get("http://" + l.Addr().String())
	require.NoError(t, err)
	assert.Equal(t, "now", text(t, resp))
	assert.Equal(t, 0, resp.ProtoMinor)
}

// A reverse proxy can send through a transport.
func TestReverseProxy(t *testing.T) {
	var n atomic.Int32
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			soon(w)
			return
		}
		_, _ = io.WriteString(w, "from behind")
	}))
	defer back.Close()
	target, err := url.Parse(back.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport(t, nil)
	front := httptest.NewServer(proxy)
	defer front.Close()
	resp, err := http.Get(front.URL)
	require.NoError(t, err)
	assert.Equal(t, "from behind", text(t, resp))
	assert.EqualValues(t, 2, n.Load())
}
