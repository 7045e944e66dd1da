package throttle

// A rollingDetector says how far the log of our own requests explains what a server counts.
// A log of the requests within the window's length is as strict as any fixed
// window, log or bucket of the same limit, but it knows nothing of what others
// spend, nor of weighed windows. So it is refuted by each response that counted
// more than it did, and proved by a server whose reset follows it.
type rollingDetector struct {
	refutedUntil instant
	refuted      int     // how often in turn, each time after the last should have been over
	since        instant // when it was refuted last, of these
	followed     int     // how often in turn the reset was that of our oldest request, or the newest
	request      instant // that request, the last time
}

// proof is how many of our requests in turn a reset must have followed.
const proof = 3

func (t *rollingDetector) proved() bool { return t.followed >= proof }

// refute distrusts the log until the given instant, when what it does not know of
// will have left the window.
func (t *rollingDetector) refute(until instant) { *t = rollingDetector{refutedUntil: until} }

// doubt distrusts the log for a while of the given length, and for twice as long each time
// that it turns out to be wrong again after that: then the length of the window may be wrong.
func (t *rollingDetector) doubt(now, reach instant) {
	if t.refuted > 0 && now < t.since+reach {
		t.refutedUntil = max(t.refutedUntil, now+reach)
		t.followed = 0
		return
	}
	t.refuted = min(t.refuted+1, rollingDoubts)
	*t = rollingDetector{refutedUntil: now + reach<<(t.refuted-1), refuted: t.refuted, since: now}
}

// rollingDoubts bounds how often that time doubles.
const rollingDoubts = 8

// observe holds a response against the log. It returns how many the log says are
// left, at least.
func (t *rollingDetector) observe(w *window, k *Limiter, now instant, ticket *Reservation, remaining int64, reset interval, resetTold bool) int64 {
	reach := w.reach(k)
	logged := w.limit - w.history.after(ticket.at-reach)
	if remaining < logged {
		t.doubt(now, reach)
		return logged
	}
	if now >= t.since+reach {
		t.refuted = 0
	}
	if resetTold && !t.proved() && now >= t.refutedUntil {
		t.follow(w, k, now, ticket, reset)
	}
	return logged
}

// follow checks whether the reset is that of our oldest request in the window, or of the
// newest, while it forgot older ones. Where windows merely begin with our first request,
// it moves by whole lengths.
func (t *rollingDetector) follow(w *window, k *Limiter, now instant, ticket *Reservation, reset interval) {
	request := w.history.firstAfter(ticket.at - w.length.value)
	if request == never {
		return
	}
	slack := k.rtt.slack()
	leaves := interval{request + w.length.value - slack, request + w.length.value + slack + k.rtt.mean}
	if !leaves.meets(reset) && w.history.between(ticket.at-2*w.length.value, ticket.at-w.reach(k)) > few {
		request = ticket.at
		leaves = interval{request + w.length.value, now + w.length.value}
	}
	blur := reset.width() + leaves.width()
	if !leaves.meets(reset) || blur > w.length.value/8 {
		t.followed = 0
		return
	}
	moved := request - t.request
	switch {
	case t.followed == 0 || moved > w.length.value*9/10:
		t.followed, t.request = 1, request
	case moved > blur:
		t.followed, t.request = t.followed+1, request
	}
}
