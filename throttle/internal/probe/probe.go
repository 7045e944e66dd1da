// Package probe decides when to try a window of which it is not known exactly when it opens.
//
// A [Probe] is the request that tries: there is one at a time, and the others wait for its
// response. What its response teaches about when the next one should go is in a file for each
// sort of ignorance: [Blind] where the server tells no reset, [Coarse] where it tells one to the
// minute, and [Eager] where it leaves open whether a short wait is needed. None of them knows
// anything of the others, or of the window: start with whichever you look for.
//
// The package imports nothing of this module but package clock.
package probe

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Probe is a request that was sent without knowing that the window is open, to see what
// comes back. There is one at a time.
type Probe struct {
	Blind Blind // when it goes where no reset is told

	number int64 // of the request under way; 0 is none
	sent   clock.Instant
	bidden clock.Instant // when a refusal asked to come back, which may be before the reset; 0 is never
	bade   clock.Instant // that of the request under way
}

// Send notes that the request with this number is one; last is when the last request went.
func (p *Probe) Send(now, last clock.Instant, number int64) {
	p.Blind.Send(now - last)
	p.number, p.sent = number, now
	p.bade, p.bidden = p.bidden, 0
}

// AnsweredBy reports whether the response to the request with this number is that to the probe
// under way, or one as good.
func (p *Probe) AnsweredBy(number int64) bool { return p.number != 0 && number >= p.number }

// Answer takes in that a response to the request with this number tells of the window. It
// reports whether that is the response to a probe that a refusal asked for.
func (p *Probe) Answer(number int64) (bidden bool) {
	bidden = p.bade > 0 && p.AnsweredBy(number)
	p.bade = 0
	return bidden
}

// Conclude notes that the request with this number is no longer under way.
func (p *Probe) Conclude(number int64) {
	if p.AnsweredBy(number) {
		// Unless the answer spoke of this window, the next may go as this one did.
		p.number, p.bidden, p.bade = 0, p.bade, 0
	}
}

// Bid notes that a refusal asked to come back at the given time.
func (p *Probe) Bid(at clock.Instant) { p.bidden = at }

// Bidden returns when a refusal asked to come back; 0 is never.
func (p *Probe) Bidden() clock.Instant { return p.bidden }

// InTurn returns when the next probe may go, which makes sense at the given time: after the
// response to the one under way, or when that is too long in coming. A window of which the limit and the
// length are known lets another one go then, whatever the response to the last.
func (p *Probe) InTurn(at clock.Instant, limit int64, length clock.Instant, rtt *clock.RTT) clock.Instant {
	if p.number == 0 {
		return at
	}
	patience := rtt.Patience()
	if limit > 0 && length > 0 {
		often := max(length/clock.Instant(limit), rtt.Travel())
		patience = min(patience, often, length+rtt.SlackWithin(length))
	}
	return max(at, p.sent+patience)
}
