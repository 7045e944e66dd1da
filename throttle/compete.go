package throttle

import (
	"math"

	"github.com/forbear-go/forbear/throttle/header"
)

// competes reports whether other clients spend the window who take what they can. Beside them
// nothing is gained by waiting for longer than they do.
func (w *window) competes(now instant) bool {
	return w.resetKnown && w.length.Value >= competeLeast && (w.spread(now) || w.contention.Competes(now))
}

// competeLeast is the shortest length of which responses tell which window they are of. They
// overtake each other, and a reset in whole seconds leaves open which of two it ends.
const competeLeast = 5 * second

// spread reports whether several servers count apart, and how many they are is known. Then others
// cannot be told from servers that counted more than the one before. Without a reset no response
// tells since when a server counts.
func (w *window) spread(now instant) bool {
	return w.resetKnown && w.length.Value >= competeLeast && w.contention.Replicas(now) &&
		!w.kind.Regains() && !w.kind.Moves() && w.contention.ReplicasNumber(w.limit) > 1
}

// competeReady returns when n more may go beside clients that take what they can: at once while
// what is left allows for it, and, when the window opens, up to half of the limit before any
// response tells what is left then. By that it would all be spent.
func (w *window) competeReady(k *Limiter, now instant, n int64) instant {
	if w.kind.Emission() > 0 && !w.spread(now) {
		v := w.view(k, now)
		at, _ := w.contention.Ready(&v, n)
		return at
	}
	if w.credited && w.left(k, now) >= n {
		return now
	}
	at, all := w.competeOpens(k)
	since := at - 1
	if w.kind.Rolls() {
		since = now - w.length.Value
	}
	switch {
	case at > now:
		return at
	case all && w.history.After(since)+n <= w.half(now):
		return now
	}
	return w.probe.InTurn(at, w.limit, w.length.Value, &k.rtt)
}

// half returns how many may go into a window that has opened before a response tells of it.
func (w *window) half(now instant) int64 {
	limit := float64(w.limit - w.reserve + 1)
	if w.spread(now) {
		limit *= w.contention.ReplicasNumber(w.limit)
	}
	return int64(limit / 2)
}

// competeOpens returns when the window opens, and whether more than one may go then.
func (w *window) competeOpens(k *Limiter) (at instant, all bool) {
	told := w.told()
	if bidden := k.cooldown.until; bidden >= told {
		return bidden, true // as the server said
	}
	if one, more := w.contention.Early(); one {
		return told, more
	}
	return w.reset.Latest, true
}

// told returns the reset as it was told, at the latest: it may be earlier or later by the step of
// the notation.
func (w *window) told() instant {
	return max(w.reset.Latest-w.coarse.Step(), w.reset.Earliest)
}

// observeEarly takes in the reset that the response to a request tells that was sent then, if that
// was by the reset as it was told, although that may not have been the last of the window.
func (w *window) observeEarly(sent instant, reset interval, refused bool) {
	if !w.resetKnown || sent < w.told() || sent >= w.reset.Latest {
		return
	}
	if opened := reset.Earliest > w.reset.Latest; opened || refused || w.kind.Moves() {
		w.contention.TriedEarly(opened || !refused)
	}
}

// number returns which of the windows of the server's clock is the one that ends then.
func (w *window) number(k *Limiter, end instant) int64 {
	if w.length.Value <= 0 {
		return 0
	}
	at := float64(k.clock.Origin.UnixNano()) + float64(end)
	if k.clock.Known {
		at += float64(k.clock.Offset.Latest)
	}
	return int64(math.Round(at / float64(w.length.Value)))
}

// competed returns when a refusal is over that is because of a window that others spend who take
// what they can. Then the window tells when to come back, and no request waits for the response to
// another; beside those who empty a bucket none but the refused one waits for the time that it
// names.
func (k *Limiter) competed(r *header.Reading, now instant) (over instant, ok bool) {
	for i := range k.windows {
		w := &k.windows[i]
		if said := w.said(r); !w.competes(now) || said == nil || !w.emptied(said) {
			continue
		}
		if ok = true; w.kind.Emission() == 0 && !w.spread(now) {
			over = now + named(r)
		}
	}
	return over, ok
}
