package phase

import "github.com/forbear-go/forbear/throttle/internal/clock"

const (
	// farOpenings is how many times a window has to have opened until it is known to be short.
	farOpenings = 4
	// A window is far if a round trip takes more than 18 parts in 32 of it, and vague if one takes more than five.
	farParts, farSpan, vagueSpan = 32, 18, 5
)

// Far reports whether a window is so short beside a round trip that what responses say of it is over
// when they come, whether they tell a reset in long steps or not. span is as much as responses have
// told of its length; was is what Far reported before.
func (p *Estimator) Far(span clock.Instant, rtt *clock.RTT, was bool) bool {
	if !was && p.seen < farOpenings {
		return false
	}
	return takes(min(rtt.Mean, 2*rtt.Low()), farSpan, span, rtt)
}

// Vague reports whether most round trips take so much of a window that responses say little of what a server counts
// that weighs the last one.
func Vague(span clock.Instant, rtt *clock.RTT) bool { return takes(rtt.Low(), vagueSpan, span, rtt) }

// takes reports whether a round trip takes so many parts of a window.
func takes(trip, parts, span clock.Instant, rtt *clock.RTT) bool {
	return farParts*trip >= parts*max(span-rtt.WasShortest, clock.Second)
}
