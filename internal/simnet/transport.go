// Package simnet is a network in memory for virtual time, and a load to put on
// it: a round trip takes time each way, so requests and responses overtake each
// other, but no socket is involved, and no goroutine unless responses are streamed. Inside a testing/synctest
// bubble hours pass in milliseconds.
package simnet

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Transport is an http.RoundTripper that serves each request by a handler. The
// request arrives after a delay, is served at that instant, and its response
// comes back after another delay. Both are drawn evenly from [Min, Max].
//
// A request whose context ends on the way out never arrives; one whose context
// ends on the way back was served. Either way the error is the context's cause,
// as from http.Transport. A handler that panics with http.ErrAbortHandler breaks
// the connection: the error is io.ErrUnexpectedEOF, of the response's body if the
// handler flushed before. Responses come whole, unless Stream is set. It is safe for concurrent use.
type Transport struct {
	// Handler serves the requests.
	Handler http.Handler
	// Min and Max bound the delay each way. Set them before the first use. Max
	// below Min means Min.
	Min, Max time.Duration
	// Stream has responses come as their handlers flush them: each handler has a
	// goroutine, and the context of its request ends when the body is closed.
	Stream bool

	mu   sync.Mutex // guards rng
	rng  *rand.Rand
	open atomic.Int64
}

// New returns a transport to h with delays of 40 to 80 ms each way, drawn by
// seed.
func New(h http.Handler, seed uint64) *Transport {
	return &Transport{
		Handler: h, Min: 40 * time.Millisecond, Max: 80 * time.Millisecond,
		rng: rand.New(rand.NewPCG(seed, 0)),
	}
}

// Open returns how many responses were handed out whose body is not closed yet.
func (t *Transport) Open() int { return int(t.open.Load()) }

// RoundTrip implements http.RoundTripper. It blocks for the time of the trip.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.URL == nil {
		return nil, errors.New("simnet: the request has no URL")
	}
	ctx := req.Context()
	out, back := t.delays(Source(ctx))
	if err := sleep(ctx, out); err != nil {
		return nil, err
	}
	if t.Stream {
		return t.stream(req, back)
	}
	a, err := t.serve(req)
	if err != nil {
		if ctx.Err() != nil { // the client gave up before the connection broke
			err = context.Cause(ctx)
		}
		return nil, err
	}
	if err := sleep(ctx, back); err != nil {
		return nil, err
	}
	return a.response(req, t), nil
}

// delays draws both at once, so that the seed alone decides which pair the n-th
// request gets: of the source of its context, or of all if it has none.
func (t *Transport) delays(rng *rand.Rand) (out, back time.Duration) {
	if rng == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		rng = t.rng
	}
	spread := max(0, int64(t.Max-t.Min)) + 1
	return t.Min + time.Duration(rng.Int64N(spread)), t.Min + time.Duration(rng.Int64N(spread))
}

// serve runs the handler, and returns its answer.
func (t *Transport) serve(req *http.Request) (*answer, error) {
	a := &answer{header: make(http.Header, 16)}
	if broken := t.handle(a, req); broken {
		if a.cut = a.flushed; !a.cut {
			return nil, io.ErrUnexpectedEOF
		}
	}
	a.WriteHeader(http.StatusOK) // of a handler that wrote nothing
	return a, nil
}

// handle runs the handler on a copy of the request, as a server would see it, and reports whether it broke
// the connection.
func (t *Transport) handle(w http.ResponseWriter, req *http.Request) (broken bool) {
	r := new(http.Request)
	*r = *req
	r.Header = req.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if r.Host == "" {
		r.Host = req.URL.Host
	}
	r.GetBody = nil
	r.RequestURI = req.URL.RequestURI()
	r.RemoteAddr = "192.0.2.1:1234"
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1

	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			broken = true
		default:
			panic(p)
		}
	}()
	t.Handler.ServeHTTP(w, r)
	return false
}

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type sourceKey struct{}

// WithSource returns a context whose requests draw their delays from rng. Callers
// with a source each meet the same network whichever of them is faster at the same
// instant, so that a run can be repeated. A source is for one request at a time.
func WithSource(ctx context.Context, rng *rand.Rand) context.Context {
	return context.WithValue(ctx, sourceKey{}, rng)
}

// Source returns the source of ctx, or nil.
func Source(ctx context.Context) *rand.Rand {
	rng, _ := ctx.Value(sourceKey{}).(*rand.Rand)
	return rng
}
