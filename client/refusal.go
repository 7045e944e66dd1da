package client

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client/internal/credentials"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A refusal is what the server said when it refused a request. It is immutable.
type refusal struct {
	status int
	header http.Header
	body   string
	at     time.Time
}

const (
	// maxRefusalBody is how much of the body of a refusal an Error carries.
	maxRefusalBody = 4 << 10
	// refusalPatience is how long to wait for the body of a refusal whose header says all that the
	// queue needs.
	refusalPatience = 100 * time.Millisecond
	// maxRefusals is how many limiters, of all keys, have their last refusal remembered.
	maxRefusals = 1024
)

// refusals remembers the last refusal of each limiter, for the errors of requests that are not sent
// because of it.
type refusals struct {
	mu    sync.Mutex
	last  map[*throttle.Limiter]*refusal
	order []*throttle.Limiter // by arrival; a ring once it is full
	next  int                 // in the ring
}

// add remembers the last refusal of a limiter. If there are too many, it replaces the oldest.
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

// of returns the last refusal of a limiter, or nil.
func (r *refusals) of(limit *throttle.Limiter) *refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[limit]
}

// remember remembers the refusal of the attempt. If nothing of the body has been read, it reads what
// arrives at once: the body may give a reason for which waiting does not help, even if the header
// says all that the queue needs.
func (a *attempt) remember(t *Transport, r *header.Reader, ans *answer, body []byte) {
	if body == nil && header.Readable(ans.resp.Header) {
		body, ans.resp = header.PeekBody(ans.resp, refusalPatience) //nolint:bodyclose // the caller or leave closes it
		if len(body) > 0 {
			r.Read(&a.reading, ans.resp.StatusCode, ans.resp.Header, body, time.Now())
			a.untilNextDay(time.Now())
		}
	}
	ans.said = newRefusal(ans.resp, body)
	t.refusals.add(a.refuser, ans.said)
}

// newRefusal returns the refusal of a response.
func newRefusal(resp *http.Response, body []byte) *refusal {
	return &refusal{
		status: resp.StatusCode, header: withoutCredentials(resp.Header),
		body: string(body[:min(len(body), maxRefusalBody)]), at: time.Now(),
	}
}

// withoutCredentials returns a copy of a header without the fields that may hold a credential, such
// as cookies and tokens.
func withoutCredentials(h http.Header) http.Header {
	kept := make(http.Header, len(h))
	for name, values := range h {
		if name != "Set-Cookie" && name != "Set-Cookie2" && !credentials.InField(name) {
			kept[name] = append([]string(nil), values...)
		}
	}
	return kept
}

// giveUp counts a request that is never sent. If the key's own limits hold it back, giveUp returns
// their last refusal, and otherwise nil.
func (t *Transport) giveUp(c *call, who *principal) (said *refusal) {
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.prepare(t, who, c)
	t.update(who.key, func(l *keyState, now time.Time) {
		l.usage.givenUp.Add(1)
		// The request no longer waits for pacing.
		d := limit.Demand{Requests: a.Cost, Units: a.Units, Estimate: a.Estimate, Left: -1, Tag: a}
		if next := l.Ask(now, d); next.Admits(now) {
			return
		}
		said = t.refusals.of(l.holder(now, a))
	})
	return said
}

// Reasons why a server refuses a request for good, so that waiting does not help.
// [FinalReason] returns them; an event of kind [EventGiveUp] has them in Err.
var (
	// ErrQuotaExhausted means that the account's credit, plan or spending limit is used
	// up: only payment or another plan helps.
	ErrQuotaExhausted = errors.New("client: quota exhausted")
	// ErrRequestTooLarge means that the request asks for more than the limit allows at
	// once. Smaller requests may pass.
	ErrRequestTooLarge = errors.New("client: request exceeds the limit by itself")
)

// FinalReason returns [ErrQuotaExhausted] or [ErrRequestTooLarge] if resp is a refusal
// that waiting does not resolve, and nil for any other response. The transport does not
// retry such a request, and does not delay others because of it. FinalReason reads the
// beginning of the body, and blocks until it arrives; resp.Body still yields the whole
// body.
func FinalReason(resp *http.Response) error {
	if resp == nil || resp.StatusCode < http.StatusBadRequest {
		return nil
	}
	var body []byte
	if resp.Body != nil && resp.Body != http.NoBody {
		body, _ = header.PeekBody(resp, math.MaxInt64) //nolint:bodyclose // it is resp, as nothing cuts the reading short
	}
	var r header.Reading
	r.Read(resp.StatusCode, resp.Header, body, time.Now())
	return finalError(&r)
}

// finalError returns why no wait ends a refusal, or nil.
func finalError(r *header.Reading) error {
	switch {
	case !r.Refused:
		return nil
	case r.Reason == header.Billing:
		return ErrQuotaExhausted
	case r.Reason == header.TooLarge:
		return ErrRequestTooLarge
	}
	return nil
}

// isGlobal reports whether a refusal says that it is about more than what was asked for:
// about the account or the address.
func isGlobal(resp *http.Response, body []byte) bool {
	if resp.StatusCode == http.StatusTeapot { // an address that is banned
		return true
	}
	for _, name := range [...]string{"X-Ratelimit-Global", "X-Ratelimit-Scope", "Ratelimit-Scope", "X-Rate-Limit-Scope"} {
		switch strings.ToLower(strings.TrimSpace(resp.Header.Get(name))) {
		case "true", "global", "ip", "account", "application":
			return true
		}
	}
	body = bytes.ToLower(body[:min(len(body), maxGlobalBody)])
	for _, said := range [...]string{
		`"global":true`, `"global": true`,
		"ip banned", "ip is banned", "ip has been banned", "ip address has been", "blocked your ip", "banned until",
	} {
		if bytes.Contains(body, []byte(said)) {
			return true
		}
	}
	return false
}

// maxGlobalBody is how much of a refusal's body is looked at.
const maxGlobalBody = 4 << 10
