package clienttest

import (
	"context"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// A Request is one that the server received, without its body.
type Request struct {
	*http.Request
	// Time is when it arrived.
	Time time.Time
	// Admitted says that it was counted by the limits, Refused that one of them
	// refused it, and Failed that it met a fault or was answered by [Server.Next].
	Admitted, Refused, Failed bool
	// Limit is the limit that refused it, and Until when that one would have
	// admitted it, by the client's clock.
	Limit string
	Until time.Time
}

// Counts says what became of requests. Those of Failed may be among Admitted too.
type Counts struct{ Requests, Admitted, Refused, Failed int }

// A note is what the server keeps of a request.
type note struct {
	Request
	fault fault
	key   string // of the limit that refused it, else of the credential
}

type noteKey struct{}

func noted(ctx context.Context) *note {
	n, _ := ctx.Value(noteKey{}).(*note)
	return n
}

// arrive notes a request, and tells what is to happen to it.
func (s *Server) arrive(r *http.Request) (*note, http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := r.Clone(context.Background())
	kept.Body = http.NoBody
	n := &note{Request: Request{Request: kept, Time: time.Now()}}
	s.notes = append(s.notes, n)
	if len(s.scripted) > 0 {
		h := s.scripted[0]
		s.scripted, n.Failed = s.scripted[1:], true
		return n, h
	}
	if s.config.faults.any() {
		n.fault = s.config.faults.pick(s.draw())
		n.Failed = n.fault != none
	}
	return n, nil
}

// decided is told what the limits decided, one request at a time.
func (s *Server) decided(d apiserver.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := noted(d.Request.Context())
	n.Time, n.key = d.Time, d.Key
	n.Admitted, n.Refused = d.Outcome == apiserver.Admitted, d.Outcome == apiserver.Refused
	if n.Refused {
		n.key = d.Refusal.Key
		n.Limit = s.config.limits[d.Refusal.Rule].String()
		n.Until = d.Time.Add(d.Refusal.Wait)
	}
}

// Requests returns the requests received until now, in the order in which they came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.notes))
	for i, n := range s.notes {
		all[i] = n.Request
	}
	return all
}

// Counts returns what became of the requests received until now.
func (s *Server) Counts() (c Counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.notes {
		c.Requests++
		c.Admitted += one(n.Admitted)
		c.Refused += one(n.Refused)
		c.Failed += one(n.Failed)
	}
	return c
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
