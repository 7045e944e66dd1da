// Package throttle turns what servers say about their limits into the moment at
// which the next request may go.
//
// A [Limiter] follows the limits of one key. It is told of every request and of
// every answer, and grants a request on sound grounds only, whatever algorithm the
// server uses. Where others spend the same quota it estimates how much they take and
// spends its own part. Where the server announces nothing it learns from refusals.
// What it believes can be looked at ([Limiter.Status]), and what it learned be kept
// ([Limiter.Lesson], [Limiter.Restore]).
//
// Why the grounds are sound, and what was tried before these were chosen, is told in
// docs/admission.md and docs/learning.md.
package throttle

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// A Limiter is what is known of the limits of one key, from nothing but the
// responses to its own requests. It grants a request on sound grounds only:
// credit (what a response said remained, less all it may not have counted),
// history (few enough of our own within the window's length), refill (of a server
// recognised as a bucket), and one probe once the announced reset has passed.
//
// It is arithmetic on the times passed in, which must not go backwards; it never
// blocks, sleeps or reads a clock. It is not safe for concurrent use: whoever
// asks it must hold a lock.
type Limiter struct {
	policy Policy
	clock  clock
	rtt    rtt

	// Requests are numbered as they are sent; a request that costs n takes n
	// numbers. sent and answered count them.
	sent, answered int64
	lastSent       instant
	uncertainUntil instant // until then answers may have been lost, or left a window out

	cooldown  cooldown
	sheds     shedding
	overload  overload
	windows   []window
	edges     []*edge // the limits in front of those
	lost      []lost
	estimator *estimator // nil where the server announces its limits
	random    rand.PCG
}

// A Reservation is the record of one request, made when it is sent and handed back
// with its answer.
type Reservation struct {
	number, cost int64   // its number is the last of those that it takes
	answered     int64   // how many had been answered when it was sent
	at           instant // when it was sent
}

// An Decision says when a request may go.
type Decision struct {
	// At is the moment: not after the one asked about when the request may go at
	// once. It is zero when no moment is known: then it is worth asking again as
	// soon as a response was received.
	At time.Time
	// Name tells what the answer depends on: the window that lets the request go
	// last, or one of the names below. It is empty when the request may go at once.
	Name string
	// Paced, when positive, says that nothing but pacing keeps the request from going at
	// once: one that waits for so long, or cannot wait until At, may go before.
	Paced time.Duration
	// Try says that nothing but the word of an answer that was no refusal keeps the
	// request from going: one that cannot wait until At may go, to see whether it is
	// true. That is so now and then.
	Try bool
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
	// Learned is the wait for a limit that the server does not announce, and that
	// its refusals taught.
	Learned = "learned"
)

// New returns the throttle of a key of which nothing is known. now becomes the
// beginning of its time. It returns an error if the policy is impossible.
func New(policy Policy, now time.Time) (*Limiter, error) {
	if err := policy.check(); err != nil {
		return nil, err
	}
	k := &Limiter{policy: policy, clock: startClock(now), uncertainUntil: -never / 2}
	k.random.Seed(rand.Uint64(), rand.Uint64())
	k.cooldown.narrowDown(0)
	return k, nil
}

// Ask returns when a request of the given cost (at least 1) may go. It changes
// nothing that a caller could see.
func (k *Limiter) Ask(now time.Time, cost int) Decision {
	i, n := k.instant(now), units(cost)
	k.expireLost(i)
	if n > 1 {
		if w := k.tooSmall(n); w != nil {
			return Decision{Name: w.name, Max: int(w.limit - w.reserve)}
		}
	}
	at, name := k.ready(i, n)
	if at == never && len(k.lost) > 0 {
		at = k.lost[0].due // whatever depends on its answer is free then
	}
	switch {
	case at <= i:
		if p, name := k.paced(i, n); p.at > i {
			return Decision{At: k.time(p.at), Name: name, Paced: time.Duration(p.most)}
		}
		return Decision{At: now}
	case at == never:
		return Decision{Name: name}
	}
	return Decision{At: k.time(at), Name: name, Try: k.tries(i, n)}
}

// tooSmall returns a window that never allows n at once, or nil.
func (k *Limiter) tooSmall(n int64) *window {
	for i := range k.windows {
		if w := &k.windows[i]; w.limit > 0 && n > w.limit-w.reserve {
			return w
		}
	}
	return nil
}

// ready returns the latest of what all the windows answer, and the name of the
// one that answers so.
func (k *Limiter) ready(now instant, n int64) (instant, string) {
	at, name := now, ""
	if k.cooldown.halfOpen || k.cooldown.until > now {
		if ready := k.cooldown.ready(now, k.cooldown.patience(k)); ready > at {
			at, name = ready, FirstAnswer
			if ready == k.cooldown.until {
				name = Refusal
			}
		}
	}
	for i := range k.windows {
		if ready := k.windows[i].ready(k, now, n); ready > at {
			at, name = ready, cmp.Or(k.windows[i].name, unnamed)
		}
	}
	for _, e := range k.edges {
		if ready := e.ready(k, now, n); ready > at {
			at, name = ready, cmp.Or(e.name, unnamed)
		}
	}
	if k.estimator != nil {
		if ready := k.estimator.ready(k, now, n); ready > at {
			at, name = ready, Learned
		}
	}
	if ready := k.sheds.trial.ready(now); ready > at {
		at, name = ready, Learned
	}
	return at, name
}

// unnamed is what a window is called that has no name, so that an Answer has one.
const unnamed = "default"

// Take counts a request of the given cost as sent at now. It must be called only
// after Ask agreed to it at the same time, or kept it back for nothing but pacing.
func (k *Limiter) Take(now time.Time, cost int) Reservation {
	i, n := k.instant(now), units(cost)
	for j := range k.windows {
		if w := &k.windows[j]; w.belief.empty {
			w.belief.early = i >= w.belief.next && w.ready(k, i, n) > i
		}
	}
	k.sent += n
	slack := k.rtt.slack()
	for j := range k.windows {
		k.windows[j].send(i, slack, k.sent, n)
	}
	for _, e := range k.edges {
		e.send(i, n)
	}
	k.cooldown.send(i, n)
	k.sheds.trial.send(i, n)
	if k.estimator != nil || len(k.windows) == 0 {
		k.teach().send(k, i, n)
	}
	k.lastSent = i
	return Reservation{number: k.sent, cost: n, answered: k.answered, at: i}
}

// teach returns what refusals taught, to be added to.
func (k *Limiter) teach() *estimator {
	if k.estimator == nil {
		k.estimator = &estimator{opened: -never / 2, empty: -never / 2}
	}
	return k.estimator
}

// jitter returns a random time of at most the given one.
func (k *Limiter) jitter(most instant) instant {
	return instant(k.random.Uint64() % uint64(max(most, 0)+1))
}

// instant returns a time as an instant. A program that runs for a hundred years is
// right about it.
func (k *Limiter) instant(now time.Time) instant {
	return min(max(instant(now.Sub(k.clock.origin)), -4*farthest), 4*farthest)
}

// units returns a cost within bounds.
func units(cost int) int64 { return min(int64(max(cost, 1)), 1<<40) }
