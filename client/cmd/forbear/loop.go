package main

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// outgoing are the open connections of a proxy to its upstreams, by both addresses. A
// request that comes over one of them is the proxy's own: an upstream, the environment's
// HTTP_PROXY or the URL of a forwarded request leads back to the proxy.
type outgoing struct{ open sync.Map }

// A route is the two ends of a connection. One end does not identify it: connections to
// different servers may have the same port.
type route struct{ from, to string }

// watch has a transport note the connections that it opens.
func (o *outgoing) watch(t *http.Transport) {
	dial := t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		tcp, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			return conn, err
		}
		c := &outgoingConn{tcp, o, route{tcp.LocalAddr().String(), tcp.RemoteAddr().String()}}
		o.open.Store(c.route, nil)
		return c, nil
	}
}

// sent reports whether a request comes from the proxy itself.
func (o *outgoing) sent(r *http.Request) bool {
	here, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if ok {
		_, ok = o.open.Load(route{r.RemoteAddr, here.String()})
	}
	return ok
}

// An outgoingConn is a connection that outgoing knows until it is closed.
type outgoingConn struct {
	*net.TCPConn
	of    *outgoing
	route route
}

func (c *outgoingConn) Close() error {
	c.of.open.Delete(c.route)
	return c.TCPConn.Close()
}
