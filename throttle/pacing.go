package throttle

import (
	"cmp"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A pacing is when pacing lets a request go that could go at once: at this moment, or
// when it was kept back for most in all.
type pacing struct{ at, most instant }

// unbounded is a pacing that keeps requests back for as long as it takes.
const unbounded = farthest

// pacing returns when pacing lets n more go that may go now, which is at i.
func (k *Limiter) pacing(now time.Time, i instant, n int64) limit.Decision {
	if p, name := k.paced(i, n); p.at > i {
		return limit.Decision{At: k.time(p.at), Limit: name, Paced: time.Duration(p.most)}
	}
	return limit.Decision{At: now}
}

// paced returns when pacing lets n more go that may go at now, and the name of the limit
// that is paced.
func (k *Limiter) paced(now instant, n int64) (pacing, string) {
	last, name := pacing{at: now}, ""
	for i := range k.windows {
		w := &k.windows[i]
		if w.units != nil || w.plenty(k, now, n) || k.trust.Contradicted() || w.trust.Wrong() || w.meaning.Rises() {
			continue
		}
		p := w.paced(k, now, n)
		if p.at > now {
			w.utility.Hold()
		}
		if p.at > last.at {
			last, name = p, cmp.Or(w.name, unnamed)
		}
	}
	if k.refusals.Limits() && !k.refusals.Told() {
		if p := k.learnedPaced(now, n); p.at > last.at {
			last, name = p, Learned
		}
	}
	return last, name
}

// paced spreads what is left below the threshold evenly until the reset.
func (w *window) paced(k *Limiter, now instant, n int64) pacing {
	if w.competes(now) || w.freely(k) {
		return pacing{at: now}
	}
	v := w.view(k, now)
	if w.contention.TakesTurns(&v) && k.policy.Threshold != (Amount{}) {
		at, waits := w.contention.Turn(&v, n, k.policy.MaxPacing > 0)
		if !waits {
			return pacing{at: at}
		}
		return pacing{at: at, most: unbounded}
	}
	left := w.left(k, now)
	if gap := w.gap(k, now, left); gap > 0 && k.lastSent+gap > now && k.sent > 0 {
		return pacing{at: k.lastSent + gap, most: unbounded}
	}
	if left == n {
		if test := w.tells(k, now); test > now {
			return pacing{at: test, most: unbounded}
		}
	}
	if !w.credited || w.ignored() || left < n || left > w.threshold || !w.resetKnown || w.concurrent || w.kind.Emission() > 0 || k.sent == 0 ||
		w.contention.Others(now) && (w.kind.Rolls() || w.contention.Stale(&v)) {
		return pacing{at: now}
	}
	since := 2*now - w.reset.Earliest
	lately, first := k.sent, w.history.FirstAfter(since)
	if w.length.Value > 0 {
		lately = w.history.After(since)
	}
	most := k.policy.MaxPacing
	if w.contention.Others(now) {
		most = 0 // a client that takes no more than its part leaves the rest to them
	}
	p := k.pace(now, n, left, recent{lately, first}, w.reset.Earliest, most)
	if p.at > now && p.most < unbounded {
		if w.pacedSince == 0 {
			w.pacedSince = now
		}
		bound := max(p.most, (w.pacedSince-k.busy)/pacingPart)
		p.at = max(min(p.at, w.pacedSince+bound), now) // a job may end here, and is not to take much longer
	}
	if p.at > now && w.kind.Regains() {
		room, probe := w.kind.Regained(&v.View, n)
		p.at = min(p.at, room, w.probe.InTurn(probe, w.limit, w.length.Value, &k.rtt))
	}
	return p
}

// gap returns the time between two requests of a window of which it is to be learned when it opens, or 0.
// Where responses come soon, the last ones tell enough, and the others need not wait.
func (w *window) gap(k *Limiter, now instant, left int64) instant {
	if w.kind.Emission() > 0 {
		return 0 // it does not open
	}
	if gap := w.phase.Spread(w.limit); gap > 0 {
		last, length := w.limit, gap*instant(w.limit)
		if length > gapNear*k.rtt.Mean {
			last = min(last, max(last/gapPart, gapLeast))
		}
		if left <= last {
			return length / instant(last)
		}
	}
	return w.kind.Spread(now, w.limit, w.length.Value)
}

const (
	gapNear  = 8 // so many round trips are less than a window,
	gapPart  = 4 // and the last requests are this part of the limit,
	gapLeast = 10
)

// learnedPaced spreads what is left of a learned limit below the threshold until the oldest
// request leaves.
func (k *Limiter) learnedPaced(now instant, n int64) pacing {
	v := k.view()
	s, ok := k.refusals.Spread(&v, now)
	if !ok {
		return pacing{at: now}
	}
	// What was learned may be wrong, and a refusal costs more than a pause.
	return k.pace(now, n, s.Left, recent{sent: s.Lately, first: s.First}, s.Ends, 0)
}

// pacingSure is how many times as much a program has sent lately than is left if it surely
// uses that up.
const pacingSure = 2

// A recent is how many requests were sent in as long a time as what is left has to last,
// and when the first of them was; never if that is not known.
type recent struct {
	sent  int64
	first instant
}

// spends reports whether a program that went on like this would surely use up what is left
// long before the given instant: it sent pacingSure times as much, and did so for half as
// long as what is left has to last. A job that sends all it has in a short time may end
// there; where the instant is near it does not lose much if it does.
func (r recent) spends(now instant, left int64, until instant) bool {
	return r.sent > pacingSure*left && (until-now <= pacingNear || r.first < now-(until-now)/2)
}

// pacingNear is how far away a reset is that any job may wait for.
const pacingNear = 15 * second

// pacingPart is the part of its time by which pacing may make a job longer, if that is more than
// [Policy.MaxPacing].
const pacingPart = 2

// begin notes that a request is sent after a pause. Unless it had to wait for a window, another job begins.
func (k *Limiter) begin(now instant) {
	for i := range k.windows {
		if now-k.lastSent <= pacingIdle+k.windows[i].length.Value {
			return
		}
	}
	k.busy = now
}

// pacingIdle is how long nothing is sent, beside the time of a window, before another job begins.
const pacingIdle = 60 * second

// pacingFar is how far away a reset is that many jobs end before.
const pacingFar = 10 * 60 * second

// pace returns when n more go where so many are left until the given instant. It keeps
// requests back for at most the given time, if that is above 0 and the program does not
// surely spend all that is left before.
func (k *Limiter) pace(now instant, n, left int64, lately recent, until instant, most time.Duration) pacing {
	p := pacing{most: instant(most)}
	switch {
	case p.most == 0, lately.spends(now, left, until):
		p.most = unbounded
	case left >= lately.sent+n:
		return pacing{at: now} // as many again would not use it up
	}
	step := (until - k.lastSent) / instant(left/n+1)
	if step > p.most && until-now > pacingFar {
		return pacing{at: now} // kept back for so little, what is left would not last either
	}
	p.at = max(now, k.lastSent+min(step, p.most))
	return p
}
