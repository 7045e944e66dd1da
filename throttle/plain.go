package throttle

import (
	"math"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/utility"
)

// short reports whether windows are over before much is known of them.
func (w *window) short() bool {
	return w.units == nil && !w.concurrent && w.length.Value > 0 && w.length.Value < competeLeast
}

// freely reports whether requests do not wait for w because nothing is gained by it: windows are so
// short that responses do not tell what others, or servers that count apart, spend of them.
func (w *window) freely(k *Limiter) bool { return w.short() && k.utility.Free(k.sent-k.answered) }

// unclear reports whether something speaks against w: nothing explains when what remains comes back, or
// each response tells the same whether the limit is one or not.
func (w *window) unclear(now instant) bool {
	return w.limit == 1 || w.phase.Failed() && w.contention.ReplicasSeen(now) &&
		!w.kind.Moves() && !w.kind.Rolls() && !w.kind.Regains()
}

// waitInVain takes in that a response tells of short windows. freed says that requests do not wait for them
// any longer.
func (k *Limiter) waitInVain(now instant, refused bool) {
	short := false
	for i := range k.windows {
		short = short || k.windows[i].short()
	}
	unclear := len(k.windows) == 1 && k.windows[0].unclear(now)
	switch {
	case !short:
	case refused:
		k.freed(now, k.utility.Refuse(now, k.epoch(now), unclear))
	default:
		k.freed(now, k.utility.Serve(k.epoch(now), unclear))
	}
}

// freed opens the key if requests no longer wait.
func (k *Limiter) freed(now instant, freed bool) {
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
			k.waitInVain(now, true)
			return k.utility.Free(0)
		}
	}
	return false
}
