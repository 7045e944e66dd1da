package client

import (
	"net/http"
	"sync"
	"time"

	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A refusal is what the server said when it refused a request. It is not changed once
// it is made.
type refusal struct {
	status int
	header http.Header
	body   string
	at     time.Time
}

const (
	// maxRefusalBody is how much of the body of a refusal an Error carries.
	maxRefusalBody = 4 << 10
	// refusalPatience is how long the body of a refusal may take whose header said all
	// that matters to the queue.
	refusalPatience = 100 * time.Millisecond
	// maxRefusals is how many limits have their last refusal remembered, in all keys.
	maxRefusals = 1024
)

// refusals remembers the last refusal of each limit, so that the requests that are not
// sent because of it can tell what the server said.
type refusals struct {
	mu    sync.Mutex
	last  map[*throttle.Limiter]*refusal
	order []*throttle.Limiter // in which they came; a ring, once it is full
	next  int                 // in the ring
}

// add remembers the last refusal of a limit, in place of that of another limit if there
// are too many.
func (r *refusals) add(limit *throttle.Limiter, said *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.last[limit]; !known {
		switch {
		case r.last == nil:
			r.last = make(map[*throttle.Limiter]*refusal)
			fallthrough
		case len(r.order) < maxRefusals:
			r.order = append(r.order, limit)
		default:
			delete(r.last, r.order[r.next])
			r.order[r.next] = limit
			r.next = (r.next + 1) % maxRefusals
		}
	}
	r.last[limit] = said
}

// of returns the last refusal of a limit, or nil.
func (r *refusals) of(limit *throttle.Limiter) *refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[limit]
}

// remember remembers a refusal of the attempt. Of the body it takes what was read for
// the queue, or if that was nothing, what comes at once: it may give a reason that no
// wait ends, also where the header said all that matters to the queue.
func (a *attempt) remember(t *Transport, r *header.Reader, ans *answer, body []byte) {
	if body == nil && header.Readable(ans.resp.Header) {
		body, ans.resp = header.PeekBody(ans.resp, refusalPatience) //nolint:bodyclose // the caller does, or leave
		if len(body) > 0 {
			r.Read(&a.reading, ans.resp.StatusCode, ans.resp.Header, body, time.Now())
		}
	}
	ans.said = newRefusal(ans.resp, body)
	t.refusals.add(a.refuser, ans.said)
}

// newRefusal returns what a response said.
func newRefusal(resp *http.Response, body []byte) *refusal {
	return &refusal{
		status: resp.StatusCode, header: withoutCredentials(resp.Header),
		body: string(body[:min(len(body), maxRefusalBody)]), at: time.Now(),
	}
}

// withoutCredentials returns a copy of a header, less the fields that may hold a
// credential: cookies and tokens.
func withoutCredentials(h http.Header) http.Header {
	kept := make(http.Header, len(h))
	for name, values := range h {
		if name != "Set-Cookie" && name != "Set-Cookie2" && classOf(name) == public {
			kept[name] = append([]string(nil), values...)
		}
	}
	return kept
}

// giveUp counts a request that is never sent. It returns the last refusal of the limits that
// the request obeys, if it is them that keep it from going; otherwise it returns nil.
func (t *Transport) giveUp(c *call, who *principal) (said *refusal) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.prepare(t, who, c)
	t.line.Update(who.key, func(now time.Time, own limit.Limiter) {
		l := own.(*learned)
		l.usage.givenUp.Add(1)
		if next := l.Ask(now, limit.Demand{Requests: a.Cost, Tag: a}); next.Admits(now) {
			return
		}
		said = t.refusals.of(l.holder(now, a))
	})
	return said
}
