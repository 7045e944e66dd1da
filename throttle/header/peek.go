package header

import (
	"io"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// MaxBody is how much of a body is worth reading, in bytes. Errors are short;
// a longer body is cut off there, and read as far as it goes.
const MaxBody = 64 << 10

// NeedsBody reports whether the body of a response may tell more of a limit
// than its header does: a status that can mean a refusal, a text in a form that
// can be read, and no Retry-After, which would be the answer already. It
// is false for ordinary successes, and costs them a few nanoseconds. Of a 500 it asks
// for XML, since that is how SOAP sends its faults. Of successes
// it asks for a short JSON text beside a Retry-After, or beside a field that
// says that nothing is left: that is how a refusal behind a 200 looks.
func NeedsBody(status int, h http.Header) bool {
	if status == http.StatusOK {
		return hintsAtRefusal(h) && shortJSON(h)
	}
	if status == http.StatusInternalServerError && !isXML(mediaType(h.Get("Content-Type"))) {
		return false
	}
	return mayRefuse(status) && len(h["Retry-After"]) == 0 && Readable(h)
}

// hintsAtRefusal reports whether the header of a success has something in it that is seen
// beside refusals.
func hintsAtRefusal(h http.Header) bool {
	if len(h["Retry-After"]) > 0 || len(h["Mediawiki-Api-Error"]) > 0 {
		return true
	}
	for _, name := range remainders {
		if v := h[name]; len(v) == 1 && v[0] == "0" {
			return true
		}
	}
	return false
}

// remainders are the names in common use for what is left.
var remainders = [...]string{"X-Ratelimit-Remaining", "Ratelimit-Remaining", "X-Rate-Limit-Remaining"}

// maxBrief is how long the body of a success may be that is looked at for a refusal.
const maxBrief = 8 << 10

// shortJSON reports whether a body is a JSON text that may be short: a known length
// of no more than maxBrief, or none that is known.
func shortJSON(h http.Header) bool {
	kind := h["Content-Type"]
	return len(kind) > 0 && isJSON(mediaType(kind[0])) && Readable(h) && short(h)
}

// short reports whether a body is not known to be long.
func short(h http.Header) bool {
	if v := h["Content-Length"]; len(v) > 0 {
		n, ok := scan.ParseNumber(v[0])
		return ok && n.Whole <= maxBrief
	}
	return true
}

func mediaType(v string) string {
	if i := strings.IndexByte(v, ';'); i >= 0 {
		v = v[:i]
	}
	return scan.Trim(v)
}

// isJSON reports whether a type is JSON in one piece: also application/problem+json
// and AWS's application/x-amz-json-1.1, but not application/json-seq and
// application/x-ndjson, which are streams.
func isJSON(kind string) bool {
	return scan.EqualFold(kind, "application/json") || scan.EqualFold(kind, "text/json") || scan.EqualFold(kind, "text/javascript") ||
		scan.HasFold(kind, "application/x-amz-json") || len(kind) > 5 && scan.EqualFold(kind[len(kind)-5:], "+json")
}

// isXML reports whether a type is XML, which includes SOAP.
func isXML(kind string) bool {
	return scan.EqualFold(kind, "text/xml") || scan.EqualFold(kind, "application/xml") || len(kind) > 4 && scan.EqualFold(kind[len(kind)-4:], "+xml")
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
	kind := mediaType(h.Get("Content-Type"))
	switch {
	case kind == "":
		return true // errors of small servers often have none
	case scan.HasFold(kind, "text/"):
		return !scan.EqualFold(kind, "text/event-stream")
	}
	return isJSON(kind) || isXML(kind)
}

// briefPatience is how long to wait for the body of a success.
const briefPatience = 250 * time.Millisecond

// isGraphQL reports whether a request is a query for a GraphQL API.
func isGraphQL(req *http.Request) bool {
	if req == nil || req.Method != http.MethodPost || req.URL == nil {
		return false
	}
	path := strings.TrimSuffix(req.URL.Path, "/")
	return strings.HasSuffix(path, "/graphql") || strings.HasSuffix(path, "/graphql.json") || strings.HasSuffix(path, "/gql")
}

// PeekBody reads the beginning of a response's body, at most MaxBody bytes of it, and
// returns it with the response to use from then on. The Body of that response still
// gives all bytes, and the errors too; the owner of the body must close it. The bytes
// returned must not be changed. PeekBody returns nil for a body that does not end by
// itself: a switch of protocols, an event stream.
//
// It waits until the body ends, but not longer than patience. A read that is still under
// way then is the last one that is made ahead of the owner, whose first Read waits for
// it. Until that read is over it may set the trailer of resp, as those of net/http do,
// so the response returned is a copy, whose Trailer Read fills in. In all
// other cases it is resp.
//
// A body that panics does so in the goroutine of the caller. PeekBody does not watch the
// context of the request: when it is canceled, the read underneath fails.
func PeekBody(resp *http.Response, patience time.Duration) ([]byte, *http.Response) {
	return peekBody(resp, patience, MaxBody)
}

func peekBody(resp *http.Response, patience time.Duration, most int) ([]byte, *http.Response) {
	if resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols ||
		resp.ContentLength == 0 || scan.HasFold(resp.Header.Get("Content-Type"), "text/event-stream") {
		return nil, resp
	}
	copied := new(http.Response) // made now, since later a read may be changing resp
	*copied = *resp
	copied.Trailer = maps.Clone(resp.Trailer)
	p := &peeked{Closer: resp.Body, body: resp.Body, most: most, filled: make(chan struct{})}
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

// peeked is a body whose beginning was read ahead of its owner.
type peeked struct {
	io.Closer
	body   io.Reader
	most   int                    // bytes to read ahead
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
	for len(p.buf) < p.most && p.err == nil && !p.enough.Load() {
		if len(p.buf) == cap(p.buf) {
			p.buf = append(make([]byte, 0, min(max(512, 4*cap(p.buf)), p.most)), p.buf...)
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
