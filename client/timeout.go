package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
