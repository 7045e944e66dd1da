package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
)

// A probe is one request and all that becomes of it: what the base transport sees
// and answers, attempt after attempt, and which clauses of the RoundTripper
// contract were broken on the way.
type probe struct {
	answers []script // what the base transport does; the last one again and again
	content string   // of the request body
	late    bool     // the base transport closes the body after it has returned
	altered []string // what the base transport may see otherwise than the caller made it
	kept    bool     // the last response was kept, while another attempt waited
	stalls  bool     // the last response does not end

	before snapshot

	mu     sync.Mutex // guards the fields below
	sent   int        // attempts that reached the base transport
	bodies []*watched // of the request: the caller's, then those of GetBody
	got    []*watched // of the responses
	texts  []string   // what those hold
	broken []string   // the clauses
}

// A script is what the base transport does with an attempt.
type script func(p *probe, req *http.Request) (*http.Response, error)

type probeKey struct{}

// wire is the base transport of all probes.
type wire struct{}

func (wire) RoundTrip(req *http.Request) (*http.Response, error) {
	p := req.Context().Value(probeKey{}).(*probe)
	p.mu.Lock()
	next := p.answers[min(p.sent, len(p.answers)-1)]
	repeated := p.sent > 0
	p.sent++
	p.mu.Unlock()
	d := p.before.differences(req, repeated)
	if d = slices.DeleteFunc(d, func(name string) bool { return slices.Contains(p.altered, name) }); len(d) > 0 {
		p.breaks("the base transport sees another %v", d)
	}
	return next(p, req)
}

func (wire) CloseIdleConnections() { panic("somebody closes everybody's idle connections") }

func (p *probe) breaks(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = append(p.broken, fmt.Sprintf(format, args...))
}

// How a probe's request carries its body.
type carriage int

const (
	noBody carriage = iota
	emptyBody
	replayable
	streamed   // once, without GetBody
	onceReplay // GetBody works once
	unreplay   // GetBody always fails
	unreadable // once, and breaks in the middle
	hanging    // once, and hangs until it is closed
	panicking  // once, and panics when it is read
)

var errRead = fmt.Errorf("the disk is gone")

var errGetBody = fmt.Errorf("the file is gone")

// request makes the request of the probe. A body that is replayed is 20 KB long.
func (p *probe) request(ctx context.Context, method string, c carriage) *http.Request {
	req, err := http.NewRequestWithContext(context.WithValue(ctx, probeKey{}, p), method, "https://api.test/items?page=2", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header["x-odd-case"] = []string{"kept", "twice"}
	switch c {
	case noBody:
		return req
	case emptyBody:
		req.Body = http.NoBody
		return req
	}
	p.content = strings.Repeat("0123456789", 2000)
	req.Body = p.body()
	req.ContentLength = int64(len(p.content))
	req.Trailer = http.Header{"X-Sum": nil}
	if c == streamed || c >= unreadable {
		req.ContentLength = -1
		p.bodies[0].spoil(c)
		return req
	}
	calls := 0
	req.GetBody = func() (io.ReadCloser, error) {
		calls++
		if c == unreplay || c == onceReplay && calls > 1 {
			return nil, errGetBody
		}
		return p.body(), nil
	}
	return req
}

func (p *probe) body() *watched {
	w := watch(strings.NewReader(p.content))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(p.bodies, w)
	return w
}

// response makes a response whose body is watched.
func (p *probe) response(req *http.Request, status int, body *watched, text string, fields ...string) *http.Response {
	p.mu.Lock()
	p.got, p.texts = append(p.got, body), append(p.texts, text)
	p.mu.Unlock()
	h := http.Header{"Content-Type": {"text/plain"}}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return &http.Response{
		Status: fmt.Sprint(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: body, ContentLength: -1, Request: req,
	}
}

// consume does to the request body what a base transport has to do.
func (p *probe) consume(req *http.Request) {
	if req.Body == nil {
		if p.content != "" {
			p.breaks("an attempt has no body")
		}
		return
	}
	got, err := io.ReadAll(req.Body)
	if err != nil || string(got) != p.content {
		p.breaks("an attempt has a body of %d bytes and not of %d: %v", len(got), len(p.content), err)
	}
	if !p.late {
		req.Body.Close()
		return
	}
	go req.Body.Close()
}

// An outcome is what the caller got.
type outcome struct {
	resp     *http.Response
	err      error
	panicked any
}

// call sends the request of the probe and checks the contract. It must run in a
// synctest bubble; alone says that the caller is the only goroutine in it.
func (p *probe) call(rt http.RoundTripper, req *http.Request, alone bool) outcome {
	p.before = snapshotOf(req)
	out := roundTrip(rt, req)
	if p.stalls && out.resp != nil {
		out.resp.Body.Close() // which ends the read that is under way
	}
	if alone {
		synctest.Wait()
		p.checkGoroutines()
	}
	if d := p.before.differences(req, false); len(d) > 0 {
		p.breaks("the request was changed: %v", d)
	}
	if !p.late {
		p.checkBodies()
	}
	p.checkDiscarded(out)
	p.checkDelivered(out, req)
	return out
}

func roundTrip(rt http.RoundTripper, req *http.Request) (out outcome) {
	defer func() { out.panicked = recover() }()
	out.resp, out.err = rt.RoundTrip(req)
	return out
}

func (p *probe) checkGoroutines() {
	if n, stacks := companions(); n > 0 {
		p.breaks("%d goroutines are left:\n%s", n, stacks)
	}
}

// checkBodies looks at the bodies of the request: by now all are closed.
func (p *probe) checkBodies() {
	for i, b := range p.bodies {
		if !b.isClosed() {
			p.breaks("request body %d is open", i)
		}
		if n := b.closes.Load(); n > 1 && p.altered != nil {
			p.breaks("request body %d was closed %d times", i, n)
		}
		if b.late.Load() {
			p.breaks("request body %d was read after it was closed", i)
		}
	}
}

// mostDrained bounds what may be read of a body that nobody gets.
const mostDrained = 256 << 10

// checkDiscarded looks at all responses that the caller did not get.
func (p *probe) checkDiscarded(out outcome) {
	discarded := len(p.got)
	if out.resp != nil {
		discarded--
	}
	for i := range discarded {
		b := p.got[i]
		if !b.isClosed() {
			p.breaks("discarded response %d is open", i)
		}
		if n := b.read.Load(); n > mostDrained {
			p.breaks("%d bytes were read of discarded response %d", n, i)
		}
		if p.texts[i] != "" && out.panicked == nil && !b.atEnd.Load() {
			p.breaks("discarded response %d is not drained", i)
		}
	}
}

// checkDelivered looks at what the caller got, reads it and closes it.
func (p *probe) checkDelivered(out outcome, req *http.Request) {
	if out.panicked == nil && (out.resp == nil) == (out.err == nil) {
		p.breaks("neither or both: response %v, error %v", out.resp, out.err)
	}
	if out.resp == nil {
		return
	}
	if out.resp.Body == nil {
		p.breaks("the response has a nil body")
		return
	}
	if out.resp.Request != req {
		p.breaks("the response is not of the caller's request")
	}
	last := len(p.got) - 1
	if last < 0 {
		return // a response without a watched body
	}
	if p.stalls {
		return
	}
	if p.got[last].isClosed() != p.kept {
		p.breaks("the response comes closed: %v", !p.kept)
	}
	var got bytes.Buffer
	if _, err := got.ReadFrom(out.resp.Body); err != nil || got.String() != p.texts[last] {
		p.breaks("the response reads %q, %v and not %q", got.String(), err, p.texts[last])
	}
	out.resp.Body.Close()
	if !p.got[last].isClosed() {
		p.breaks("closing the response closes nothing")
	}
}
