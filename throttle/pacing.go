package throttle

import (
	"cmp"
	"time"
)

// A pacing is when pacing lets a request go that could go at once: at this moment, or
// when it was kept back for most in all.
type pacing struct{ at, most instant }

// unbounded is a pacing that keeps requests back for as long as it takes.
const unbounded = farthest

// paced returns when pacing lets n more go that may go at now, and the name of the limit
// that is paced.
func (k *Limiter) paced(now instant, n int64) (pacing, string) {
	last, name := pacing{at: now}, ""
	for i := range k.windows {
		w := &k.windows[i]
		if w.units != nil || w.plenty(k, now, n) {
			continue
		}
		if p := w.paced(k, now, n); p.at > last.at {
			last, name = p, cmp.Or(w.name, unnamed)
		}
	}
	if l := k.estimator; l != nil && l.span.limit > 0 && !(l.event.under && l.event.told) {
		if p := l.span.paced(k, l, now, n); p.at > last.at {
			last, name = p, Learned
		}
	}
	return last, name
}

// paced spreads what is left below the threshold evenly until the reset.
func (w *window) paced(k *Limiter, now instant, n int64) pacing {
	if w.takesTurns(k, now) {
		return w.contention.turn(w, k, now, n)
	}
	if gap := w.phase.spread(w.limit); gap > 0 && k.lastSent+gap > now && k.sent > 0 {
		return pacing{at: k.lastSent + gap, most: unbounded}
	}
	left := w.left(k, now)
	if !w.credited || w.belief.beyond || left < n || left > w.threshold || !w.resetKnown || w.concurrent || w.bucket.recognised || k.sent == 0 ||
		w.contention.others(now) && (w.contention.rolled >= rolls || w.contention.stale(k, now)) {
		return pacing{at: now}
	}
	since := 2*now - w.reset.earliest
	lately, first := k.sent, w.history.firstAfter(since)
	if w.length.value > 0 {
		lately = w.history.after(since)
	}
	most := k.policy.MaxPacing
	if w.contention.others(now) {
		most = 0 // who takes no more than its part of what is left leaves the rest to them
	}
	p := k.pace(now, n, left, recent{lately, first}, w.reset.earliest, most)
	if p.at > now && w.refills() {
		p.at = min(p.at, w.historyReady(k, now, n))
		if w.sliding.recognised {
			p.at = min(p.at, w.counterReady(k, now, n))
		}
	}
	return p
}

// paced spreads what is left below the threshold until the oldest request leaves.
func (s *inferredWindow) paced(k *Limiter, l *estimator, now instant, n int64) pacing {
	reserve := min(k.policy.Reserve.of(s.limit), s.limit-1)
	left := s.limit - reserve - l.log.after(s.since(k, now))
	threshold := k.policy.Threshold.of(s.limit)
	if left <= 0 || left > threshold || now >= s.climb && threshold < s.limit && reserve == 0 {
		return pacing{at: now}
	}
	oldest := l.log.firstAfter(s.since(k, now))
	if oldest == never {
		return pacing{at: now}
	}
	ends := oldest + s.reach(k)
	if s.fixed {
		ends = s.window(now).latest
	}
	// What was learned may be wrong, and a refusal costs more than a pause.
	return k.pace(now, n, left, recent{sent: l.log.after(2*now - ends), first: oldest}, ends, 0)
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
