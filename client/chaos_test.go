package client_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
)

var chaosRequests = flag.Int("chaos", 5000, "how many requests the chaos tests send")

var quiet = log.New(io.Discard, "", 0)

// Whatever the server and the network do, and whenever callers give up: every call
// has one outcome, nothing is executed twice that must not be, nobody comes back too
// early, nothing stays open, and no credential gets out.
func TestChaos(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		name := map[bool]string{false: "HTTP1", true: "HTTP2"}[http2]
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			c := newChaos(t, http2)
			c.run(t, *chaosRequests/2)
			c.check(t)
			eventually(t, func() string {
				if n := runtime.NumGoroutine(); n > before {
					return fmt.Sprintf("%d goroutines more than before", n-before)
				}
				return ""
			})
		})
	}
}

// A chaos is a client among two hundred callers, and the server it talks to.
type chaos struct {
	server *chaosServer
	base   *http.Transport
	hc     *http.Client
	conns  atomic.Int64 // open
	asked  atomic.Int64 // open bodies of requests
	given  atomic.Int64 // and of responses

	mu       sync.Mutex // guards outcomes
	outcomes map[string]int
}

func newChaos(t testing.TB, http2 bool) *chaos {
	c := &chaos{server: newChaosServer(t, http2), outcomes: map[string]int{}}
	c.base = c.server.ts.Client().Transport.(*http.Transport).Clone()
	c.base.DialContext = c.dial
	c.base.MaxIdleConnsPerHost = 200
	policy, err := backoff.New(backoff.Constant(10*time.Millisecond), backoff.Jitter(.5, 1.5))
	require.NoError(t, err)
	rt, err := client.NewTransport(roundTripper(c.counted),
		client.WithBackoff(policy), client.WithMaxWait(10*time.Second))
	require.NoError(t, err)
	c.hc = &http.Client{Transport: rt}
	return c
}

// dial connects to the server, by whatever name it is called.
func (c *chaos) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, c.server.addr)
	if err != nil {
		return nil, err
	}
	c.conns.Add(1)
	return &countedConn{Conn: conn, open: &c.conns}, nil
}

type countedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// counted is the base transport: it counts the bodies of the responses.
func (c *chaos) counted(req *http.Request) (*http.Response, error) {
	sent := req
	if c.server.http2 {
		// When connections of HTTP/2 break, http.Transport leaves some bodies open, those
		// too that it makes itself. What is counted here is what others leave open.
		sent = req.WithContext(req.Context())
		sent.GetBody = nil
	}
	resp, err := c.base.RoundTrip(sent)
	if err != nil && req.Body != nil && c.server.http2 {
		req.Body.Close()
	}
	if err == nil {
		resp.Body = count(&c.given, resp.Body)
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
			c.server.arrived(req.Header.Get(chaosID))
		}
	}
	return resp, err
}

func count(open *atomic.Int64, body io.ReadCloser) io.ReadCloser {
	open.Add(1)
	return &countedBody{ReadCloser: body, open: open}
}

type countedBody struct {
	io.ReadCloser
	open *atomic.Int64
	once sync.Once
}

func (b *countedBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return b.ReadCloser.Close()
}

// run sends n requests from 200 goroutines while the server restarts now and then.
func (c *chaos) run(t testing.TB, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var callers, restarts sync.WaitGroup
	over := make(chan struct{})
	for range 200 {
		callers.Go(func() {
			for i := left.Add(-1); i >= 0; i = left.Add(-1) {
				c.call(t, i)
			}
		})
	}
	restarts.Go(func() {
		for _, share := range []int64{4, 2, 1} { // with a fifth, a third and a half of the requests sent
			for left.Load() > int64(n)*share/(share+1) {
				select {
				case <-over:
					return
				case <-time.After(time.Millisecond):
				}
			}
			assert.NoError(t, c.server.restart())
		}
	})
	callers.Wait()
	close(over)
	restarts.Wait()
}

// call sends one request and takes account of its outcome.
func (c *chaos) call(t testing.TB, i int64) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch rand.IntN(20) {
	case 0:
		time.AfterFunc(time.Duration(rand.IntN(10))*time.Millisecond, cancel)
	case 1:
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(10))*time.Millisecond)
		defer cancel()
	}
	req := c.request(ctx, strconv.FormatInt(i, 10))
	resp, err := c.hc.Do(req)
	if (resp == nil) == (err == nil) {
		c.server.fault("request %d has %v and %v", i, resp, err)
	}
	if err != nil {
		c.failed(ctx, err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		c.outcome("broken body")
		return
	}
	c.outcome(strconv.Itoa(resp.StatusCode))
}

func (c *chaos) request(ctx context.Context, id string) *http.Request {
	methods := []string{"GET", "GET", "HEAD", "PUT", "DELETE", "PATCH", "POST", "POST"}
	req, err := http.NewRequestWithContext(ctx, methods[rand.IntN(len(methods))], c.server.url("api"), nil)
	if err != nil {
		panic(err)
	}
	key := strconv.Itoa(rand.IntN(48))
	if rand.IntN(50) == 0 {
		key = "hostile " + id
		req.Header.Set(chaosHostile, "1")
	}
	req.Header.Set("Authorization", "Bearer "+secret+key)
	req.Header.Set("Cookie", "session="+secret)
	req.Header.Set(chaosID, id)
	length := 0
	switch req.Method {
	case "PUT", "PATCH", "POST":
		length = rand.IntN(20_000)
		c.setBody(req, length)
	}
	req.Header.Set("X-Chaos-Length", strconv.Itoa(length))
	switch {
	case req.Method == "POST" && rand.IntN(3) == 0:
		req.Header.Set("Idempotency-Key", id)
	case req.Method == "POST" || req.Method == "PATCH":
		req.Header.Set(chaosOnce, "1")
	}
	return req
}

func (c *chaos) setBody(req *http.Request, length int) {
	content := bytes.Repeat([]byte{'x'}, length)
	make := func() (io.ReadCloser, error) { return count(&c.asked, io.NopCloser(bytes.NewReader(content))), nil }
	req.Body, _ = make()
	req.ContentLength = int64(length)
	if rand.IntN(2) == 0 {
		req.GetBody = make
	}
}

// failed sorts the errors, and looks into their texts.
func (c *chaos) failed(ctx context.Context, err error) {
	if strings.Contains(err.Error(), secret) {
		c.server.fault("a credential in %q", err)
	}
	e, own := errors.AsType[*client.Error](err)
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		c.outcome("context")
	case own:
		c.outcome("not sent because of " + e.Limit)
	default:
		c.outcome("network")
	}
}

func (c *chaos) outcome(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[kind]++
}

// check closes everything and looks at what is left.
func (c *chaos) check(t testing.TB) {
	rt := c.hc.Transport.(*client.Transport)
	rt.Close()
	c.base.CloseIdleConnections()
	sum := 0
	for _, n := range c.outcomes {
		sum += n
	}
	t.Logf("outcomes %v, attempts %d, answers %v", c.outcomes, c.server.serve.Load(), c.server.kinds)
	assert.Equal(t, *chaosRequests/2, sum, "every call has one outcome")
	assert.Greater(t, c.outcomes["200"], sum/2, "most succeed in spite of all")
	eventually(t, func() string {
		if asked, given := c.asked.Load(), c.given.Load(); asked != 0 || given != 0 {
			return fmt.Sprintf("open bodies: %d of requests, %d of responses", asked, given)
		}
		return ""
	})
	c.server.close()
	eventually(t, func() string {
		c.base.CloseIdleConnections()
		if n := c.conns.Load(); n != 0 {
			return fmt.Sprintf("%d connections are open", n)
		}
		return ""
	})
	assert.Empty(t, c.server.faults)
}

// eventually waits for what net/http does in the background, at most five seconds.
func eventually(t testing.TB, wrong func() string) {
	what := wrong()
	for range 5000 {
		if what == "" {
			return
		}
		time.Sleep(time.Millisecond)
		what = wrong()
	}
	t.Error(what)
}
