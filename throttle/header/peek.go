package header

import (
	"io"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// MaxBody is how much of a body is worth reading, in bytes. Errors are short;
// a longer body is cut off there, and read as far as it goes.
const MaxBody = 64 << 10

// NeedsBody reports whether the body of a response may tell more of a limit
// than its header does: a status that can mean a refusal, a text in a form that
// can be read, and no Retry-After, which would be the answer already. It
// is false for ordinary successes, and costs them a few nanoseconds.
func NeedsBody(status int, h http.Header) bool {
	return mayRefuse(status) && len(h["Retry-After"]) == 0 && Readable(h)
}

// Readable reports whether the body of a response is a text that can be read at once:
// not empty, not compressed, not a stream that goes on.
func Readable(h http.Header) bool {
	if v := h["Content-Encoding"]; len(v) > 0 && v[0] != "" && v[0] != "identity" {
		return false
	}
	if v := h["Content-Length"]; len(v) > 0 && v[0] == "0" {
		return false
	}
	kind := h.Get("Content-Type")
	if i := strings.IndexByte(kind, ';'); i >= 0 {
		kind = kind[:i]
	}
	kind = trim(kind)
	switch {
	case kind == "":
		return true // errors of small servers often have none
	case hasFold(kind, "text/"):
		return !equalFold(kind, "text/event-stream")
	case equalFold(kind, "application/json"), equalFold(kind, "application/xml"):
		return true
	}
	// application/problem+json and its like, but not application/json-seq and
	// application/x-ndjson, which are streams.
	return len(kind) > 5 && equalFold(kind[len(kind)-5:], "+json")
}

// PeekBody reads the beginning of a response's body, at most MaxBody bytes of it, and
// returns it with the response to use from then on. The Body of that response still
// gives all bytes, and the errors too; whoever owned the body must close it. The bytes
// returned must not be changed. PeekBody returns nil for a body that does not end by
// itself: a switch of protocols, an event stream.
//
// It waits until the body ends, but not longer than patience. A read that is still under
// way then is the last one that is made ahead of the owner, whose first Read waits for
// it. Until that read is over it may set the trailer of resp, as those of net/http do,
// so the response returned is a copy, of which the Trailer is filled in by Read. In all
// other cases it is resp.
//
// A body that panics does so in the goroutine of the caller. PeekBody does not watch the
// context of the request: when it is canceled, the read underneath fails.
func PeekBody(resp *http.Response, patience time.Duration) ([]byte, *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols ||
		resp.ContentLength == 0 || hasFold(resp.Header.Get("Content-Type"), "text/event-stream") {
		return nil, resp
	}
	copied := new(http.Response) // made now, since later a read may be changing resp
	*copied = *resp
	copied.Trailer = maps.Clone(resp.Trailer)
	p := &peeked{Closer: resp.Body, body: resp.Body, filled: make(chan struct{})}
	p.soFar.Store(&[]byte{})
	go p.fill()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.filled:
		p.raise()
	case <-timer.C:
		p.enough.Store(true)
		p.original, p.copied = resp, copied
		resp = copied
	}
	resp.Body = p
	return *p.soFar.Load(), resp
}

// peeked is a body of which the beginning has been read ahead of its owner.
type peeked struct {
	io.Closer
	body   io.Reader
	enough atomic.Bool            // fill is to stop after the read that it is in
	soFar  atomic.Pointer[[]byte] // what fill has read
	filled chan struct{}          // closed when fill has ended, which frees the fields below
	buf    []byte
	err    error

	panicked any  // what a read panicked with
	exited   bool // a read ended its goroutine

	// If the owner has a copy of the response, these are the original, which a read may
	// change, and the copy. Otherwise they are nil.
	original, copied *http.Response
}

func (p *peeked) fill() {
	returned := false
	defer func() {
		if !returned {
			p.panicked = recover()
			p.exited = p.panicked == nil
		}
		close(p.filled)
	}()
	for len(p.buf) < MaxBody && p.err == nil && !p.enough.Load() {
		if len(p.buf) == cap(p.buf) {
			p.buf = append(make([]byte, 0, min(max(512, 4*cap(p.buf)), MaxBody)), p.buf...)
		}
		var n int
		n, p.err = p.body.Read(p.buf[len(p.buf):cap(p.buf)])
		p.buf = p.buf[:len(p.buf)+n]
		seen := p.buf
		p.soFar.Store(&seen)
	}
	returned = true
}

// raise ends the goroutine of the caller as a read has ended that of fill.
func (p *peeked) raise() {
	switch {
	case p.panicked != nil:
		panic(p.panicked)
	case p.exited:
		runtime.Goexit()
	}
}

// Read gives what was read ahead first. As long as that is still under way it
// blocks, as a read of the body itself would.
func (p *peeked) Read(b []byte) (int, error) {
	<-p.filled
	p.raise()
	if len(p.buf) > 0 {
		n := copy(b, p.buf)
		p.buf = p.buf[n:]
		return n, nil
	}
	if p.err != nil {
		p.fillTrailer()
		return 0, p.err
	}
	n, err := p.body.Read(b)
	if err != nil {
		p.fillTrailer()
	}
	return n, err
}

// fillTrailer gives the owner the trailer, once the body has been read to its end.
func (p *peeked) fillTrailer() {
	if p.copied == nil || len(p.original.Trailer) == 0 {
		return
	}
	if p.copied.Trailer == nil {
		p.copied.Trailer = make(http.Header)
	}
	maps.Copy(p.copied.Trailer, p.original.Trailer)
}
