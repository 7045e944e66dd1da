package throttle

import "math"

// A pace is a rate that a server was found to admit, and goes up from there until
// it is refused again: slowly while it is near what was refused, faster the longer
// nothing happens.
type pace struct {
	rate   float64 // a second, at the last refusal; 0 is not known
	proven int64   // requests that went at this pace since
	period float64 // how many of them raise it by the first part
	next   instant // when the next may go
}

const (
	paceRise   = 0.02  // the first part by which a pace rises
	paceBack   = 0.98  // what is left of a pace after a refusal
	paceBelow  = 0.995 // how much of a measured rate is believed
	paceNear   = 5     // a pace refused within so many periods is about right
	paceSure   = 20    // requests that make a measurement
	paceFirst  = 16    // requests of the first period, at most
	paceLatest = 200   // and of the last, at least; the share of refusals is about one in so many
)

// now returns the rate a second that is tried now.
func (p *pace) now() float64 {
	rise := math.Exp2(min(float64(p.proven)/p.period, 40)) - 1
	return p.rate * (1 + paceRise*rise)
}

// step returns the time between two requests.
func (p *pace) step() instant {
	if p.rate <= 0 {
		return 0
	}
	return instant(min(float64(second)/p.now(), float64(60*60*second)))
}

// send counts n more as sent at now.
func (p *pace) send(now instant, n int64) {
	if p.rate <= 0 {
		return
	}
	step := p.step()
	if now-p.next < 2*step {
		p.proven += n // it goes at this pace because it must
	}
	// One that comes late may be made up for.
	p.next = min(max(p.next, now-step)+times(step, n), now+longest)
}

// learn takes in that so many were admitted between two openings, or before the
// first one, which took so long.
func (p *pace) learn(admitted int64, took instant) {
	measured := float64(admitted) / (float64(max(took, millisecond)) / float64(second))
	if p.rate <= 0 || p.period < paceFirst {
		// The fewer were counted, the less it means, and the sooner more is tried.
		*p = pace{rate: measured, period: float64(min(max(admitted, 1), paceFirst))}
		return
	}
	if admitted >= paceSure {
		measured *= paceBelow
	}
	current := p.now()
	if float64(p.proven) < paceNear*p.period {
		p.period = min(2*p.period, max(paceLatest, 60*measured))
	}
	p.rate = max(min(current*paceBack, measured), current/8)
	p.proven = 0
}
