package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// mostAhead is how much of a body is read from its connection while the request waits.
const mostAhead = 64 << 10

// A server notices that the caller of a request has gone once it has read its body. The
// body of an upload is read when the request is sent, so the proxy looks itself while the
// request waits.

type connKey struct{}

// withConn is for [http.Server.ConnContext].
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// watchUpload returns a request that is canceled if its caller disconnects before its body
// is read, and a function that ends it.
func watchUpload(r *http.Request) (watched *http.Request, end func()) {
	conn, ok := r.Context().Value(connKey{}).(*idleConn)
	if !ok {
		return r, func() {}
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := conn.readAhead(cancel)
	r = r.WithContext(ctx)
	r.Body = &upload{r.Body, stop}
	return r, func() {
		stop()
		cancel()
	}
}

// An upload is a body whose connection is watched until it is read.
type upload struct {
	io.ReadCloser

	stop func()
}

func (u *upload) Read(p []byte) (int, error) {
	u.stop()
	return u.ReadCloser.Read(p)
}

func (u *upload) Close() error {
	u.stop()
	return u.ReadCloser.Close()
}

// readAhead reads what comes over the connection, so much of it as is kept, until stop is
// called. It calls gone if the other side closes the connection. The server must not read
// meanwhile; what came is what it reads next.
func (c *idleConn) readAhead(gone func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4<<10)
		for len(c.unread) < mostAhead {
			n, err := c.TCPConn.Read(buf)
			c.unread = append(c.unread, buf[:n]...)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			if err != nil {
				gone()
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		_ = c.SetReadDeadline(time.Unix(1, 0)) // an error means that the connection is closed: the read ends too
		<-done
		_ = c.SetReadDeadline(time.Time{})
	})
}
