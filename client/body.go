package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client/internal/upload"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/limit"
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

// defaultBuffer is how much of a request body is recorded by default: most that comes from a stream is
// shorter, and a program has room for as much a request.
const defaultBuffer = 1 << 20

// A recorded is a copy of a request whose body is recorded, so that it can be sent again.
type recorded struct {
	http.Request
	upload.Recording
}

// records reports whether the body of a request is recorded: it cannot be made again, and may be short
// enough.
func (t *Transport) records(req *http.Request) bool {
	return req.Body != nil && req.Body != http.NoBody && req.GetBody == nil &&
		t.buffer > 0 && req.ContentLength <= int64(t.buffer) && callOptionsOf(req.Context()).mayRetry()
}

// roundTripRecorded sends a copy of a request, and records its body.
func (t *Transport) roundTripRecorded(req *http.Request) (resp *http.Response, err error) {
	r := &recorded{Request: *req}
	r.Body = r.Start(req.Context(), req.Body, req.ContentLength, t.buffer)
	returned := false
	defer func() { r.End(returned) }() // also after a panic
	c := callOf(req)
	c.sends, c.recording = &r.Request, &r.Recording
	resp, err = t.roundTrip(&c)
	if resp != nil {
		resp.Request = req
	}
	returned = true
	return resp, err
}

// A broken is the rest of a body that cannot be read.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// copy returns the request for another attempt, with a body that was not read.
func (l *loop) copy() (*http.Request, error) {
	req := l.req.WithContext(context.WithValue(l.req.Context(), attemptKey{}, l.attempts+1))
	switch {
	case l.req.Body == nil || l.req.Body == http.NoBody:
		return req, nil
	case l.call.recording != nil:
		req.Body = l.call.recording.Again()
		return req, nil
	}
	body, err := l.req.GetBody()
	if err != nil {
		return nil, err
	}
	req.Body = body
	return req, nil
}

// streams reports whether the server may still be at work on a response that was received.
func (a *attempt) streams() bool { return !a.reading.Refused && a.body }

// follow tells the limiter when the body of a response is over, if it has to know.
func (a *attempt) follow(t *Transport, resp *http.Response) {
	if !a.follows {
		return
	}
	key, part, reservation := a.Request.Key, a.part, a.ticket
	resp.Body = cost.Watch(resp.Body, nil, func() {
		t.queue.Update(key, func(now time.Time, _ limit.Limiter) { part.EndBody(now, reservation) })
	})
}
