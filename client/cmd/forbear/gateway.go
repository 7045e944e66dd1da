package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client"
)

// A gateway passes requests on to their upstreams.
type gateway struct {
	config  atomic.Pointer[config]
	forward bool                     // requests may name any host
	replay  int64                    // the longest body that is kept to be sent again
	public  bool                     // the page is for other machines, too
	sent    func(*http.Request) bool // whether a request is the proxy's own
	admin   http.Handler
	proxy   httputil.ReverseProxy
	log     *slog.Logger

	requests atomic.Int64 // that have come or are done
	ending   atomic.Bool  // each connection gets its last response
}

type targetKey struct{}

// newGateway returns a gateway that sends through transport.
func newGateway(c *config, transport http.RoundTripper, admin http.Handler, log *slog.Logger) *gateway {
	g := &gateway{admin: admin, log: log}
	g.config.Store(c)
	g.proxy = httputil.ReverseProxy{
		Transport:     transport,
		Rewrite:       rewrite,
		FlushInterval: flushAfter,
		BufferPool:    new(buffers),
		ErrorHandler:  g.fail,
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return g
}

// flushAfter is how long a part of a response of known length waits for more to come.
const flushAfter = 10 * time.Millisecond

// rewrite directs a request to the target that ServeHTTP found.
func rewrite(r *httputil.ProxyRequest) {
	if target, ok := r.In.Context().Value(targetKey{}).(upstream); ok {
		r.Out.URL.Path = "/" + strings.TrimPrefix(r.Out.URL.Path, target.prefix)
		if r.Out.URL.RawPath != "" {
			r.Out.URL.RawPath = "/" + strings.TrimPrefix(r.Out.URL.RawPath, target.prefix)
		}
		r.SetURL(target.url)
	}
	r.Out.URL.RawQuery = r.In.URL.RawQuery // also what net/url cannot parse
	if strings.EqualFold(r.Out.Header.Get("Upgrade"), "h2c") {
		// Java offers it with every request. A server that speaks HTTP/2 already must not see it.
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
	}
	if _, ok := r.Out.Header["User-Agent"]; !ok {
		r.Out.Header["User-Agent"] = nil // or else net/http sets its own
	}
}

// ServeHTTP passes a request on, unless it is for the proxy itself.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.requests.Add(1)
	defer g.requests.Add(1)
	if g.ending.Load() && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close")
	}
	c := g.config.Load()
	ctx := r.Context()
	switch {
	case g.sent(r):
		w.Header().Set("X-Should-Retry", "false")
		http.Error(w, "the proxy sent this request to itself; see -to, -config and HTTP_PROXY", http.StatusLoopDetected)
		return
	case r.Method == http.MethodConnect:
		http.Error(w, "CONNECT is not supported: its requests cannot be seen. Use http:// URLs or -to.", http.StatusMethodNotAllowed)
		return
	case r.URL.IsAbs():
		if !g.forward || r.URL.Scheme != "http" {
			http.Error(w, "not a forward proxy; see forbear help proxy", http.StatusForbidden)
			return
		}
	case r.URL.Path == "/-":
		http.Redirect(w, r, "/-/", http.StatusPermanentRedirect)
		return
	case strings.HasPrefix(r.URL.Path, "/-/"):
		g.serveAdmin(w, r)
		return
	default:
		target, ok := c.find(r.URL)
		if !ok {
			http.Error(w, "no upstream for this path", http.StatusNotFound)
			return
		}
		ctx = context.WithValue(ctx, targetKey{}, target)
	}
	if name := r.Header.Get(c.nameField); c.nameField != "" && name != "" {
		ctx = client.WithKeyName(ctx, name)
		r.Header.Del(c.nameField)
	}
	r = r.WithContext(ctx)
	if err := g.keepBody(r); err != nil {
		http.Error(w, "the body ended early", http.StatusBadRequest)
		return
	}
	if r.GetBody == nil && r.ContentLength != 0 {
		watched, end := watchUpload(r)
		defer end()
		r = watched
	}
	g.proxy.ServeHTTP(w, r)
}

// find returns the upstream with the longest prefix of a path.
func (c *config) find(u *url.URL) (found upstream, ok bool) {
	for _, up := range c.upstreams {
		if strings.HasPrefix(u.EscapedPath(), up.prefix) && len(up.prefix) > len(found.prefix) {
			found, ok = up, true
		}
	}
	return found, ok
}

// keepBody reads a body that is known to be short into memory, so that the request waits without its
// connection being watched. Others pass as they come, and the client records those that turn out short.
func (g *gateway) keepBody(r *http.Request) error {
	if r.ContentLength <= 0 || r.ContentLength > g.replay {
		return nil
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
	return nil
}

// serveAdmin serves what is below /-/: to this machine alone, unless told otherwise,
// except for the health check.
func (g *gateway) serveAdmin(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/-/health" && !g.public && !local(r) {
		http.Error(w, "only for this machine; see -public in forbear help proxy", http.StatusForbidden)
		return
	}
	g.admin.ServeHTTP(w, r)
}

// local reports whether a request comes from this machine and was meant for it: a page
// in a browser may use a name of its own for 127.0.0.1.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	to, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && to.IsLoopback()
}
