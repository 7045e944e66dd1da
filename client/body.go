package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// discardLimit is how much of a response is read so that its connection can be reused. Reading more
// than this costs more than a new connection.
const discardLimit = 64 << 10

// discardPatience is how long that may take, about as long as a new connection. The caller waits
// meanwhile.
const discardPatience = 100 * time.Millisecond

// discard drains and closes the body of a response that is not returned, if there is one.
func discard(resp *http.Response) {
	if resp == nil || resp.Body == nil || resp.Body == http.NoBody {
		return
	}
	defer resp.Body.Close() // even if reading panics
	late := closeAfter(discardPatience, resp.Body)
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, discardLimit)
}

// keep reads the body of a response into memory and closes it, in case the caller gets the response
// later. If the body is longer than discardLimit or takes longer than discardPatience, keep discards
// the response and returns nil.
func keep(resp *http.Response) *http.Response {
	if resp == nil || resp.Body == nil || resp.Body == http.NoBody {
		return resp
	}
	body := resp.Body
	defer body.Close()
	late := closeAfter(discardPatience, body)
	defer late.Stop()
	text, err := io.ReadAll(io.LimitReader(body, discardLimit+1))
	if len(text) > discardLimit || !late.Stop() {
		return nil
	}
	var all io.Reader = bytes.NewReader(text)
	if err != nil {
		all = io.MultiReader(all, broken{err})
	}
	resp.Body = io.NopCloser(all)
	return resp
}

// closeAfter closes a body after a while, to end a read that hangs. If Close panics, it does so again
// when the reader closes the body.
func closeAfter(d time.Duration, body io.Closer) *time.Timer {
	return time.AfterFunc(d, func() { closeQuietly(body) })
}

// closeQuietly closes a body and recovers from its panic, for a goroutine of its own.
func closeQuietly(body io.Closer) {
	defer func() { _ = recover() }()
	_ = body.Close()
}

// replayable reports whether the body of a request can be sent again as it is.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// roundTripBuffered sends a copy of a request whose body is kept in memory, if it is short enough.
func (t *Transport) roundTripBuffered(req *http.Request) (*http.Response, error) {
	if !callOptionsOf(req.Context()).mayRetry() || req.ContentLength > t.buffer {
		return t.roundTrip(req)
	}
	kept, rest := readBody(req, t.buffer)
	if ctx := req.Context(); ctx.Err() != nil {
		closeBody(req)
		return nil, &Error{Reason: ctx.Err(), Cause: context.Cause(ctx)}
	}
	own := req.WithContext(req.Context())
	if rest == nil {
		closeBody(req)
		own.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(kept)), nil }
		own.Body = io.NopCloser(bytes.NewReader(kept))
	} else {
		own.Body = &resumed{Reader: io.MultiReader(bytes.NewReader(kept), rest), Closer: req.Body}
	}
	resp, err := t.roundTrip(own)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// readBody reads a body up to the limit. If that is not all of it, rest is the remainder,
// or the error on which reading stopped.
func readBody(req *http.Request, limit int64) (kept []byte, rest io.Reader) {
	read := false
	defer func() {
		if !read { // the body panics
			closeBody(req)
		}
	}()
	// Closing a body ends a read that hangs, of a pipe for instance.
	stop := context.AfterFunc(req.Context(), func() { closeQuietly(req.Body) })
	defer stop()
	kept, err := io.ReadAll(io.LimitReader(req.Body, limit+1))
	read = true
	switch {
	case err != nil:
		return kept, broken{err}
	case int64(len(kept)) > limit:
		return kept, req.Body
	}
	return kept, nil
}

// A resumed is a body that was read in part.
type resumed struct {
	io.Reader
	io.Closer
}

// A broken is the rest of a body that cannot be read.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// copy returns the request for another attempt, with a body that was not read.
func (l *loop) copy() (*http.Request, error) {
	req := l.req.WithContext(context.WithValue(l.req.Context(), attemptKey{}, l.attempts+1))
	if l.req.Body == nil || l.req.Body == http.NoBody {
		return req, nil
	}
	body, err := l.req.GetBody()
	if err != nil {
		return nil, err
	}
	req.Body = body
	return req, nil
}
