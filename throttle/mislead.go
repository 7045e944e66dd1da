package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A misleads counts how often a window had opened long before its reset, as the server told
// it: in another time zone, or by a clock that is wrong. Then resets are not believed for a
// while, and probes find out when the window opens.
type misleads struct {
	times int
	until instant // resets are not believed before this
}

const (
	misledTimes = 2
	misledAhead = 60 * second // how long before the reset a window was open
	misledFor   = 60 * 60 * second
)

// misled reports whether the resets of w are not believed, as of the newest response.
func (w *window) misled(k *Limiter) bool { return w.misleads.until > k.heard }

// reopen takes in that so many remain although nothing was left, so long ahead of the reset. If
// all came back, and much of it was spent so lately that even a window that rolls would count it
// until the reset, the reset is wrong.
func (w *window) reopen(now, ahead instant, remaining int64) {
	if ahead <= misledAhead || remaining < w.limit-w.limit/8-1 || w.history.After(now-ahead) < w.limit/2 {
		return
	}
	m := &w.misleads
	if m.times++; m.times >= misledTimes {
		m.until = now + misledFor
		w.resetKnown, w.probe.blind = false, blindness{}
		if !w.length.Told {
			w.length = clock.Length{} // it was inferred from them
		}
	}
}

// Misled reports whether the server tells resets that are wrong, as windows showed that opened long
// before them. A wait that a refusal names by a reset, and not by itself, is wrong then, too.
func (k *Limiter) Misled() bool {
	for i := range k.windows {
		if k.windows[i].misled(k) {
			return true
		}
	}
	return false
}
