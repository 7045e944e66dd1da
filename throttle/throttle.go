// Package throttle turns what servers say about their limits into the moment at
// which the next request may go.
package throttle

import (
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A Throttle is what is known of the limits of one key, from nothing but the
// responses to its own requests. It grants a request on sound grounds only:
// credit (what a response said remained, less all it may not have counted),
// history (few enough of our own within the window's length), refill (of a server
// recognised as a bucket), and one probe once the announced reset has passed.
//
// It is arithmetic on the times passed in, which must not go backwards; it never
// blocks, sleeps or reads a clock. It is not safe for concurrent use: whoever
// asks it must hold a lock.
type Throttle struct {
	policy  Policy
	clock   clock
	latency latency

	// Requests are numbered as they are sent; a request that costs n takes n
	// numbers. sent and answered count them.
	sent, answered int64
	lastSent       instant

	hold    hold
	windows []window
	lost    []lost
}

// A Ticket is the record of one request, made when it is sent and handed back
// with its answer.
type Ticket struct {
	number, cost int64   // its number is the last of those that it takes
	answered     int64   // how many had been answered when it was sent
	at           instant // when it was sent
}

// A lost request got no answer. It may still reach the server, so that it counts
// as answered only a while later.
type lost struct {
	due  instant
	cost int64
}

// An Answer says when a request may go.
type Answer struct {
	// At is the moment: not after the one asked about when the request may go at
	// once. It is zero when no moment is known: then it is worth asking again as
	// soon as a response was received.
	At time.Time
	// Name tells what the answer depends on: the window that lets the request go
	// last, or one of the names below. It is empty when the request may go at once.
	Name string
	// Max, when positive, says that the request costs more than the window called
	// Name ever allows at once, which is Max. No moment will do.
	Max int
}

// The names of what a request may wait for, beside those of the windows.
const (
	// FirstAnswer is the wait for the answer to the first request, or to the first
	// after a refusal.
	FirstAnswer = "first answer"
	// Refusal is the wait that a refusal asked for.
	Refusal = "refusal"
)

// New returns the throttle of a key of which nothing is known. now becomes the
// beginning of its time. It returns an error if the policy is impossible.
func New(policy Policy, now time.Time) (*Throttle, error) {
	if err := policy.check(); err != nil {
		return nil, err
	}
	if policy.Backoff == nil {
		policy.Backoff = double
	}
	k := &Throttle{policy: policy, clock: clock{origin: now}}
	k.hold.narrowDown(0)
	return k, nil
}

// Ask returns when a request of the given cost (at least 1) may go. It changes
// nothing that a caller could see.
func (k *Throttle) Ask(now time.Time, cost int) Answer {
	i, n := k.instant(now), int64(max(cost, 1))
	k.settle(i)
	if n > 1 {
		if w := k.tooSmall(n); w != nil {
			return Answer{Name: w.name, Max: int(w.limit - w.reserve)}
		}
	}
	at, name := k.ready(i, n)
	switch {
	case at <= i:
		return Answer{At: now}
	case at == never:
		return Answer{Name: name}
	}
	return Answer{At: k.clock.origin.Add(time.Duration(at)), Name: name}
}

// tooSmall returns a window that never allows n at once, or nil.
func (k *Throttle) tooSmall(n int64) *window {
	for i := range k.windows {
		if w := &k.windows[i]; w.limit > 0 && n > w.limit-w.reserve {
			return w
		}
	}
	return nil
}

// ready returns the latest of what all the windows answer, and the name of the
// one that answers so.
func (k *Throttle) ready(now instant, n int64) (instant, string) {
	at, name := now, ""
	if k.hold.narrow || k.hold.until > now {
		if ready := k.hold.ready(now, k.latency.patience()); ready > at {
			at, name = ready, FirstAnswer
			if ready == k.hold.until {
				name = Refusal
			}
		}
	}
	for i := range k.windows {
		if ready := k.windows[i].ready(k, now, n); ready > at {
			at, name = ready, k.windows[i].name
		}
	}
	return at, name
}

// Send counts a request of the given cost as sent at now. It must be called only
// after Ask agreed to it at the same time.
func (k *Throttle) Send(now time.Time, cost int) Ticket {
	i, n := k.instant(now), int64(max(cost, 1))
	k.sent += n
	slack := k.latency.slack()
	for j := range k.windows {
		k.windows[j].send(k, i, slack, k.sent, n)
	}
	k.hold.send(i, n)
	k.lastSent = i
	return Ticket{number: k.sent, cost: n, answered: k.answered, at: i}
}

// Receive takes in the response to a request, received at now.
func (k *Throttle) Receive(now time.Time, t Ticket, r *header.Reading) {
	i := k.instant(now)
	k.settle(i)
	k.latency.observe(i - t.at)
	k.answered += t.cost
	if !r.Stale {
		k.learn(i, &t, r)
	}
	k.conclude(&t)
}

// learn takes in what a response says, if it speaks of now.
func (k *Throttle) learn(now instant, t *Ticket, r *header.Reading) {
	if !r.Date.IsZero() {
		k.clock.hear(r.Date, t.at, now)
	}
	if len(r.Windows) > 0 {
		k.hear(now, t, r)
	}
	if r.Refused {
		k.refuse(now, t, r)
	} else {
		k.hold.admitted(t)
	}
}

// hear passes what a response says on to its windows.
func (k *Throttle) hear(now instant, t *Ticket, r *header.Reading) {
	for i := range r.Windows {
		said := &r.Windows[i]
		if limit, ok := count(said.Limit, said.Unit); ok && limit == 0 && !r.Refused {
			continue // a limit of nothing on a request that was served limits nothing
		}
		k.window(said).hear(k, now, t, said)
	}
	k.forget(t, r)
}

// forget drops the windows whose time is over and of which a response to a later
// request no longer speaks.
func (k *Throttle) forget(t *Ticket, r *header.Reading) {
	for i := len(k.windows) - 1; i >= 0; i-- {
		if w := &k.windows[i]; w.resetKnown && w.reset.latest < t.at && w.said(r) == nil {
			k.windows = slices.Delete(k.windows, i, i+1)
		}
	}
}

// window returns the window that a response speaks of.
func (k *Throttle) window(said *header.Window) *window {
	for i := range k.windows {
		if k.windows[i].matches(said) {
			return &k.windows[i]
		}
	}
	k.windows = append(k.windows, window{
		name: strings.Clone(said.Name), unit: strings.Clone(said.Unit), scope: strings.Clone(said.Scope), limit: -1,
		threshold: k.policy.Threshold.of(-1), reserve: k.policy.Reserve.of(-1),
		concurrent: said.Unit == "concurrent-requests",
	})
	return &k.windows[len(k.windows)-1]
}

// refuse takes in a refusal.
func (k *Throttle) refuse(now instant, t *Ticket, r *header.Reading) {
	wait := instant(r.Wait.Delay)
	if !r.Wait.Explicit {
		wait += instant(r.Wait.Resolution)
	}
	k.hold.refuse(now, wait, r.Wait.Known(), t, k.sent, k.policy.Backoff)
	for i := range k.windows {
		w := &k.windows[i]
		said := w.said(r)
		if said == nil {
			continue
		}
		if remaining, ok := count(said.Remaining, said.Unit); ok && remaining == 0 {
			w.exhaust(k, now)
			if r.Wait.Explicit {
				w.probe.bidden = k.hold.until
			}
		}
	}
}

// Lose notes that a request got no answer, and perhaps never will.
func (k *Throttle) Lose(now time.Time, t Ticket) {
	k.conclude(&t)
	i := k.instant(now)
	k.lost = append(k.lost, lost{due: i + 2*k.latency.patience(), cost: t.cost})
}

// Return takes back a request that was counted as sent but never was.
func (k *Throttle) Return(t Ticket) {
	k.conclude(&t)
	k.answered += t.cost
	for i := range k.windows {
		k.windows[i].ceiling += t.cost
	}
}

// Idle reports whether nothing is known at now that would not be learned again from
// the next response: no request is under way, and all windows are over.
func (k *Throttle) Idle(now time.Time) bool {
	i := k.instant(now)
	k.settle(i)
	if k.sent != k.answered || k.hold.until > i || k.lastSent+10*60*second > i {
		return false
	}
	for j := range k.windows {
		w := &k.windows[j]
		if w.resetKnown && w.reset.latest > i || k.lastSent+2*w.length.value > i {
			return false
		}
	}
	return true
}

// conclude notes that a request is no longer under way.
func (k *Throttle) conclude(t *Ticket) {
	k.hold.settle(t)
	for i := range k.windows {
		k.windows[i].settle(t)
	}
}

// settle counts lost requests as answered when their time has come.
func (k *Throttle) settle(now instant) {
	for len(k.lost) > 0 && k.lost[0].due <= now {
		k.answered += k.lost[0].cost
		k.lost = k.lost[1:]
	}
}

func (k *Throttle) instant(now time.Time) instant { return instant(now.Sub(k.clock.origin)) }
