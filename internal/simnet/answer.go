package simnet

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

// answer is the http.ResponseWriter of a handler.
type answer struct {
	header http.Header // as the handler sees it
	sent   http.Header // as it was when the status was written; nil before
	status int
	body   bytes.Buffer

	flushed bool // so that the client gets what was written, whatever comes then
	cut     bool // the connection broke after that
}

// Flush implements http.Flusher. The response still comes whole, but a handler that
// breaks the connection later breaks it in the body.
func (a *answer) Flush() {
	a.WriteHeader(http.StatusOK)
	a.flushed = true
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. Informational statuses are
// dropped, as by a client that does not ask for them.
func (a *answer) WriteHeader(status int) {
	if a.sent != nil || status >= 100 && status <= 199 {
		return
	}
	a.status = status
	a.sent = make(http.Header, len(a.header))
	for name, values := range a.header {
		// net/http sends nothing for a name without values: this is how a handler
		// suppresses Date.
		if len(values) > 0 {
			a.sent[name] = values
		}
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.Write(p)
}

// response returns what the client gets.
func (a *answer) response(req *http.Request, t *Transport) *http.Response {
	res := &http.Response{
		Status:     strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Request: req,
		ContentLength: int64(a.body.Len()),
	}
	if req.Method == http.MethodHead {
		a.body.Reset()
	}
	end := io.EOF
	if a.cut {
		res.ContentLength, end = -1, io.ErrUnexpectedEOF
	}
	t.open.Add(1)
	res.Body = &body{buf: &a.body, end: end, open: &t.open}
	return res
}

// body is the body of a response. Like that of http.Transport it can be closed
// while another goroutine reads.
type body struct {
	buf    *bytes.Buffer
	end    error // io.EOF, or what cut it off
	open   *atomic.Int64
	closed atomic.Bool
}

var errClosed = errors.New("simnet: read on closed response body")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, errClosed
	}
	if b.buf.Len() == 0 && len(p) > 0 {
		return 0, b.end
	}
	return b.buf.Read(p)
}

// Close implements io.Closer. It may be called more than once.
func (b *body) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.open.Add(-1)
	}
	return nil
}
