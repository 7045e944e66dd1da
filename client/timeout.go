package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// ErrAttemptTimeout is matched by the error of an attempt whose response took longer
// than [WithAttemptTimeout] allows.
var ErrAttemptTimeout = errors.New("client: attempt timed out")

// timed returns a transport that keeps to the attempt timeout, if there is one.
func (s *settings) timed(base http.RoundTripper) http.RoundTripper {
	if s.attemptTimeout == 0 {
		return base
	}
	return &timed{base: base, most: s.attemptTimeout}
}

// A timed bounds how long the header of a response may take.
type timed struct {
	base http.RoundTripper
	most time.Duration
}

// RoundTrip implements http.RoundTripper. The context that it gives to the base
// transport ends with the body of the response.
func (t *timed) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	timer := time.AfterFunc(t.most, cancel)
	answered := false
	defer func() {
		if !answered { // also by a panic
			timer.Stop()
			cancel()
		}
	}()
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	switch late := !timer.Stop(); {
	case late && req.Context().Err() == nil:
		discard(resp) // its body can no longer be read
		return nil, &timeoutError{t.most}
	case err != nil || resp == nil:
		return resp, err
	}
	resp.Request = req
	if resp.Body != nil && resp.Body != http.NoBody {
		answered = true
		resp.Body = endWith(resp.Body, cancel)
	}
	return resp, nil
}

// CloseIdleConnections closes the idle connections of the base transport, if it has a
// method of that name.
func (t *timed) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// A timeoutError says that an attempt took too long. It matches what the timeouts of
// net/http do.
type timeoutError struct{ most time.Duration }

func (e *timeoutError) Error() string   { return fmt.Sprintf("client: no response within %v", e.most) }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

func (e *timeoutError) Is(target error) bool {
	return target == ErrAttemptTimeout || target == context.DeadlineExceeded
}

// endWith returns a body that ends a context when it is closed or read to its end. One
// that can be written to, as after 101 Switching Protocols, still can.
func endWith(body io.ReadCloser, cancel context.CancelFunc) io.ReadCloser {
	if conn, ok := body.(io.ReadWriteCloser); ok {
		return &endingConn{ReadWriteCloser: conn, cancel: cancel}
	}
	return &endingBody{ReadCloser: body, cancel: cancel}
}

type endingBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.cancel()
	}
	return n, err
}

func (b *endingBody) Close() error {
	defer b.cancel() // the base transport may still drain it
	return b.ReadCloser.Close()
}

// An endingConn may be written to after it was read to its end.
type endingConn struct {
	io.ReadWriteCloser
	cancel context.CancelFunc
}

func (c *endingConn) Close() error {
	defer c.cancel()
	return c.ReadWriteCloser.Close()
}

// CloseWrite closes one direction, as the connections of net/http can.
func (c *endingConn) CloseWrite() error {
	if half, ok := c.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("client: closing one direction: %w", errors.ErrUnsupported)
}

// left returns how long a retry may wait in the queue; 0 is as long as any request.
func (l *loop) left() time.Duration {
	left := l.leftToWait(0)
	if l.t.elapsed > 0 {
		left = min(cmp.Or(left, l.t.elapsed), max(1, l.t.elapsed-l.elapsed-l.wait))
	}
	return left
}

// leftToWait returns how much longer the request may wait once it has waited for d more; 0 is without bound. The
// bound is one for all its waits, but for those that the server named, if the program did not set it: a plain
// client keeps to these, however long they are, and to no others.
func (l *loop) leftToWait(d time.Duration) time.Duration {
	switch {
	case l.t.maxWait == 0:
		return 0
	case l.last.waitKnown && !l.t.ownWait:
		return l.t.maxWait
	}
	return max(1, l.t.maxWait-l.waited-d)
}

// A cancelable is the context of a request whose Cancel channel ends it too, as it does
// with those of http.Transport. It costs a goroutine only while the request waits.
type cancelable struct {
	context.Context //nolint:containedctx // it is one

	cancel <-chan struct{} // of the request

	start sync.Once
	done  chan struct{}
	over  chan struct{} // closed when the request is
}

// waitContext returns the context with which a request waits, and what to call when it is
// over; that is nil if there is nothing to do.
func waitContext(req *http.Request) (ctx context.Context, over func()) {
	cancel := req.Cancel //nolint:staticcheck // http.Client sets it for its timeout, and programs still do
	if cancel == nil {
		return req.Context(), nil
	}
	c := &cancelable{Context: req.Context(), cancel: cancel, over: make(chan struct{})}
	return c, func() { close(c.over) }
}

// Done implements context.Context.
func (c *cancelable) Done() <-chan struct{} {
	c.start.Do(func() {
		c.done = make(chan struct{})
		go func() {
			select {
			case <-c.Context.Done():
			case <-c.cancel:
			case <-c.over:
				return
			}
			close(c.done)
		}()
	})
	return c.done
}

// Err implements context.Context.
func (c *cancelable) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	select {
	case <-c.cancel:
		return context.Canceled
	default:
		return nil
	}
}
