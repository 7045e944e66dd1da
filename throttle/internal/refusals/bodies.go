package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// Bodies follows the responses whose bodies are not read to their end. A server counts a request as in
// flight until it has sent the whole response, which may be long after its header: a stream of tokens, an
// export, a long poll. So what explains refusals is looked for in both numbers, that of the requests without
// a response and that of these and the open bodies.
type bodies struct {
	open    int64
	log     concurrencyLog // as that of the requests in flight, with the open bodies
	n       int            // bodies that are over
	began   clock.Instant  // when the first of them began
	took    clock.Instant  // from sending a request to the end of its response, smoothed; 0 is not known
	longest clock.Instant  // of these
	ended   clock.Instant  // when the last body was over
}

const (
	// Bodies count only if responses take so many times as long with them.
	bodyLong = 2
	// A body that is not closed for so many times as long as usual, at least bodyPatience, may never be.
	bodyTimes    = 8
	bodyPatience = 30 * clock.Second
	bodySmooth   = 8
	// Bodies that were open when the first one was followed are over when so many are that came after
	// it, and so many times as long as one of these took has passed.
	bodiesFew   = 8
	bodiesTimes = 2
)

// Follows reports whether it is followed how many requests are in flight.
func (e *Estimator) Follows() bool { return e.inFlight != nil }

// BeginBody takes in that a response was received whose body is not read.
func (e *Estimator) BeginBody(t *Request) { e.inFlight.bodies.open += t.Cost }

// EndBody takes in that a body is over.
func (e *Estimator) EndBody(now clock.Instant, t *Request) {
	if e.inFlight == nil {
		return
	}
	b := &e.inFlight.bodies
	b.open = max(b.open-t.Cost, 0) // it may have been forgotten
	b.ended = now
	took := now - t.At
	if b.n++; b.n == 1 {
		b.took, b.began = took, t.At
	}
	b.took += (took - b.took) / bodySmooth
	b.longest = max(b.longest, took)
}

// settled reports whether all bodies that were open when a request was sent are counted.
func (b *bodies) settled(at clock.Instant) bool {
	return b.n >= bodiesFew && at > b.began+bodiesTimes*b.longest
}

// due returns when one more request may go though as many bodies are open as the limit allows.
func (b *bodies) due(v *View) clock.Instant {
	return max(b.ended, v.LastSent) + max(bodyTimes*b.took, bodyPatience)
}
