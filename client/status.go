package client

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Status describes the state of a quota, and how many requests wait to spend it.
// It is a copy: nothing in it changes later.
type Status struct {
	// Status describes the limits that the API announced or that were learned from
	// refusals: their windows, what is left, where that is known from, and how certain it
	// is. It does not describe rules; only Start, Ahead and Limit take them into account.
	throttle.Status
	// Key is the hash of the key that spends the quota, the same as in [Memory] and
	// [Event]. Host is the host of the key's last request, and Name the name that
	// [WithKeyName] or [WithKeyNames] gave to the key.
	Key        string
	Host, Name string `json:",omitzero"`
	// Counts counts the outcomes of the key's requests.
	Counts Counts
	// Waiting is how many requests of the key are in the queue.
	Waiting int `json:",omitzero"`
	// Start is when a request that arrived now would be sent, as far as is known. It is
	// zero if that depends on a response that is still outstanding. Ahead is how many
	// requests would go before it, and Limit is the limit that they wait for.
	Start time.Time `json:",omitzero"`
	Ahead int       `json:",omitzero"`
	Limit string    `json:",omitzero"`
	// Shared tells how the quota is shared with other processes. It is nil without
	// [WithFleet], and for routes and scopes with limits of their own.
	Shared *SharedStatus `json:",omitzero"`
}

// String describes the status in one line, without the key, its host and its name.
func (s Status) String() string {
	if s.Waiting == 0 {
		return s.Status.String()
	}
	return fmt.Sprintf("%v, %d waiting", s.Status, s.Waiting)
}

// Status returns the state of the quota that req would spend if it were sent now. It does
// not send req and spends nothing. It returns an error if the queue is closed, or if the
// request costs more than a limit ever allows.
func (t *Transport) Status(req *http.Request) (Status, error) {
	c := callOf(req)
	a := &attempt{}
	a.prepare(t, t.account(req, c.callOptions), &c)
	if deadline, ok := c.ctx.Deadline(); ok {
		a.MaxWait = max(1, min(cmp.Or(a.MaxWait, t.maxWait), time.Until(deadline)))
	}
	place, err := t.queue.Peek(&a.Request)
	s := Status{
		Key: a.who.name, Host: req.URL.Host, Name: a.name, Waiting: t.queue.KeyStats(a.Key).Waiting,
		Start: place.Start, Ahead: place.Ahead, Limit: place.Limit,
	}
	t.update(a.Key, func(l *keyState, now time.Time) {
		s.Status, s.Counts = l.statusOf(now, a), l.usage.total()
		if a.scope == 0 {
			s.Shared = l.sharedStatus(now)
		}
	})
	return s, err
}

// Snapshot returns the state of every known quota, ordered by key: for a page that shows
// all of them, say. If routes of a key have limits of their own, the key has one status for
// each such set of limits, after the status for all other requests, one for a limit of all of them
// that refusals show, and one for each route
// whose refusals concern that route alone. Start and Limit disregard the requests in the
// queue and the rules of [WithQueue]. Snapshot takes time in proportion to the number of
// keys; no request is sent meanwhile.
func (t *Transport) Snapshot() []Status {
	var all []Status
	t.queue.Each(func(key string, own limit.Limiter, holds queue.Stats) {
		now := time.Now() // under the lock: the time of a limiter must not go back
		l := own.(*keyState)
		parts := append(make([]*throttle.Limiter, 0, 1+len(l.limits)), l.whole)
		for _, m := range slices.Sorted(maps.Keys(l.limits)) {
			parts = append(parts, l.limits[m])
		}
		if l.above.limiter != nil {
			parts = append(parts, l.above.limiter)
		}
		for _, part := range parts {
			var shared *SharedStatus
			if part == l.whole {
				shared = l.sharedStatus(now)
			}
			next := part.Ask(now, 1)
			all = append(all, Status{
				Status: part.Status(now), Key: nameOf(key), Host: l.usage.host, Name: l.usage.name, Counts: l.usage.total(), Waiting: holds.Waiting, Ahead: holds.Waiting,
				Start: next.At, Limit: next.Limit, Shared: shared,
			})
		}
		for _, id := range slices.Sorted(maps.Keys(l.cooldowns)) {
			next, status := l.cooldowns[id].ask(now, 1), l.cooldowns[id].limiter.Status(now)
			if next.Limit == throttle.Refusal {
				status.Hold = next.At
			}
			all = append(all, Status{
				Status: status, Key: nameOf(key), Waiting: holds.Waiting, Ahead: holds.Waiting,
				Start: next.At, Limit: next.Limit,
			})
		}
	})
	slices.SortStableFunc(all, func(a, b Status) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// nameOf returns a key in the form in which callers see it.
func nameOf(key string) string { return hex.EncodeToString([]byte(key)) }

// Declared returns the limits of rules, as they stand for each key and host that sent
// requests, in no particular order. Keys are hashed, as those of [Transport.Snapshot] are.
func (t *Transport) Declared() (all []queue.Declared) {
	t.queue.EachDeclared(func(d queue.Declared) {
		if d.Key != "" {
			d.Key = nameOf(d.Key)
		}
		all = append(all, d)
	})
	return all
}

// Retries returns how many retries were granted after failures and refusals, and why others
// were not.
func (t *Transport) Retries() backoff.Stats { return t.strategy.Stats() }

// Budget returns the state of the retry budget of req's key. Without [WithRetryBudget] the
// budget is unlimited and counts nothing.
func (t *Transport) Budget(req *http.Request) backoff.BudgetStats {
	return t.stateOf(req).budget.Stats(time.Now())
}

// Breaker returns the breaker of req's key, or nil if there is none. To get the state of
// a breaker of package breaker:
//
//	t.Breaker(req).(*breaker.Breaker).Stats()
func (t *Transport) Breaker(req *http.Request) backoff.Breaker {
	if t.newBreaker == nil {
		return nil
	}
	return t.stateOf(req).breaker()
}

// stateOf returns the state of the key of a request.
func (t *Transport) stateOf(req *http.Request) (l *keyState) {
	who := t.account(req, callOptionsOf(req.Context()))
	t.update(who.key, func(known *keyState, _ time.Time) { l = known })
	return l
}

// Counts counts the outcomes of a key's requests since the client first saw the key, or
// saw it again after forgetting it.
type Counts struct {
	// Sent is the number of attempts, retries included; Retried is how many of these were
	// retries.
	Sent, Retried uint64 `json:",omitzero"`
	// Refused is how many attempts the server refused.
	Refused uint64 `json:",omitzero"`
	// GivenUp is how many requests were given up that should have been sent or retried.
	GivenUp uint64 `json:",omitzero"`
}

// A usage counts the requests of a key. The queue's lock guards all fields but givenUp.
type usage struct {
	host, name string // of the last request
	counts     Counts
	givenUp    atomic.Uint64
}

// count counts an attempt that is over.
func (u *usage) count(a *attempt, refused bool) {
	u.host, u.name = a.req.URL.Host, a.name
	u.counts.Sent++
	if a.Retry {
		u.counts.Retried++
	}
	if refused {
		u.counts.Refused++
	}
}

// total returns the counts.
func (u *usage) total() Counts {
	c := u.counts
	c.GivenUp = u.givenUp.Load()
	return c
}

// statusOf returns the status of the limits that apply to a request.
func (l *keyState) statusOf(now time.Time, a *attempt) throttle.Status {
	s := l.limiterOf(now, a).Status(now)
	if above := l.above.of(a); above != nil {
		addStatus(&s, now, above, time.Time{})
	}
	if own := l.cooldowns[l.placeOf(a)]; own != nil && a.scope == 0 {
		addStatus(&s, now, own.limiter, own.closed)
	}
	return s
}

// addStatus adds the status of a limiter that applies too, and of a wait that ends at closed.
func addStatus(s *throttle.Status, now time.Time, of *throttle.Limiter, closed time.Time) {
	also := of.Status(now)
	s.Windows = append(s.Windows, also.Windows...)
	s.Refusals = max(s.Refusals, also.Refusals)
	for _, hold := range []time.Time{also.Hold, closed} {
		if hold.After(now) && hold.After(s.Hold) {
			s.Hold = hold
		}
	}
}
