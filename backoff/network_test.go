package backoff

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The three possible outcomes of an error, for a GET and a POST.
type answers struct{ get, post Verdict }

var (
	anyMethod  = answers{Yes, Yes}
	idempotent = answers{Yes, No}
	never      = answers{No, No}
	notKnown   = answers{Yes, NoOpinion}
)

func answersTo(t *testing.T, err error) answers {
	t.Helper()
	return answers{
		DefaultCheck(Attempt{Request: request(t, "GET", ""), Err: err}),
		DefaultCheck(Attempt{Request: request(t, "POST", "x"), Err: err}),
	}
}

// failure is a way to make net/http fail. It returns the error of one exchange
// on the loopback interface.
type failure func(t *testing.T) error

// exchange sends a GET through an http.Client with this transport.
func exchange(t *testing.T, transport *http.Transport, url string) error {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// hangup answers a connection on which a request has arrived.
func hangup(answer func(net.Conn)) failure {
	return func(t *testing.T) error {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				answer(conn)
				conn.Close()
			}
		}))
		t.Cleanup(srv.Close)
		return exchange(t, &http.Transport{}, srv.URL)
	}
}

func write(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) }
}

func tlsServer(t *testing.T, change func(*tls.Config)) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{}
	change(srv.TLS)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// overTLS asks a TLS server with a client whose settings can differ from those
// that the server wants.
func overTLS(server, client func(*tls.Config)) failure {
	return func(t *testing.T) error {
		srv := tlsServer(t, server)
		transport := srv.Client().Transport.(*http.Transport).Clone()
		client(transport.TLSClientConfig)
		return exchange(t, transport, srv.URL)
	}
}

func asIs(*tls.Config) {}

// closedAddress returns a loopback address on which no server listens.
func closedAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	return l.Addr().String()
}

func dialing(d net.Dialer, address string) failure {
	return func(t *testing.T) error {
		return exchange(t, &http.Transport{DialContext: d.DialContext}, "http://"+address)
	}
}

// nameServer answers every DNS question with this code (RFC 1035 section 4.1.1).
func nameServer(t *testing.T, rcode byte) *net.Resolver {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			buf[2] |= 0x80 // an answer
			buf[3] = 0x80 | rcode
			buf[11] = 0 // drop the additional record of the question
			conn.WriteTo(buf[:n], from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func resolving(rcode byte) failure {
	return func(t *testing.T) error {
		return dialing(net.Dialer{Resolver: nameServer(t, rcode)}, "name.test.")(t)
	}
}

// proxied sends the request through the proxy at this address.
func proxied(t *testing.T, address, target string) error {
	proxy := &url.URL{Scheme: "http", Host: address}
	return exchange(t, &http.Transport{Proxy: http.ProxyURL(proxy)}, target)
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

var realFailures = map[string]struct {
	fail failure
	want answers
}{
	"connection reset":     {hangup(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), idempotent},
	"EOF before an answer": {hangup(write("")), idempotent},
	"EOF in the header":    {hangup(write("HTTP/1.1 200 OK\r\nServer: x\r\n")), idempotent},
	"not HTTP":             {hangup(write("220 smtp.test ESMTP\r\n\r\n")), notKnown},
	"malformed header":     {hangup(write("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")), notKnown},

	"certificate of an unknown authority": {overTLS(asIs, func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }), never},
	"certificate of another host":         {overTLS(asIs, func(c *tls.Config) { c.ServerName = "other.test" }), never},
	"certificate expired":                 {overTLS(asIs, func(c *tls.Config) { c.Time = func() time.Time { return time.Unix(1<<33, 0) } }), never},
	"client certificate missing":          {overTLS(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }, asIs), idempotent},
	"TLS version too old":                 {overTLS(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), idempotent},
	"HTTP answer to HTTPS": {func(t *testing.T) error {
		srv := serve(t, func(http.ResponseWriter, *http.Request) {})
		return exchange(t, &http.Transport{}, "https://"+srv.Listener.Addr().String())
	}, notKnown},

	"no listener":  {func(t *testing.T) error { return dialing(net.Dialer{}, closedAddress(t))(t) }, anyMethod},
	"dial timeout": {func(t *testing.T) error { return dialing(net.Dialer{Timeout: 1}, closedAddress(t))(t) }, anyMethod},
	"no such port": {dialing(net.Dialer{}, "127.0.0.1:99999"), never},

	"name server fails":   {resolving(2), anyMethod},
	"name does not exist": {resolving(3), anyMethod},

	"no proxy": {func(t *testing.T) error { return proxied(t, closedAddress(t), "http://target.test") }, anyMethod},
	"proxy hangs up": {func(t *testing.T) error {
		srv := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		return proxied(t, srv.Listener.Addr().String(), "https://target.test")
	}, idempotent},
	"proxy wants a password": {func(t *testing.T) error {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) })
		return proxied(t, srv.Listener.Addr().String(), "https://target.test")
	}, notKnown},

	"no header in time": {func(t *testing.T) error {
		answered := make(chan struct{})
		srv := serve(t, func(http.ResponseWriter, *http.Request) { <-answered })
		defer close(answered)
		return exchange(t, &http.Transport{ResponseHeaderTimeout: time.Millisecond}, srv.URL)
	}, idempotent},
	"timeout of the client": {func(t *testing.T) error {
		answered := make(chan struct{})
		srv := serve(t, func(http.ResponseWriter, *http.Request) { <-answered })
		defer close(answered)
		_, err := (&http.Client{Timeout: time.Millisecond}).Get(srv.URL)
		return err
	}, idempotent},
	"TLS handshake timeout": {func(t *testing.T) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		return exchange(t, &http.Transport{TLSHandshakeTimeout: time.Millisecond}, "https://"+l.Addr().String())
	}, idempotent},

	"redirects without end": {func(t *testing.T) error {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
		return exchange(t, &http.Transport{}, srv.URL)
	}, never},
	"unsupported scheme": {func(t *testing.T) error { return exchange(t, &http.Transport{}, "gopher://target.test") }, never},
	"no host":            {func(t *testing.T) error { return exchange(t, &http.Transport{}, "http:///path") }, never},
	"malformed URL": {func(*testing.T) error {
		_, err := http.Get("http://[::1")
		return err
	}, never},
}

func TestDefaultCheckOfRealFailures(t *testing.T) {
	for name, c := range realFailures {
		t.Run(name, func(t *testing.T) {
			err := c.fail(t)
			require.Error(t, err)
			t.Logf("%v", err)
			assert.Equal(t, c.want, answersTo(t, err), "%v", err)

			// A RoundTripper sees the same error without the client's wrapping.
			if u, ok := errors.AsType[*url.Error](err); ok && u.Op != "parse" && name != "timeout of the client" {
				assert.Equal(t, c.want, answersTo(t, u.Err), "%v", u.Err)
			}
		})
	}
}

func TestTimeoutOfTheAttemptIsNotTheCallers(t *testing.T) {
	answered := make(chan struct{})
	srv := serve(t, func(http.ResponseWriter, *http.Request) { <-answered })
	defer close(answered)

	caller := request(t, "GET", "")
	ctx, cancel := context.WithTimeout(caller.Context(), time.Millisecond)
	defer cancel()
	attempt, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	require.NoError(t, err)
	_, err = http.DefaultTransport.RoundTrip(attempt)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	assert.Equal(t, Yes, DefaultCheck(Attempt{Request: caller, Err: err}), "the caller still waits")
	assert.Equal(t, No, DefaultCheck(Attempt{Request: attempt, Err: err}), "the caller's own")
}

func TestClassifyMadeUpErrors(t *testing.T) {
	op := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	text := errors.New
	for name, c := range map[string]struct {
		err  error
		want fate
	}{
		"nil":                              {nil, unknown},
		"anything":                         {text("anything"), unknown},
		"EOF":                              {io.EOF, unclear},
		"unexpected EOF, wrapped":          {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), unclear},
		"joined":                           {errors.Join(text("a"), io.EOF), unclear},
		"bare reset":                       {syscall.ECONNRESET, unclear},
		"bare broken pipe":                 {os.NewSyscallError("write", syscall.EPIPE), unclear},
		"bare refused":                     {syscall.ECONNREFUSED, unsent},
		"bare abort":                       {syscall.ECONNABORTED, unclear},
		"TLS record header":                {tls.RecordHeaderError{Msg: "x"}, unknown},
		"malformed address":                {op("dial", &net.ParseError{Type: "IP address", Text: "x"}), permanent},
		"HTTP/2 not established":           {text("http2: client conn could not be established"), unsent},
		"HTTP/2 not processed":             {text("http2: Transport: cannot retry err [x] after Request.Body was written"), unsent},
		"bare host unreachable":            {syscall.EHOSTUNREACH, unknown},
		"deadline":                         {context.DeadlineExceeded, unclear},
		"cancelled":                        {context.Canceled, unknown},
		"cancelled in a dial":              {op("dial", context.Canceled), unsent},
		"i/o timeout":                      {op("read", os.ErrDeadlineExceeded), unclear},
		"host unreachable":                 {op("dial", os.NewSyscallError("connect", syscall.EHOSTUNREACH)), unsent},
		"dial timeout":                     {op("dial", os.ErrDeadlineExceeded), unsent},
		"closed under the reader":          {op("read", net.ErrClosed), unclear},
		"alert inside a read":              {op("read", op("remote error", text("tls: bad certificate"))), unclear},
		"own alert":                        {op("local error", text("tls: protocol version not supported")), unclear},
		"operation nobody knows":           {op("set", text("x")), unknown},
		"reset inside it":                  {op("set", syscall.ECONNRESET), unclear},
		"reset by the proxy":               {op("proxyconnect", op("read", syscall.ECONNRESET)), unsent},
		"proxy not found":                  {op("proxyconnect", op("dial", &net.DNSError{IsNotFound: true})), unsent},
		"proxy certificate":                {op("proxyconnect", &tls.CertificateVerificationError{Err: text("x")}), permanent},
		"socks proxy refuses":              {op("socks connect", text("unknown error host unreachable")), unsent},
		"socks proxy hangs up":             {op("socks connect", io.EOF), unsent},
		"DNS temporary":                    {&net.DNSError{IsTemporary: true}, unsent},
		"DNS timeout":                      {&net.DNSError{IsTimeout: true}, unsent},
		"DNS not found, temporary":         {&net.DNSError{IsNotFound: true, IsTemporary: true}, unsent},
		"DNS otherwise":                    {&net.DNSError{Err: "x"}, unsent},
		"bare certificate, authority":      {x509.UnknownAuthorityError{}, permanent},
		"bare certificate, host":           {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, permanent},
		"bare certificate, invalid":        {x509.CertificateInvalidError{}, permanent},
		"invalid header":                   {text(`net/http: invalid header field name "a b"`), permanent},
		"body shorter than announced":      {text("http: ContentLength=3 with Body length 2"), permanent},
		"unknown network":                  {op("dial", net.UnknownNetworkError("x")), permanent},
		"text in a wrapper":                {fmt.Errorf("a: %w", text("http2: client connection lost")), unclear},
		"text inside a URL is not a cause": {&url.Error{Op: "Get", URL: "/?http2: client connection lost", Err: text("x")}, unknown},
		"text that quotes another":         {text("no http2: client connection lost"), unknown},
	} {
		assert.Equal(t, c.want, classify(c.err), name)
	}
}
