package client

import (
	"errors"
	"slices"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Fleet shares quotas with other processes. Package fleet has one.
type Fleet interface {
	// Join returns this process's share of a quota. The key is a hash of who spends it. No
	// function of the host may be called from a method of the share.
	Join(key string, h Host) Share
	// Members returns how many processes to believe in where the store was never reached.
	Members() int
	// Divide returns the limiter of the rules that have Fleet set; see [queue.Rule].
	Divide(name string, q queue.Quota, h Host) queue.Portion
}

// A Host is what a [Share] may ask and tell of the transport that it belongs to.
type Host struct {
	// Wake has the queue ask again.
	Wake func()
	// Waiting returns how many requests wait in all and, of those, how many have the highest
	// priority, and which that is.
	Waiting func() (all, first int, highest queue.Priority)
	// Away tells that the store has gone away, or has come back. It is nil if nobody wants to know.
	Away func(away bool)
}

// A Share is what this process may spend of a quota that it shares. Its methods are called
// under the lock of the queue and must not block.
type Share interface {
	// Ask returns when a request may go on the account of the windows that the server announces. It reports false while nothing is shared: then the limiter
	// decides, as without a fleet. If the limit of the decision is [throttle.Learned], the fleet
	// knows what refusals taught, too. An Unknown decision waits for the store; Try says that
	// the store is slow or away, so that a request that cannot wait goes as without a fleet.
	Ask(now time.Time, d limit.Demand) (limit.Decision, bool)
	// Take counts a request as sent and returns its number, whether Ask allowed it or the
	// limiter did.
	Take(now time.Time, cost int) uint64
	// Cancel undoes a Take, of a request that was not sent.
	Cancel(number uint64)
	// Refuse notes that the response to a request is a refusal, and until when that closes the
	// quota, by the server's own word: zero if it does not say. It precedes Observe.
	Refuse(number uint64, until time.Time)
	// Observe takes in what the response to a request announced, and until when a refusal
	// closed the limiter. Not ok says that the windows cannot be shared.
	Observe(now time.Time, number uint64, windows []throttle.Announced, ok bool, hold time.Time)
	// Abandon notes that a request got no response.
	Abandon(now time.Time, number uint64)
	// Idle reports whether the share is of no more use.
	Idle(now time.Time) bool
	// Status returns how the quota is shared.
	Status(now time.Time) SharedStatus
}

// A SharedStatus describes how a quota is shared with other processes.
type SharedStatus struct {
	// Active reports whether the fleet grants what requests spend. It does not while the
	// store is away, or while the API announces nothing that can be shared: then this
	// process goes on as without a fleet.
	Active bool
	// Away reports that the store did not answer the last call.
	Away bool `json:",omitzero"`
	// Members is how many processes share the quota, as far as was heard last.
	Members int
	// Held is how many units of cost this process may spend without another call.
	Held int
}

// WithFleet shares the quotas of all keys with other processes. While the processes cannot
// reach each other, each goes on as without it. Limits that count anything else than
// requests, and those of routes or scopes that have limits of their own, are not shared.
// A rule is shared if it says so: see [queue.Rule].
func WithFleet(f Fleet) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithFleet got no fleet")
		}
		s.fleet = f
		return nil
	}
}

// join makes the key one of the fleet's.
func (l *keyState) join(f Fleet) {
	if f == nil {
		return
	}
	l.whole.Expect(f.Members())
	t, key := l.transport, l.key
	l.share = f.Join(key, Host{
		Wake:    func() { t.queue.Update(key, nil) },
		Waiting: func() (all, first int, highest queue.Priority) { return t.queue.KeyWaiting(key) },
		Away:    t.storeTold(nameOf(key)),
	})
}

// divide is the fleet of the queue's rules.
func (t *Transport) divide(f Fleet) queue.Fleet {
	return func(name string, q queue.Quota, wake func()) queue.Portion {
		return f.Divide(name, q, Host{Wake: wake, Away: t.storeTold("")})
	}
}

// shares reports whether a request spends the quota that the fleet shares.
func (l *keyState) shares(part *throttle.Limiter, a *attempt) bool {
	return l.share != nil && a.scope == 0 && part == l.whole && len(l.limits) == 0 && a.api == nil && len(a.Units) == 0
}

// askShared asks the fleet about a request whose quota is shared, and the limiter as far as the fleet
// does not know.
func (l *keyState) askShared(now time.Time, part *throttle.Limiter, demand limit.Demand, a *attempt) limit.Decision {
	d, shared := l.share.Ask(now, demand)
	if !shared || !d.Admits(now) && d.Limit != throttle.Refusal && goesAlone(now, &d, &demand, a) {
		return part.AskFor(now, demand)
	}
	ask := part.AskUnannounced
	if d.Limit == throttle.Learned {
		ask = part.AskUnlearned
	}
	if b := ask(now, demand.Count()); b.After(&d) {
		return b
	}
	if !d.Admits(now) {
		return d
	}
	if d.Limit = ""; l.spreads() {
		return part.AskPacing(now, demand.Count())
	}
	return d
}

// grantPatience is how long a call to the store may take. A request that cannot wait so
// long does not wait for one that is slow.
const grantPatience = 250 * time.Millisecond

// goesAlone reports whether an attempt that cannot wait for the fleet is left to the
// limiter, as without a fleet: others may hold what they do not use.
func goesAlone(now time.Time, d *limit.Decision, demand *limit.Demand, a *attempt) bool {
	until := d.At
	if d.Unknown {
		until = now.Add(grantPatience)
	}
	return d.Max <= 0 && (a.NoWait || d.Try && !demand.Awaits(now, until))
}

// spreads reports whether the program asked for a pacing other than the default, which
// would only smooth the last of what each member is granted.
func (l *keyState) spreads() bool {
	usual := throttle.DefaultPolicy()
	return l.policy.Threshold != usual.Threshold || l.policy.MaxPacing != usual.MaxPacing
}

// sharedStatus returns how the quota is shared; nil without a fleet.
func (l *keyState) sharedStatus(now time.Time) *SharedStatus {
	if l.share == nil {
		return nil
	}
	s := l.share.Status(now)
	return &s
}

// takeShare counts an attempt in the fleet.
func (l *keyState) takeShare(now time.Time, a *attempt) {
	a.shared = 0
	if l.shares(a.part, a) {
		a.shared = l.share.Take(now, max(a.Cost, 1))
	}
}

// cancelShare undoes takeShare.
func (l *keyState) cancelShare(a *attempt) {
	if a.shared != 0 {
		l.share.Cancel(a.shared)
	}
}

// abandonShare notes that an attempt got no response.
func (l *keyState) abandonShare(now time.Time, a *attempt) {
	if a.shared != 0 {
		l.share.Abandon(now, a.shared)
	}
}

// observeShare passes what a response said on to the fleet. It follows the limiter's own
// Observe.
func (l *keyState) observeShare(now time.Time, a *attempt) {
	if a.shared == 0 {
		return
	}
	r := &a.reading
	if r.Stale || a.part != l.whole {
		l.share.Observe(now, a.shared, nil, true, time.Time{})
		return
	}
	windows, ok := a.part.Announced(r)
	hold := time.Time{}
	if r.Refused {
		s, closed := a.part.Status(now), time.Time{}
		if !s.Hold.IsZero() && r.Wait.Known() && r.Wait.Explicit {
			closed = now.Add(r.Wait.Delay)
		}
		if !r.Overloaded() {
			l.share.Refuse(a.shared, closed)
		}
		hold = sharedHold(s, r)
	}
	l.share.Observe(now, a.shared, windows, ok && len(l.limits) == 0, hold)
}

// sharedHold returns until when a refusal closes the quota for all. Whether one that
// names no limit is about a limit at all is only known once refusals taught one.
func sharedHold(s throttle.Status, r *header.Reading) time.Time {
	taught := func(w throttle.WindowStatus) bool { return w.Name == throttle.Learned }
	if r.Exhausted() || r.Wait.Known() && r.Wait.Explicit && slices.ContainsFunc(s.Windows, taught) {
		return s.Hold
	}
	return time.Time{}
}
