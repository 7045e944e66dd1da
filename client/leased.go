package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// A leased is a lease of the line, with what it takes to see that its requests are
// answered as was to be expected. Those of an account in a hurry go with it, while much
// is left, and do not ask one by one.
type leased struct {
	lease  *queue.Lease
	ticket throttle.Ticket
	part   *throttle.Throttle // that made the loan
	at     time.Time          // when
	least  []float64          // that is left of each window, if nobody else spends
	glance *header.Glance     // or what such a response looks like; nil if it has to be read
}

// lend takes a lease for those that follow an attempt, whose answer just came.
func (t *Transport) lend(a *attempt, who *account, resp *http.Response) {
	if s := who.leased.Load(); s != nil && s.lease.Left() > 0 {
		return
	}
	lease := t.line.Lend(&a.Request)
	if lease == nil {
		return
	}
	s := &leased{lease: lease, ticket: a.loan.Ticket, part: a.part, at: a.taken}
	spent := a.loan.N + a.loan.InFlight
	for i := range a.reading.Windows {
		s.least = append(s.least, a.reading.Windows[i].Remaining.Value-float64(spent))
	}
	s.glance = who.reader.Glance(resp.Header, spent)
	who.leased.Store(s)
}

// take counts a call as one of those that may go with the lease. It reports false if it
// may not.
func (s *leased) take(c *call) bool {
	return c.sent == 0 && c.scope == 0 && c.cost <= 1 && c.req.Context().Err() == nil && s.lease.Take()
}

// send sends a request that may go. Only if its answer is not what was to be expected,
// the line hears of it.
func (s *leased) send(t *Transport, req *http.Request, who *account) (ans answer) {
	a := (*attempt)(nil)
	over := false
	defer func() {
		if over {
			return
		}
		closeBody(req)
		discard(ans.resp)
		if a == nil || !a.settled {
			a = &attempt{}
			a.resume(s, req)
			a.end(false)
		}
	}()
	ans.resp, ans.err = t.base.RoundTrip(req)
	if ans.err == nil && ans.resp != nil && s.expects(who.reader, ans.resp) && s.lease.Done() {
		over = true
		mend(ans.resp)
		return ans
	}
	a = attempts.Get().(*attempt)
	a.resume(s, req)
	a.take(t, who, &ans)
	over = true
	attempts.Put(a) // not after a panic: it is looked at then
	return ans
}

// resume makes an attempt of a request that was sent with a lease.
func (a *attempt) resume(s *leased, req *http.Request) {
	a.Request = queue.Request{Tag: a}
	a.taken, a.ticket, a.part, a.req = s.at, s.ticket, s.part, req
	a.key, a.route, a.scope, a.number = nil, "", 0, 1
	a.lease, a.settled, a.lends = s.lease, false, false
}

// expects reports whether a response is a success, and tells nothing that would be news.
func (s *leased) expects(r *header.Reader, resp *http.Response) bool {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return false
	}
	if s.glance != nil && s.glance.Matches(resp.Header) {
		return true
	}
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.taken = s.at
	a.read(r, resp)
	return s.allows(&a.reading)
}

// allows is expects for a response that was read in full.
func (s *leased) allows(r *header.Reading) bool {
	if r.Refused || r.Paused || r.Stale || len(r.Windows) != len(s.least) {
		return false
	}
	for i := range r.Windows {
		if r.Windows[i].Remaining.Value < s.least[i] {
			return false
		}
	}
	return true
}
