package client_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle/cost"
)

// A path is one way through a transport.
type path struct {
	name    string
	method  string // "" is GET
	body    carriage
	answers []script
	opts    []client.Option
	context func(context.Context) context.Context
	change  func(*http.Request)
	before  func(*scene) // what happened before the request
	late    bool         // the base transport closes the body late
	altered []string     // what the base transport may see otherwise

	status   int   // that the caller gets; 0 is an error or a panic
	err      error // that the caller's matches
	panicked any
	attempts int // that reach the base transport
	// atLeast and atMost bound the time that it takes.
	atLeast, atMost time.Duration

	closed bool // the transport is closed at the end
	kept   bool // the response was read and kept while another attempt waited
	stalls bool // the response does not end
}

// A scene is where a path is tried.
type scene struct {
	t      testing.TB
	rt     *client.Transport
	ctx    context.Context
	cancel context.CancelFunc
}

// refuse has the key of all requests refused.
func (s *scene) refuse(seconds string) {
	p := &probe{answers: []script{answers(http.StatusTooManyRequests, "Retry-After", seconds, "X-RateLimit-Scope", "global")}}
	out := p.call(s.rt, p.request(client.NoRetry(s.t.Context()), http.MethodGet, noBody), false)
	require.Equal(s.t, http.StatusTooManyRequests, out.resp.StatusCode)
}

// flown bounds the requests under way to one, so that a permit that is not given
// back blocks all who follow.
var flown = client.WithRule(queue.Rule{Name: "one", MaxInFlight: 1})

func newScene(t testing.TB, opts ...client.Option) *scene {
	rt, err := client.NewTransport(wire{}, opts...)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	return &scene{t: t, rt: rt, ctx: ctx, cancel: cancel}
}

// Every path keeps every clause of the contract.
func TestContract(t *testing.T) {
	for _, c := range allPaths() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, c.alone)
		})
	}
}

// So does every path whose bodies a meter watches, and whose costs a rule counts.
func TestContractOfMeteredBodies(t *testing.T) {
	metered := &cost.API{Hosts: []string{"api.test"}, Model: "model", Body: []cost.Term{{Field: "usage.total_tokens", Unit: "tokens"}}}
	for _, c := range allPaths() {
		if c.name == "GetBody fails the second time" {
			continue // the first time is for the estimate, so that the first attempt after fails
		}
		c.opts = append([]client.Option{
			client.WithCosts(metered),
			client.WithRule(queue.Rule{Name: "tokens", Limits: []queue.Quota{queue.PerMinute(1_000_000).Of("tokens")}}),
		}, c.opts...)
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, c.alone)
		})
	}
}

// alone tries a path by itself.
func (c path) alone(t *testing.T) {
	s := newScene(t, append([]client.Option{flown}, c.opts...)...)
	c.try(s)
	c.checkPermit(s)
	s.rt.Close()
}

func (c path) try(s *scene) {
	t := s.t
	defer s.cancel()
	if c.before != nil {
		c.before(s)
	}
	p, req := c.probe(s)
	began := time.Now()
	out := p.call(s.rt, req, !c.late)
	took := time.Since(began)
	synctest.Wait()
	p.checkBodies()
	assert.Empty(t, p.broken)
	c.checkOutcome(t, out)
	assert.Equal(t, c.attempts, p.sent, "attempts")
	assert.GreaterOrEqual(t, took, c.atLeast)
	assert.LessOrEqual(t, took, c.atMost)
}

func (c path) probe(s *scene) (*probe, *http.Request) {
	p := &probe{answers: c.answers, late: c.late, altered: c.altered, kept: c.kept, stalls: c.stalls}
	ctx := s.ctx
	if c.context != nil {
		ctx = c.context(ctx)
	}
	method := c.method
	if method == "" {
		method = http.MethodGet
	}
	req := p.request(ctx, method, c.body)
	if c.change != nil {
		c.change(req)
	}
	return p, req
}

func (c path) checkOutcome(t testing.TB, out outcome) {
	assert.Equal(t, c.panicked, out.panicked, "panic")
	if c.status == 0 && c.panicked == nil {
		assert.Error(t, out.err)
		if !errors.Is(c.err, errAny) {
			assert.ErrorIs(t, out.err, c.err)
		}
		return
	}
	if !assert.NoError(t, out.err) || c.status == 0 {
		return
	}
	assert.Equal(t, c.status, out.resp.StatusCode)
}

// checkPermit checks that the next request passes.
func (c path) checkPermit(s *scene) {
	time.Sleep(25 * time.Hour) // past all that the path was told
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Hour)
	defer cancel()
	p := &probe{answers: []script{ok}}
	out := roundTrip(s.rt, p.request(ctx, http.MethodGet, noBody))
	if c.closed {
		assert.ErrorIs(s.t, out.err, client.ErrClosed)
		return
	}
	switch {
	case out.panicked != nil: // by a callback that always does
		assert.Equal(s.t, c.panicked, out.panicked)
	case assert.NoError(s.t, out.err, "the next request"):
		out.resp.Body.Close()
	}
}

// Every path keeps every clause while others are on the same path.
func TestContractConcurrent(t *testing.T) {
	for _, c := range allPaths() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, c.together)
		})
	}
}

func (c path) together(t *testing.T) {
	s := newScene(t, c.opts...)
	defer s.cancel()
	if c.before != nil {
		c.before(s)
	}
	var callers sync.WaitGroup
	var probes [8]*probe
	for i := range probes {
		p, req := c.probe(s)
		probes[i] = p
		callers.Go(func() { p.call(s.rt, req, false) })
	}
	callers.Wait()
	synctest.Wait()
	n, stacks := companions()
	assert.Zero(t, n, stacks)
	for _, p := range probes {
		p.checkBodies()
		assert.Empty(t, p.broken)
	}
	s.rt.Close()
}
