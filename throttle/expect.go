package throttle

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// An expectation is what the next responses say of a window if nothing happens but the
// requests of this client.
type expectation struct {
	until     instant // it holds for responses that arrive before this
	limit     float64
	remaining float64
	reset     header.Reset
	answered  int64 // requests that the server had surely counted in remaining
}

// expectFor is how long an expectation holds. A server's limits do not change so fast, and
// what responses tell within this time narrows nothing.
const expectFor = instant(time.Millisecond)

// expectLeft is how much must remain for an expectation. With less, a response more that is
// learned from costs nothing that a program could notice, for there are so few.
const expectLeft = 10_000

// expect notes what a response said of the window.
func (w *window) expect(now instant, t *Reservation, said *header.Window, refused bool) {
	w.expected = expectation{}
	if refused || w.limit <= 0 || w.units != nil || w.concurrent || !w.credited || w.belief.empty || w.belief.beyond ||
		w.bucket.recognised || w.contention.others(now) || w.replicas.until > now || !said.Limit.Known() || !said.Remaining.Known() || !said.Reset.Known() {
		return
	}
	w.expected = expectation{
		until: now + expectFor, limit: said.Limit.Value, remaining: said.Remaining.Value, reset: said.Reset, answered: t.answered,
	}
}

// meets reports whether a response tells nothing new of the window: what it says remains is
// explained by the requests of this client alone, and is so much that no request is held back.
func (w *window) meets(k *Limiter, now instant, said *header.Window) bool {
	e := &w.expected
	if now >= e.until || w.probe.number != 0 || !w.matches(said) {
		return false
	}
	left := said.Remaining.Value
	change := max(e.remaining-left, left-e.remaining)
	return said.Remaining.Known() && said.Limit.Value == e.limit && said.Reset == e.reset &&
		change <= float64(k.sent-e.answered) && left >= expectLeft && 2*left > e.limit && left > float64(w.threshold+w.reserve)
}

// note takes in a response that tells nothing new: what remains, and how much credit that is.
func (w *window) note(k *Limiter, now instant, t *Reservation, said *header.Window) {
	remaining := int64(said.Remaining.Value)
	if bound := t.answered + t.cost + remaining; bound >= w.grantedThrough {
		w.grantedThrough, w.raised = bound, k.sent
	}
	if s := &w.contention; t.number > s.newest {
		s.newest, s.heard, s.left = t.number, now, remaining
	}
}

// expects reports whether a response that was no refusal says of all windows what was expected.
// Then it is noted, and there is nothing to learn from it.
func (k *Limiter) expects(now instant, t *Reservation, r *header.Reading) bool {
	if len(r.Windows) != len(k.windows) || r.Refused || len(k.edges) > 0 || k.estimator != nil {
		return false
	}
	for i := range k.windows {
		if !k.windows[i].meets(k, now, &r.Windows[i]) {
			return false
		}
	}
	for i := range k.windows {
		k.windows[i].note(k, now, t, &r.Windows[i])
	}
	return true
}
