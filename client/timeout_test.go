package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
)

// pipes is a network in memory, on which net/http runs in virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveInMemory runs a server of net/http and returns a transport to it. It must run in a
// synctest bubble.
func serveInMemory(t testing.TB, h http.HandlerFunc, opts ...client.Option) *client.Transport {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: h}
	go s.Serve(p)
	dial := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		p.conns <- there
		return here, nil
	}
	base := &http.Transport{DialContext: dial, DialTLSContext: dial}
	t.Cleanup(func() { base.CloseIdleConnections(); s.Close() })
	return transport(t, base, opts...)
}

// The timeout of an attempt ends with the header of its response: a stream lives on.
func TestStreamOutlivesAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "event\n")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Hour)
			}
		}, client.WithAttemptTimeout(time.Second))
		began := time.Now()
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("event\n", 3), text(t, resp))
		require.Equal(t, 3*time.Hour, time.Since(began))
	})
}

// A server that does not answer is given up, and asked again.
func TestAttemptTimeoutAgainstServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		rt := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				<-r.Context().Done() // the client has hung up
				return
			}
			_, _ = io.WriteString(w, "here")
		}, client.WithAttemptTimeout(time.Second))
		resp, err := rt.RoundTrip(get(t.Context(), "/"))
		require.NoError(t, err)
		require.Equal(t, "here", text(t, resp))
		require.Equal(t, 2, n)
	})
}

// The error is a timeout to all who ask, while the context of the request goes on.
func TestAttemptTimeoutError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &recorder{answer: func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		hc := &http.Client{Transport: transport(t, base, client.WithAttemptTimeout(time.Second), client.WithRetries(1))}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := hc.Do(get(ctx, "/"))
		require.ErrorIs(t, err, client.ErrAttemptTimeout)
		require.ErrorIs(t, err, context.DeadlineExceeded, "as the timeouts of net/http")
		require.NotErrorIs(t, err, context.Canceled)
		outer, ok := errors.AsType[*url.Error](err)
		require.True(t, ok)
		assert.True(t, outer.Timeout())
		assert.Equal(t, "client: no response within 1s", outer.Err.Error())
		assert.NoError(t, ctx.Err())
		assert.Len(t, base.times, 2)
	})
}

// The context of an attempt ends when its body is closed, or was read.
func TestAttemptContextEndsWithBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			body io.ReadCloser
			end  func(io.ReadCloser)
		}{
			"closed":  {io.NopCloser(strings.NewReader("text")), func(b io.ReadCloser) { b.Close() }},
			"read":    {io.NopCloser(strings.NewReader("text")), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }},
			"broken":  {io.NopCloser(readerFunc(func([]byte) (int, error) { return 0, errOdd })), func(b io.ReadCloser) { _, _ = io.ReadAll(b) }},
			"none":    {nil, func(io.ReadCloser) {}},
			"nothing": {http.NoBody, func(b io.ReadCloser) { assert.Equal(t, http.NoBody, b, "which callers may look for") }},
		} {
			var seen *http.Request
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				seen = req
				resp := respond(req, 200)
				resp.Body = c.body
				return resp, nil
			})
			resp, err := transport(t, base, client.WithAttemptTimeout(time.Second)).RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			if c.body != nil && c.body != http.NoBody {
				time.Sleep(time.Minute)
				require.NoError(t, seen.Context().Err(), name)
			}
			c.end(resp.Body)
			require.ErrorIs(t, seen.Context().Err(), context.Canceled, name)
		}
	})
}

// Who cancels while a body is read ends the reading.
func TestCancelledBodyWithAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{answers: []script{answersSlowly(time.Hour)}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rt := transport(t, wire{}, client.WithAttemptTimeout(time.Second))
		p.altered = []string{"the context"}
		req := p.request(ctx, http.MethodGet, noBody)
		p.before = snapshotOf(req)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		time.AfterFunc(time.Minute, cancel)
		began := time.Now()
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Minute, time.Since(began))
	})
}

// A connection that changes its protocol can be written to, also when nothing more can
// be read, and half closed.
func TestUpgradeWithAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, buf, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			line, _ := buf.ReadString('\n')
			_, _ = io.WriteString(conn, line)
		}, client.WithAttemptTimeout(time.Second))
		req := get(t.Context(), "/")
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		conn, ok := resp.Body.(io.ReadWriteCloser)
		require.True(t, ok, "%T", resp.Body)
		time.Sleep(time.Minute)
		_, err = io.WriteString(conn, "hello\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "hello\n", line)
	})
}

// A duplex is a connection that notes what is done to it.
type duplex struct {
	io.ReadWriter
	did []string
}

func (d *duplex) Close() error      { d.did = append(d.did, "close"); return nil }
func (d *duplex) CloseWrite() error { d.did = append(d.did, "close write"); return nil }

func TestHalfClosedUpgradeWithAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen *http.Request
		upgrade := func(body io.ReadCloser) io.ReadWriteCloser {
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				seen = req
				resp := respond(req, 101)
				resp.Body = body
				return resp, nil
			})
			resp, err := transport(t, base, client.WithAttemptTimeout(time.Second)).RoundTrip(get(t.Context(), "/"))
			require.NoError(t, err)
			return resp.Body.(io.ReadWriteCloser)
		}
		type half interface{ CloseWrite() error }
		written := &strings.Builder{}
		d := &duplex{ReadWriter: struct {
			io.Reader
			io.Writer
		}{strings.NewReader("end"), written}}
		conn := upgrade(d)
		_, _ = io.ReadAll(conn)
		require.NoError(t, seen.Context().Err(), "one direction is still open")
		_, _ = io.WriteString(conn, "more")
		require.Equal(t, "more", written.String())
		require.NoError(t, conn.(half).CloseWrite())
		require.NoError(t, conn.Close())
		require.Equal(t, []string{"close write", "close"}, d.did)
		require.Error(t, seen.Context().Err())

		plain := upgrade(struct {
			io.ReadWriter
			io.Closer
		}{d, d})
		require.ErrorIs(t, plain.(half).CloseWrite(), errors.ErrUnsupported)
	})
}

// With a timeout or without, CloseIdleConnections reaches the base transport.
func TestAttemptTimeoutPassesOnIdleConnections(t *testing.T) {
	base := &recorder{}
	rt := transport(t, base, client.WithAttemptTimeout(time.Second))
	rt.CloseIdleConnections()
	require.Equal(t, 1, base.idle)
	transport(t, roundTripper(nil), client.WithAttemptTimeout(time.Second)).CloseIdleConnections()
}
