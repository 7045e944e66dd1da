package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// busy starts a proxy whose one place upstream is taken until release is called.
func busy(t testing.TB, h http.HandlerFunc) (p *running, release func()) {
	t.Helper()
	hold := make(chan struct{})
	var taken atomic.Bool
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if taken.CompareAndSwap(false, true) {
			<-hold
			return
		}
		h(w, r)
	})
	p = start(t, "-config", oneAtATime(t, api.URL))
	var wg sync.WaitGroup
	wg.Go(func() { ask(t, http.MethodGet, p.url, "") })
	require.Eventually(t, taken.Load, 10*time.Second, time.Millisecond)
	release = sync.OnceFunc(func() {
		close(hold)
		wg.Wait()
	})
	t.Cleanup(release)
	return p, release
}

// An upload whose caller disconnects leaves the queue, whatever of it has come: nothing, a
// part, or all that a caller may send before it is read. It is not sent.
func TestUploadDisconnects(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	p, release := busy(t, func(http.ResponseWriter, *http.Request) { served.Add(1) })
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 20<<10, strings.Repeat("x", 20<<10))
	for name, sent := range map[string]string{
		"length, nothing sent": "Content-Length: 1000000\r\n\r\n",
		"length, a part":       "Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 50<<10),
		"asks before":          "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
		"chunks, none":         "Transfer-Encoding: chunked\r\n\r\n",
		"chunks, some":         "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk,
		"chunks, in the midst": "Transfer-Encoding: chunked\r\n\r\n" + chunk + "ffff\r\nhalf",
		"chunks, all":          "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n",
	} {
		for _, reset := range []bool{false, true} {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
			require.NoError(t, err)
			_, err = io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: x\r\n"+sent)
			require.NoError(t, err)
			p.waiting(t, 1)
			if reset {
				require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
			}
			require.NoError(t, conn.Close())
			require.Eventually(t, func() bool { return p.transport.Queue().Stats().Waiting == 0 }, 5*time.Second, time.Millisecond, name)
		}
	}
	release()
	require.Zero(t, served.Load())
}

// An upload that waited arrives as it was sent, also if its caller sent more than the proxy
// reads ahead, or paused; and its connection serves the next request.
func TestUploadWaits(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 70_000, 1 << 20} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(draw.Uint32())
		}
		want := fmt.Sprintf("%d %x <nil>", size, sha256.Sum256(body))
		for _, chunked := range []bool{false, true} {
			p, release := busy(t, func(w http.ResponseWriter, r *http.Request) {
				h := sha256.New()
				n, err := io.Copy(h, r.Body)
				fmt.Fprintf(w, "%d %x %v", n, h.Sum(nil), err)
			})
			caller := &http.Transport{MaxConnsPerHost: 1}
			t.Cleanup(caller.CloseIdleConnections)
			for range 2 { // the second need not wait
				out, in := io.Pipe()
				go func() {
					_, _ = in.Write(body[:size/2])
					time.Sleep(50 * time.Millisecond)
					release()
					_, _ = in.Write(body[size/2:])
					_ = in.Close()
				}()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url, out)
				require.NoError(t, err)
				if !chunked {
					req.ContentLength = int64(size)
				}
				resp, err := caller.RoundTrip(req)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, want, string(text))
			}
		}
	}
}

// What is sent before it can be read is kept up to a bound.
func TestReadAheadIsBounded(t *testing.T) {
	t.Parallel()
	p, release := busy(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const size = 64 << 20
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.url, io.LimitReader(zeros{}, size))
	require.NoError(t, err)
	req.ContentLength = size
	var sent counting
	sent.Reader, req.Body = req.Body, io.NopCloser(&sent)
	answer := make(chan string, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body) // an error is in its length
		answer <- string(text)
	}()
	p.waiting(t, 1)
	time.Sleep(200 * time.Millisecond)
	require.Less(t, sent.n.Load(), int64(size/2)) // the rest of it is in buffers of the system
	release()
	require.Equal(t, strconv.Itoa(size), <-answer)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type counting struct {
	io.Reader

	n atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}
