package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A constancy notices that a window does not count the requests that are sent: the server says
// the same number remains after each, as from a cache, or for something else. What remains
// of a real limit falls, unless as much comes back at the same time, and how much may come
// back by the reset is known.
type constancy struct {
	remains int64         // after each of
	answers int64         // so many requests
	since   clock.Instant // the first of these was answered
	extra   int64         // requests that may go beyond what remains
}

const (
	// constancyAnswers is how many responses have to say the same for each doubling of extra,
	// beside constancyFaster times as many as may have come back.
	constancyAnswers = 16
	constancyFaster  = 2
	constancyMost    = 1 << 20
	// constancyGrain is the part of a window to which it is known when requests leave it.
	constancyGrain = 32
)

// observe takes in a response that tells when the window resets.
func (c *constancy) observe(o *Observation) {
	now, remaining, reset := o.Now, o.Remaining, o.Told.Earliest
	if remaining == 0 || remaining != c.remains || c.answers == 0 || reset <= now {
		*c = constancy{remains: remaining, answers: 1, since: now}
		return
	}
	c.answers++
	back := float64(o.Limit) * float64(now-c.since) / float64(reset-now) // of a bucket, or a window that rolls
	left, grain := now-o.Length, o.Length/constancyGrain
	back += float64(o.Log.Between(left-(now-c.since)-grain, left+grain))
	if float64(c.answers) > constancyAnswers+constancyFaster*back {
		c.answers, c.since = 1, now
		c.extra = min(2*c.extra+1, constancyMost)
	}
}
