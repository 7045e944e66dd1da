package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A rolling says how far the log of our own requests explains what a server counts.
// A log of the requests within the window's length is as strict as any fixed
// window, log or bucket of the same limit, but it knows nothing of what others
// spend, nor of weighed windows. So it is refuted by each response that counted
// more than it did, and proved by a server whose reset follows it.
type rolling struct {
	refutedUntil clock.Instant
	refuted      int           // how often in turn, each time after the last should have been over
	since        clock.Instant // when it was refuted last, of these
	followed     int           // how often in turn the reset was that of our oldest request, or the newest
	request      clock.Instant // that request, the last time
}

// forgets is how many older requests the reset must have left out to be that of the newest.
const forgets = 3

// proof is how many of our requests in turn a reset must have followed.
const proof = 3

func (t *rolling) proved() bool { return t.followed >= proof }

// refute distrusts the log until the given instant, when what it does not know of
// will have left the window.
func (t *rolling) refute(until clock.Instant) { *t = rolling{refutedUntil: until} }

// doubt distrusts the log for a while of the given length, and for twice as long each time
// that it turns out to be wrong again after that: then the length of the window may be wrong.
func (t *rolling) doubt(now, reach clock.Instant) {
	if t.refuted > 0 && now < t.since+reach {
		t.refutedUntil = max(t.refutedUntil, now+reach)
		t.followed = 0
		return
	}
	t.refuted = min(t.refuted+1, rollingDoubts)
	*t = rolling{refutedUntil: now + reach<<(t.refuted-1), refuted: t.refuted, since: now}
}

// rollingDoubts bounds how often that time doubles.
const rollingDoubts = 8

// observe holds a response against the log. It returns how many the log says are
// left, at least.
func (t *rolling) observe(o *Observation) int64 {
	reach := o.Reach()
	logged := o.Limit - o.Log.After(o.Sent-reach)
	if o.Remaining < logged {
		t.doubt(o.Now, reach)
		return logged
	}
	if o.Now >= t.since+reach {
		t.refuted = 0
	}
	if o.ResetTold && !t.proved() && o.Now >= t.refutedUntil {
		t.follow(o)
	}
	return logged
}

// follow checks whether the reset is that of our oldest request in the window, or of the
// newest, while it forgot older ones. Where windows merely begin with our first request,
// it moves by whole lengths.
func (t *rolling) follow(o *Observation) {
	request := o.Log.FirstAfter(o.Sent - o.Length)
	if request == clock.Never {
		return
	}
	slack := o.RTT.Slack()
	leaves := clock.Between(request+o.Length-slack, request+o.Length+slack+o.RTT.Mean)
	if !leaves.Meets(o.Told) && o.Log.Between(o.Sent-2*o.Length, o.Sent-o.Reach()) > forgets {
		request = o.Sent
		leaves = clock.Between(request+o.Length, o.Now+o.Length)
	}
	blur := o.Told.Width() + leaves.Width()
	if !leaves.Meets(o.Told) || blur > o.Length/8 {
		t.followed = 0
		return
	}
	moved := request - t.request
	switch {
	case t.followed == 0 || moved > o.Length*9/10:
		t.followed, t.request = 1, request
	case moved > blur:
		t.followed, t.request = t.followed+1, request
	}
}
