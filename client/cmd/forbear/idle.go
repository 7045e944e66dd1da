package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// parkAfter is how long a connection is idle before the server gives it up.
	parkAfter = 3 * time.Second
	// idleTimeout is how long it may then remain idle before it is closed.
	idleTimeout = 2 * time.Minute
)

// An idleListener keeps idle connections in place of the server, and hands each to the
// server again when its next request comes. A server needs 20 kB for an idle
// connection: two buffers, and a stack that was deep.
type idleListener struct {
	net.Listener
	timeout  time.Duration
	incoming chan incoming
	done     chan struct{}

	open atomic.Int64 // connections that the server has

	mu     sync.Mutex
	closed bool
	parked map[*net.TCPConn]struct{}
}

// An incoming is what Accept returns.
type incoming struct {
	conn net.Conn
	err  error
}

// newIdleListener returns a listener that closes connections after they were parked for
// the timeout. The server must call its connState.
func newIdleListener(l net.Listener, timeout time.Duration) *idleListener {
	il := &idleListener{
		Listener: l, timeout: timeout, incoming: make(chan incoming), done: make(chan struct{}),
		parked: make(map[*net.TCPConn]struct{}),
	}
	go il.acceptAll()
	return il
}

// acceptAll accepts new connections until the listener is closed.
func (l *idleListener) acceptAll() {
	for {
		conn, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			conn = &idleConn{TCPConn: tcp, listener: l}
		}
		l.hand(conn, err)
	}
}

// hand passes a connection to the server. It waits until the server is ready for it.
func (l *idleListener) hand(conn net.Conn, err error) {
	select {
	case l.incoming <- incoming{conn, err}:
	case <-l.done:
		if conn == nil {
			return
		}
		if c, ok := conn.(*idleConn); ok {
			_ = c.SetLinger(0) // reset it, as the system does with those that it did not accept
		}
		_ = conn.Close()
	}
}

// Accept returns the next connection that is new or no longer idle.
func (l *idleListener) Accept() (net.Conn, error) {
	select {
	case in := <-l.incoming:
		return in.conn, in.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// stop accepts no more connections. Those that are open go on, parked or not.
func (l *idleListener) stop() { _ = l.Listener.Close() }

// Close closes the listener and the connections that are parked.
func (l *idleListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	for conn := range l.parked {
		_ = conn.Close()
	}
	if err := l.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// park keeps an idle connection. It reports false if the listener is closed.
func (l *idleListener) park(conn *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.parked[conn] = struct{}{}
	go l.watch(conn)
	return true
}

// watch waits until a parked connection has something to read, and hands it to the server.
func (l *idleListener) watch(conn *net.TCPConn) {
	var first [1]byte
	err := conn.SetReadDeadline(time.Now().Add(l.timeout))
	if err == nil {
		_, err = conn.Read(first[:])
	}
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	l.mu.Lock()
	delete(l.parked, conn)
	l.mu.Unlock()
	if err != nil {
		_ = conn.Close()
		return
	}
	l.hand(&idleConn{TCPConn: conn, listener: l, unread: first[:]}, nil)
}

// connState notes how many connections there are, and which are idle; it is for [http.Server].
func (l *idleListener) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		l.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		l.open.Add(-1)
	}
	if c, ok := conn.(*idleConn); ok {
		c.idle.Store(state == http.StateIdle)
	}
}

// An idleConn is a connection of a server. When the server closes it because its
// IdleTimeout has passed, it is parked instead.
type idleConn struct {
	*net.TCPConn
	listener *idleListener
	unread   []byte // read while it was parked
	buffer   int    // how much the server reads while it has nothing of the connection left to parse
	idle     atomic.Bool
	parking  atomic.Int32
}

// The states of parking.
const (
	inUse  = iota
	toPark // instead of being closed
	parked // or closed: it is no longer the server's
)

// Read reads from the connection, first what was read while it was parked.
func (c *idleConn) Read(p []byte) (int, error) {
	c.buffer = max(c.buffer, len(p))
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		c.unread = c.unread[n:]
		return n, nil
	}
	n, err := c.TCPConn.Read(p)
	switch {
	case n > 0:
		c.idle.Store(false)
	case len(p) < c.buffer: // the server has a part of the next request
	case errors.Is(err, os.ErrDeadlineExceeded) && c.idle.Load():
		c.parking.CompareAndSwap(inUse, toPark)
	}
	return n, err
}

// Close closes the connection, or parks it.
func (c *idleConn) Close() error {
	switch {
	case c.parking.CompareAndSwap(toPark, parked):
		if c.listener.park(c.TCPConn) {
			return nil
		}
	case c.parking.Load() == parked:
		return nil
	}
	return c.TCPConn.Close()
}
