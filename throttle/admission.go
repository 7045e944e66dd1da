package throttle

import (
	"github.com/forbear-go/forbear/throttle/internal/probe"
	"github.com/forbear-go/forbear/throttle/limit"
)

// never returns the decision about n at once if a window never allows that.
func (k *Limiter) never(n int64) (d limit.Decision, never bool) {
	if n <= 1 {
		return limit.Decision{}, false
	}
	w := k.tooSmall(n)
	if w == nil {
		return limit.Decision{}, false
	}
	return limit.Decision{Limit: w.name, Max: int(w.limit - w.reserve)}, true
}

// tooSmall returns a window that never allows n at once, or nil.
func (k *Limiter) tooSmall(n int64) *window {
	for i := range k.windows {
		if w := &k.windows[i]; w.units == nil && w.limit > 0 && n > w.limit-w.reserve && !w.mixture.Mixed() {
			return w
		}
	}
	return nil
}

// ready returns when n more may go on the account of this window: the earliest of
// what its grounds say.
func (w *window) ready(k *Limiter, now instant, n int64) instant {
	if w.units != nil {
		return w.units.ready(w, k, now)
	}
	if w.plenty(k, now, n) {
		w.eager.Clear()
		return now
	}
	return w.weigh(k, now, n)
}

// weigh is ready where there is something to consider.
func (w *window) weigh(k *Limiter, now instant, n int64) instant {
	if w.concurrent {
		if w.limit <= 0 || k.sent-k.answered+n <= w.limit {
			return now
		}
		return never
	}
	if w.open() || w.disbelieved() || w.freely(k) {
		return now
	}
	if w.far {
		return max(now, w.span.Next())
	}
	if w.competes(now) {
		return w.competeReady(k, now, n)
	}
	if w.contention.Others(now) {
		v := w.view(k, now)
		if at, ok := w.contention.Ready(&v, n); ok && at != never {
			return at
		} else if ok {
			return w.probeReady(k, now)
		}
	}
	at := w.creditReady(k, now, n)
	if at <= now {
		w.eager.Clear() // it waits for nothing
		return at
	}
	if at != never && !w.kind.Regains() {
		return at // requests that wait for a response must not be passed
	}
	v := w.view(k, now)
	room, probing := w.kind.Ready(&v.View, n)
	safe := max(now, min(at, room, w.probe.InTurn(probing, w.limit, w.length.Value, &k.rtt), w.probeReady(k, now)))
	if safe == now {
		return now
	}
	return w.eagerReady(k, now, n, safe)
}

// plenty reports whether n may go on credit, far from its end, as most requests may.
// Weighing would say the same.
func (w *window) plenty(k *Limiter, now instant, n int64) bool {
	left := w.grantedThrough - w.reserve - k.sent
	return w.credited && left > w.threshold && left >= n &&
		!w.contention.Others(now) && !w.contention.Replicas(now) && !w.concurrent && w.gap(k, now, left) == 0
}

// left returns how many may go on credit.
func (w *window) left(k *Limiter, now instant) int64 {
	left := w.grantedThrough - w.reserve - k.sent + w.kind.Extra()
	if w.spread(now) {
		return w.contention.ReplicasBudget(w.limit) - w.reserve - k.sent
	}
	if w.contention.Others(now) {
		left = min(left, w.contention.Budget(w.limit)-w.reserve-k.sent)
	}
	if w.contention.Replicas(now) && !w.kind.Regains() && !w.kind.Moves() {
		left = min(left, w.contention.ReplicasBudget(w.limit)-w.reserve-k.sent)
	}
	return left
}

// creditReady returns when n more may go on credit.
func (w *window) creditReady(k *Limiter, now instant, n int64) instant {
	shared, left := w.contention.Others(now), w.left(k, now)
	if !w.credited || left < n {
		return never
	}
	if shared {
		if v := w.view(k, now); w.contention.Stale(&v) {
			return max(now, k.lastSent+k.rtt.Patience())
		}
	}
	return now
}

// reach is how far the log looks back: the window, and the time by which one
// request may travel longer than another.
func (w *window) reach(k *Limiter) instant { return w.length.Value + k.rtt.SlackWithin(w.length.Value) }

// opens returns when a probe makes sense: after the reset, or when a refusal bade
// the client come back, or, if nothing at all is known of the window's time, after a
// while that the last probes taught.
func (w *window) opens(k *Limiter) instant {
	at := never
	switch {
	case w.resetKnown:
		at = w.reset.Latest - w.coarse.Early()
	case w.length.Value == 0 || w.limit <= 0 || w.resets.Mislead(k.heard):
		at = k.lastSent + w.probe.Blind.Next()
	}
	if bidden := w.probe.Bidden(); bidden > 0 {
		at = min(at, bidden)
	}
	return at
}

// probeReady returns when a probe may go.
func (w *window) probeReady(k *Limiter, now instant) instant {
	if w.kind.Regains() && w.probe.Bidden() == 0 {
		return never // what opens is known without trying, and is spent already
	}
	at := w.opens(k)
	if w.contention.Others(now) && at != never {
		at += w.contention.Delay()
	}
	if w.probe.Bidden() == 0 && !w.kind.CounterExcluded() && w.phase.Settled() == 0 && w.coarse.Early() == 0 {
		v := w.view(k, max(at, now))
		at = min(max(at, w.kind.CounterReady(&v.View, 1)), w.phase.Patience(w.limit, w.length.Told, at))
	}
	return w.probe.InTurn(at, w.limit, w.length.Value, &k.rtt)
}

// undecided reports whether a window of the given length is so short, or its limit so small, that responses
// leave open whether all of a wait is needed.
func (w *window) undecided(k *Limiter, length instant) bool {
	return probe.Short(length) || w.limit == 1 && len(k.windows) == 1
}

// blind reports whether what is told of the reset of a window of one request is so little that the
// time between two requests tells more.
func (w *window) blind(k *Limiter) bool {
	return !w.resetKnown || w.limit == 1 && len(k.windows) == 1 && !w.length.Told && w.length.Value <= blindLength && w.coarse.Step() >= second/2
}

// blindLength is the longest such window.
const blindLength = 5 * second

// rolls reports whether w seems to roll, by resets of which not even the length of the window is known. Several servers
// that count apart, or a bucket, seem to as well.
func (w *window) rolls(now instant) bool {
	return !w.length.Told && (w.phase.Failed() || w.kind.Rolls()) && !w.contention.Replicas(now) && !w.kind.Windowless()
}

// eagerReady returns when n more may go where they may surely go at safe.
func (w *window) eagerReady(k *Limiter, now instant, n int64, safe instant) instant {
	length, rolls := w.length.Value, w.rolls(now)
	if shortest := w.length.Shortest(); rolls && (probe.Short(length) || length < 2*shortest) {
		length = shortest
	}
	if n > 1 || !w.resetKnown || !w.undecided(k, length) || k.arrived() == 0 ||
		w.phase.Settled() > 0 || w.contention.Others(now) || w.kind.Regains() || w.probe.Bidden() > 0 {
		return safe
	}
	soon, leaves := w.reset.Earliest, w.history.FallsTo(w.limit-w.reserve-n)+length+k.rtt.SlackWithin(length)
	switch {
	case w.blind(k):
		return min(safe, max(now, k.lastSent+w.probe.Blind.Between(soon-k.lastSent, safe-k.lastSent)))
	case w.length.Told:
		if soon = min(leaves, k.arrived()+length); w.limit == 1 {
			soon = min(soon, w.reset.Latest)
			w.eager.Begin()
		}
	case rolls:
		soon = max(soon, leaves)
	case w.limit == 1 && safe-w.reset.Latest > length/4: // it would wait for a second window
		soon = w.reset.Latest
		w.eager.Begin()
	}
	return w.eager.Ready(now, soon, safe, k.lastSent, length)
}
