// Package page serves a web page that shows the state of a client's transport: for each
// key, how much of every limit is left and when it resets, how many requests wait and for
// how long, and which requests were refused, retried or given up.
//
//	var p page.Page
//	transport, err := client.NewTransport(nil, client.WithObserver(p.Observe))
//	if err != nil {
//		return err
//	}
//	http.Handle("/limits", p.Handler(transport))
//
// The page loads nothing from other hosts, works without scripts, and contains no
// credentials. It does contain the names of hosts and keys (see [client.WithKeyName]), so
// serve it only to people who may see them.
package page

import (
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

// A Page shows the state of one transport. The zero Page is ready for use. It is safe for
// concurrent use, and must not be copied.
type Page struct {
	mu  sync.Mutex
	now generation // records of keys in use
	old generation // records of keys that were in use before these
}

// Handler returns a handler that serves a page of the limits that t knows. It shows no
// history, because it does not see the events of t; use [Page.Handler] for that.
func Handler(t *client.Transport) http.Handler { return new(Page).Handler(t) }

// Handler returns a handler that serves the page of t, at any path. Depending on the Accept
// field, it serves an HTML document, a stream of events that keeps the document current, or
// the JSON of a [View]. The query parameter q searches the keys by host, name and hash, and
// n is the maximum number of keys to show. The observers of t should include p.Observe.
func (p *Page) Handler(t *client.Transport) http.Handler {
	return &handler{page: p, transport: t}
}

// A generation holds the records of keys by their hash.
type generation map[string]*record

// maxRecords is how many records a generation holds. There are two, so up to twice as
// many keys have a history.
const maxRecords = 10_000

// Observe records an event of the transport; pass it to [client.WithObserver]. It takes at
// most a microsecond or two and blocks only on locks that are held for as long.
func (p *Page) Observe(e client.Event) {
	r := p.record(e.Key)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(&e)
}

// record returns the record of a key, which it makes if need be.
func (p *Page) record(key string) *record {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.now[key]
	if r != nil {
		return r
	}
	if r = p.old[key]; r == nil {
		r = new(record)
	}
	if p.now == nil || len(p.now) >= maxRecords {
		p.now, p.old = make(generation), p.now
	}
	p.now[key] = r
	return r
}

// find returns the record of a key, or nil if it has none.
func (p *Page) find(key string) *record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.now[key]; r != nil {
		return r
	}
	return p.old[key]
}

// refresh is how often a page that is being viewed is updated.
const refresh = time.Second
