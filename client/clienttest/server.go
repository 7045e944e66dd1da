package clienttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/simnet"
)

// A Server is an API with rate limits. It keeps every request that it received until
// the test is over.
type Server struct {
	// URL is the base URL, without a slash at its end.
	URL string

	config    config
	api       *apiserver.Server
	transport http.RoundTripper
	stop      func()

	mu       sync.Mutex // guards the fields below
	draw     func() float64
	scripted []http.Handler
	notes    []*note
}

// NewServer starts a server on a port of the loopback interface, in real time. The
// caller calls Close when done. Without options it has no limits. NewServer panics if
// it cannot listen or an option makes no sense.
func NewServer(opts ...Option) *Server {
	s := build(opts)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it returns at once
	if err != nil {
		panic("clienttest: " + err.Error())
	}
	server := &http.Server{Handler: s.delayed(), ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		_ = server.Serve(listener) // until Close
		close(served)
	}()
	base := &http.Transport{MaxIdleConnsPerHost: 100}
	s.URL = "http://" + listener.Addr().String()
	s.transport = redirect{listener.Addr().String(), base}
	s.stop = func() {
		_ = server.Close() // the listener is closed, whatever it says
		<-served
		base.CloseIdleConnections()
	}
	return s
}

// NewInMemory returns a server that [Server.Client] reaches without a socket, so that
// it works in a testing/synctest bubble, where an hour passes in a millisecond.
// Responses come whole, not as a stream. Each way takes 40 to 80 ms, unless [Latency]
// says otherwise. NewInMemory panics if an option makes no sense.
func NewInMemory(opts ...Option) *Server {
	s := build(opts)
	network := simnet.New(s, s.config.faults.Seed)
	if s.config.latency != nil {
		network.Min, network.Max = s.config.latency[0], s.config.latency[1]
	}
	s.URL, s.transport, s.stop = "http://api.test", network, func() {}
	return s
}

func build(opts []Option) *Server {
	var c config
	for _, o := range opts {
		o.apply(&c)
	}
	s := &Server{config: c, draw: c.faults.drawer()}
	err := errors.Join(c.errs...)
	if err == nil {
		s.api, err = apiserver.New(c.describe(s.decided))
	}
	if err != nil {
		panic(fmt.Sprintf("clienttest: %v", err))
	}
	return s
}

// Close stops the server. Requests under way are cut off.
func (s *Server) Close() { s.stop() }

// Client returns a client without retries or limits that sends every request to the
// server, whichever host it is for. Its Transport is what to build a client on.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.transport} }

// Next lets h answer the next n requests in place of the server. No limit counts them,
// and they count as Failed.
func (s *Server) Next(n int, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.scripted = append(s.scripted, h)
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note, scripted := s.arrive(r)
	if scripted != nil {
		scripted.ServeHTTP(w, r)
		return
	}
	s.config.faults.serve(w, r.WithContext(context.WithValue(r.Context(), noteKey{}, note)), note.fault, s.api)
}

// delayed serves what comes over a socket as late as Latency says.
func (s *Server) delayed() http.Handler {
	if s.config.latency == nil {
		return s
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, back := s.delays()
		if wait(r.Context(), out) {
			s.ServeHTTP(w, r)
			wait(r.Context(), back)
		}
	})
}

func (s *Server) delays() (out, back time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	least, spread := s.config.latency[0], float64(s.config.latency[1]-s.config.latency[0])
	return least + time.Duration(s.draw()*spread), least + time.Duration(s.draw()*spread)
}

// redirect sends all requests to one address.
type redirect struct {
	addr string
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Host == "" {
		return t.base.RoundTrip(req) // which says what is wrong
	}
	sent := req.Clone(req.Context())
	if sent.Host == "" {
		sent.Host = req.URL.Host
	}
	sent.URL.Scheme, sent.URL.Host = "http", t.addr
	resp, err := t.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}
