package contract

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A probe is the base transport of one try: it plays a script, and watches what is
// sent to it and what becomes of the bodies.
type probe struct {
	script []answer // the last one again and again

	sent   []time.Time // when each attempt arrived
	texts  []string    // the bodies of the attempts
	bodies []*watched  // of the request: the caller's, then those of GetBody
	got    []*watched  // of the responses
	early  int64       // bytes read from the caller's body before the first attempt
	idled  bool        // somebody closed the idle connections
}

// An answer is one response of a script.
type answer struct {
	status int
	fields []string // names and values
}

// tripTime is how long a response takes.
const tripTime = time.Millisecond

// RoundTrip implements http.RoundTripper.
func (p *probe) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(p.sent) == 0 && len(p.bodies) > 0 {
		p.early = p.bodies[0].read
	}
	a := p.script[min(len(p.sent), len(p.script)-1)]
	p.sent = append(p.sent, time.Now())
	var text []byte
	if req.Body != nil {
		text, _ = io.ReadAll(req.Body) // what is missing shows in the text
		req.Body.Close()
	}
	p.texts = append(p.texts, string(text))
	<-time.After(tripTime)
	if err := req.Context().Err(); err != nil {
		return nil, err // as http.Transport does
	}
	body := watch(strings.NewReader(refusalText))
	p.got = append(p.got, body)
	resp := &http.Response{
		Status: fmt.Sprint(a.status, " ", http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body:   body, Request: req,
	}
	for i := 0; i < len(a.fields); i += 2 {
		resp.Header.Set(a.fields[i], a.fields[i+1])
	}
	return resp, nil
}

// CloseIdleConnections notes that somebody closed what everybody uses.
func (p *probe) CloseIdleConnections() { p.idled = true }

// refusalText is the body of each response: 20 KB, and in the words by which one of
// the libraries knows a limit.
var refusalText = `{"message":"You have exceeded a secondary rate limit","padding":"` + strings.Repeat("0123456789", 2000) + `"}`

// content is the body of requests that have one.
var content = strings.Repeat("abcdefghij", 2000)

// request makes a request, with a body that can be replayed unless it is a GET.
func (p *probe) request(ctx context.Context, method string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, "https://api.test/items?page=2", nil)
	if err != nil {
		panic(err) // the URL is a constant
	}
	req.Header.Set("Authorization", "Bearer secret")
	if method == http.MethodGet {
		return req
	}
	req.Body, req.ContentLength = p.body(), int64(len(content))
	req.GetBody = func() (io.ReadCloser, error) { return p.body(), nil }
	return req
}

func (p *probe) body() io.ReadCloser {
	w := watch(strings.NewReader(content))
	p.bodies = append(p.bodies, w)
	return w
}

// A watched body knows what was done to it.
type watched struct {
	from   io.Reader
	read   int64
	ended  bool
	closed bool
}

func watch(from io.Reader) *watched { return &watched{from: from} }

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.from.Read(b)
	w.read += int64(n)
	w.ended = w.ended || err == io.EOF
	return n, err
}

func (w *watched) Close() error {
	w.closed = true
	return nil
}

// call sends a request, reads what comes back, and returns it.
func call(rt http.RoundTripper, req *http.Request) (status int, err error) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}
