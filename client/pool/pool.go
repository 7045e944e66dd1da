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

// A Credential is one of a pool.
type Credential struct {
	// Key says whose quota it spends: what stays the same when the credential is
	// renewed, such as the name of the account. It is hashed before it is stored.
	Key string
	// Set puts the credential on a request, a copy that it may change. It is called for
	// each attempt when the attempt goes, and may get a new token then. Its errors end
	// the attempt. It must be safe for concurrent use.
	Set func(*http.Request) error
}

// A Pool is an http.RoundTripper that chooses a credential for each request. It is safe
// for concurrent use. It sets the key of a request, so [client.WithKey] and a key
// function mean nothing. A credential that the caller set is replaced if Set replaces
// it.
//
// A request that was refused for a limit waits with the credential that it has. A
// redirect to another host than the one that the caller asked gets no credential.
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

// rest is how long a credential rests that the API does not accept.
const rest = 15 * time.Minute

// New returns a pool over base, with a transport of its own that opts configure. A nil
// base means http.DefaultTransport. The keys must differ.
func New(base http.RoundTripper, credentials []Credential, opts ...client.Option) (*Pool, error) {
	if len(credentials) == 0 {
		return nil, errors.New("pool: no credentials")
	}
	p := &Pool{}
	seen := map[string]bool{}
	for i, c := range credentials {
		switch {
		case c.Key == "" || c.Set == nil:
			return nil, fmt.Errorf("pool: credential %d needs both Key and Set", i)
		case seen[c.Key]:
			return nil, fmt.Errorf("pool: credential %d has the key of an earlier one", i)
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

// Transport returns the transport that the pool's requests go through, to look at what
// it believes, and to close it.
func (p *Pool) Transport() *client.Transport { return p.limited }

// CloseIdleConnections closes the idle connections of the base transport.
func (p *Pool) CloseIdleConnections() { p.limited.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper. A request that the API answers with 401 or 403
// goes once more with each other credential, if its body can be had again; a credential
// with which another does better rests for a quarter of an hour. If none does, the
// caller gets the last answer, and only those that were answered 401 rest.
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
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
		resp.Body.Close()
		req = again
	}
}

// rest lets credentials rest.
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

// rewind returns req with its body as at first, nil if it cannot be had again.
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
