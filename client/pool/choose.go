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

// on returns req as one of m: with its key, and with the credential to come.
func (m *member) on(req *http.Request) *http.Request {
	ctx := client.WithKey(req.Context(), req.URL.Host+" "+m.Key)
	return req.WithContext(context.WithValue(ctx, credentialKey{}, m))
}

// A setter puts on a request the credential that was chosen for it.
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

// A prospect is what a request may expect of a credential.
type prospect struct {
	member *member
	rests  time.Time // zero: it does not
	wait   time.Duration
	left   int // the least that a window has, less what is on its way
}

// choose returns the credential that serves req best, of those not tried yet, and
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
		return next // the transport says what is wrong
	}
	next.wait = max(0, status.Start.Sub(now)).Truncate(10 * time.Millisecond) // "now" is a little later there
	for _, w := range status.Windows {
		left := w.Remaining
		if !w.Latest.IsZero() && w.Latest.Before(now) {
			left = w.Limit // it has opened again since
		}
		if left >= 0 {
			next.left = min(next.left, left-m.pending)
		}
	}
	return next
}

// compare is below 0 if a is better: one that does not rest, then the one that can go
// first, then the one that has most left.
func (a prospect) compare(b prospect) int {
	return cmp.Or(a.rests.Compare(b.rests), cmp.Compare(a.wait, b.wait), cmp.Compare(b.left, a.left))
}
