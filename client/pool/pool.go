package pool

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

// A Credential is one credential of a [Pool].
type Credential struct {
	// Key identifies the quota that the credential spends. It should stay the same when
	// the credential is renewed, such as the name of the account. The pool stores only a
	// hash of it.
	Key string
	// Set adds the credential to a request, which is a copy that Set may modify. The pool
	// calls it for each attempt when the attempt is about to be sent; Set may obtain a new
	// token then. If Set returns an error, the attempt ends with it. Set must be safe for
	// concurrent use.
	Set func(*http.Request) error
}

// A Pool is an http.RoundTripper that chooses a credential for each request. Create it
// with [New]. It is safe for concurrent use. The pool sets the key of each request, so
// [client.WithKey] and a key function have no effect. It does not remove a credential that
// the caller set, unless Set does.
//
// If the API refuses a request because of a limit, the request is retried with the same
// credential. A request that follows a redirect to another host gets no credential.
type Pool struct {
	limited *client.Transport

	mu      sync.Mutex // guards what follows
	members []*member
}

// A member is a credential of a pool and what is known of it.
type member struct {
	Credential
	pending int       // requests that were given it and are not answered
	rests   time.Time // until when
}

// rest is how long the pool avoids a credential that the API rejects.
const rest = 15 * time.Minute

// New returns a pool that sends requests through base, or through http.DefaultTransport if
// base is nil. The options configure the pool's own [client.Transport]. New returns an
// error if there are no credentials, if one lacks Key or Set, if two have the same key, or
// if an option is invalid.
func New(base http.RoundTripper, credentials []Credential, opts ...client.Option) (*Pool, error) {
	if len(credentials) == 0 {
		return nil, errors.New("pool: New needs at least one credential")
	}
	p := &Pool{}
	seen := map[string]bool{}
	for i, c := range credentials {
		switch {
		case c.Key == "" || c.Set == nil:
			return nil, fmt.Errorf("pool: credential %d must set both Key and Set", i)
		case seen[c.Key]:
			return nil, fmt.Errorf("pool: credential %d has the same key as an earlier one", i)
		}
		seen[c.Key] = true
		p.members = append(p.members, &member{Credential: c})
	}
	if base == nil {
		base = http.DefaultTransport
	}
	limited, err := client.NewTransport(setter{base}, opts...)
	if err != nil {
		return nil, err
	}
	p.limited = limited
	return p, nil
}

// Transport returns the transport that sends the pool's requests. Use it to inspect the
// limits, and to close it.
func (p *Pool) Transport() *client.Transport { return p.limited }

// CloseIdleConnections closes the idle connections of the base transport.
func (p *Pool) CloseIdleConnections() { p.limited.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper. If the API answers 401 or 403, RoundTrip sends
// the request once with each other credential, if its body can be replayed, until one is
// accepted; the pool then avoids the rejected credentials for 15 minutes. If the API
// accepts none, RoundTrip returns the last response, and the pool avoids only those that
// were answered 401.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || redirected(req) {
		return p.limited.RoundTrip(req)
	}
	var forbidden []*member
	tried := map[*member]bool{}
	for {
		m := p.choose(req, tried)
		tried[m] = true
		resp, err := p.limited.RoundTrip(m.on(req))
		p.answered(m)
		if err != nil {
			return nil, err
		}
		switch resp.StatusCode {
		case http.StatusUnauthorized:
			p.rest(m)
		case http.StatusForbidden:
			forbidden = append(forbidden, m)
		default:
			p.rest(forbidden...)
			return resp, nil
		}
		again := rewind(req)
		if len(tried) == len(p.members) || again == nil {
			return resp, nil
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be reused
		resp.Body.Close()
		req = again
	}
}

// rest makes the pool avoid credentials for a while.
func (p *Pool) rest(all ...*member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range all {
		m.rests = time.Now().Add(rest)
	}
}

func (p *Pool) answered(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.pending--
}

// rewind returns req with a fresh body, or nil if the body cannot be replayed.
func rewind(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	again := *req
	again.Body = body
	return &again
}

// redirected reports whether req follows a redirect from one host to another.
func redirected(req *http.Request) bool {
	first := req
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Host != req.URL.Host || first.URL.Scheme != req.URL.Scheme
}
