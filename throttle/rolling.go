package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A rollingDetector says how far the log of our own requests explains what a server counts.
// A log of the requests within the window's length is as strict as any fixed
// window, log or bucket of the same limit, but it knows nothing of what others
// spend, nor of weighed windows. So it is refuted by each response that counted
// more than it did, and proved by a server whose reset follows it.
type rollingDetector struct {
	refutedUntil instant
	followed     int     // how often in turn the reset was that of our oldest request, or the newest
	request      instant // that request, the last time
}

// proof is how many of our requests in turn a reset must have followed.
const proof = 3

func (t *rollingDetector) proved() bool { return t.followed >= proof }

// refute distrusts the log until the given instant, when what it does not know of
// will have left the window.
func (t *rollingDetector) refute(until instant) { *t = rollingDetector{refutedUntil: until} }

// observe holds a response against the log. It returns how many the log says are
// left, at least.
func (t *rollingDetector) observe(w *window, k *Limiter, now instant, ticket *Reservation, remaining int64, reset interval, resetTold bool) int64 {
	reach := w.reach(k)
	logged := w.limit - w.history.After(ticket.at-reach)
	switch {
	case remaining < logged:
		t.refute(now + reach)
	case resetTold && !t.proved() && now >= t.refutedUntil:
		t.follow(w, k, now, ticket, reset)
	}
	return logged
}

// follow checks whether the reset is that of our oldest request in the window, or of the
// newest, while it forgot older ones. Where windows merely begin with our first request,
// it moves by whole lengths.
func (t *rollingDetector) follow(w *window, k *Limiter, now instant, ticket *Reservation, reset interval) {
	request := w.history.FirstAfter(ticket.at - w.length.Value)
	if request == never {
		return
	}
	slack := k.rtt.Slack()
	leaves := clock.Between(request+w.length.Value-slack, request+w.length.Value+slack+k.rtt.Mean)
	if !leaves.Meets(reset) && w.history.Between(ticket.at-2*w.length.Value, ticket.at-w.reach(k)) > few {
		request = ticket.at
		leaves = clock.Between(request+w.length.Value, now+w.length.Value)
	}
	blur := reset.Width() + leaves.Width()
	if !leaves.Meets(reset) || blur > w.length.Value/8 {
		t.followed = 0
		return
	}
	moved := request - t.request
	switch {
	case t.followed == 0 || moved > w.length.Value*9/10:
		t.followed, t.request = 1, request
	case moved > blur:
		t.followed, t.request = t.followed+1, request
	}
}
