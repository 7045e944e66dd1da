package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// replayable reports whether the body of a request can be sent again as it is.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// roundTripBuffered sends a copy of a request whose body is kept, if it is short enough.
func (t *Transport) roundTripBuffered(req *http.Request) (*http.Response, error) {
	if c := callOf(req); c.noRetry || c.noWait || req.ContentLength > t.buffer {
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

// resumed is a body of which a part was read already.
type resumed struct {
	io.Reader
	io.Closer
}

// broken is the rest of a body that cannot be read.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
