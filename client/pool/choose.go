package pool

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client"
)

type credentialKey struct{}

// on returns a copy of req with the key of m. The credential is added when it is sent.
func (m *member) on(req *http.Request) *http.Request {
	ctx := client.WithKey(req.Context(), req.URL.Host+" "+m.Key)
	return req.WithContext(context.WithValue(ctx, credentialKey{}, m))
}

// A setter adds the chosen credential to a request.
type setter struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s setter) RoundTrip(req *http.Request) (*http.Response, error) {
	if m, ok := req.Context().Value(credentialKey{}).(*member); ok {
		sent := req.Clone(req.Context())
		if err := m.Set(sent); err != nil {
			if req.Body != nil {
				req.Body.Close()
			}
			return nil, err
		}
		req = sent
	}
	return s.base.RoundTrip(req)
}

// A prospect is how soon a credential could serve a request.
type prospect struct {
	member *member
	rests  time.Time // zero: it does not
	wait   time.Duration
	left   int // the least that a window has, less what is on its way
}

// choose returns the credential that serves req best among those not tried yet, and
// counts the request as pending.
func (p *Pool) choose(req *http.Request, tried map[*member]bool) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var best prospect
	for _, m := range p.members {
		if tried[m] {
			continue
		}
		if next := p.prospect(req, m, now); best.member == nil || next.compare(best) < 0 {
			best = next
		}
	}
	best.member.pending++
	return best.member
}

func (p *Pool) prospect(req *http.Request, m *member, now time.Time) prospect {
	next := prospect{member: m, left: math.MaxInt32 - m.pending}
	if m.rests.After(now) {
		next.rests = m.rests
	}
	status, err := p.limited.Status(m.on(req))
	if err != nil {
		return next // the transport will report what is wrong
	}
	next.wait = max(0, status.Start.Sub(now)).Truncate(10 * time.Millisecond) // the transport's clock was read a little later
	for _, w := range status.Windows {
		left := w.Remaining
		if !w.Latest.IsZero() && w.Latest.Before(now) {
			left = w.Limit // the window has reset since
		}
		if left >= 0 {
			next.left = min(next.left, left-m.pending)
		}
	}
	return next
}

// compare returns a negative number if a is better: a credential that does not rest, then
// the one that allows a request sooner, then the one with more quota left.
func (a prospect) compare(b prospect) int {
	return cmp.Or(a.rests.Compare(b.rests), cmp.Compare(a.wait, b.wait), cmp.Compare(b.left, a.left))
}
