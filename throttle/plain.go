package throttle

import (
	"math"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/phase"
	"github.com/forbear-go/forbear/throttle/internal/utility"
)

// short reports whether windows are over before much is known of them.
func (w *window) short() bool {
	return w.counts() && w.length.Value > 0 && w.length.Value < competeLeast
}

// freely reports whether requests do not wait for w because nothing is gained by it: windows are so
// short that responses do not tell what others, or servers that count apart, spend of them.
func (w *window) freely(k *Limiter) bool { return w.utility.Free(k.sent-k.answered) && w.short() }

// unclear reports whether something speaks against w: what comes back is not a window, nor what comes back of
// one that rolls or refills, or each response tells the same whether the limit is one or not, and none was refused. Responses that are
// long in coming overtake each other, and say nothing.
func (w *window) unclear(k *Limiter, now instant) bool {
	if len(k.windows) > 1 || w.limit == 1 {
		return len(k.windows) == 1 && !w.trust.Confirmed()
	}
	return !w.vague(k) && w.phase.Failed() && w.contention.ReplicasSeen(now) && 2*k.rtt.Usual() < w.length.Value &&
		!w.kind.Moves() && !w.kind.Rolls() && !w.kind.Regains()
}

// gains takes in what became of a request that waited for w, or did not.
func (w *window) gains(k *Limiter, now instant, refused bool) {
	if w.utility == nil {
		w.utility = new(utility.Estimator)
	}
	var freed bool
	if refused {
		freed = w.utility.Refuse(now, k.epoch(now), w.unclear(k, now))
	} else {
		freed = w.utility.Serve(k.epoch(now), w.unclear(k, now))
	}
	if freed {
		k.cooldown.release(now)
	}
}

// epoch returns which of the epochs of the server's clock has begun, in which requests wait or do not.
func (k *Limiter) epoch(now instant) int64 {
	at := float64(k.clock.Origin.UnixNano()) + float64(now)
	if k.clock.Known {
		at += float64(k.clock.Offset.Latest)
	}
	return int64(math.Floor(at / float64(utility.Epoch)))
}

// alone reports whether a refusal of a short window concerns its own request alone, because nothing is gained
// if others wait.
func (k *Limiter) alone(now instant, r *header.Reading) bool {
	for i := range k.windows {
		w := &k.windows[i]
		if said := w.said(r); said != nil && w.short() && w.emptied(said) {
			w.gains(k, now, true)
			return w.utility.Free(0)
		}
	}
	return false
}

// tooShort reports whether w is too short beside a round trip for what responses say of it. Then requests are
// spread over windows, and refusals teach as where nothing is announced; or they alone say how many may go.
func (w *window) tooShort(k *Limiter, now instant) bool {
	if len(k.windows) > 1 || w.units != nil || w.limit <= 0 {
		return false
	}
	was := w.instead.On()
	if rate := w.instead.Turn(w.utility, w.vague(k)); rate > 0 {
		k.refusals.Begin(now, rate)
	}
	switch {
	case w.instead.On():
		return true
	case was:
		k.refusals.ForgetLimits()
	}
	switch {
	case w.kind.Emission() > 0:
		return false
	case w.length.Told:
		return w.span.FarTold(w.length.Value)
	}
	return (w.span.Settled(now) || !w.kind.Regains()) && w.phase.Far(now, w.longest(), w.span, &k.rtt, w.far)
}

// longest returns how long w is, of all that responses have told.
func (w *window) longest() instant {
	if w.length.Told {
		return w.length.Value
	}
	return w.length.Least - w.coarse.Step()
}

// vague reports whether responses come too late for a short window that does not open at once, such as one that
// weighs the last: how much the server counts varies all the time.
func (w *window) vague(k *Limiter) bool {
	varies := w.phase.Failed()
	if w.length.Told {
		varies = !w.kind.CounterExcluded()
	}
	return varies && w.kind.Jumps() && !w.kind.Regains() && w.short() && phase.Vague(w.longest(), &k.rtt)
}

// far reports whether the window of the key is too short beside a round trip.
func (k *Limiter) far() bool { return len(k.windows) == 1 && k.windows[0].far }

// leftBy returns the time until a reset, at least, by what the response says alone, however long it was on its
// way: the delay that it tells, or how far the reset is from its own date, which is in whole seconds.
func leftBy(r *header.Reading, said *header.Window) (left instant, ok bool) {
	if said.Reset.At.IsZero() {
		return clock.Bounded(said.Reset.In), true
	}
	return clock.Bounded(said.Reset.At.Sub(r.Date)) - second, !r.Date.IsZero()
}
