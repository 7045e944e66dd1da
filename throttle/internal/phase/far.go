package phase

import "github.com/forbear-go/forbear/throttle/internal/clock"

const (
	// farOpenings is how many times a window has to have opened until it is known to be short.
	farOpenings = 4
	// A window is far if a round trip takes more than nine sixteenths of it.
	farTrip, farSpan = 16, 9
)

// Far reports whether a window is so short beside a round trip that what responses say of it is over
// when they come, whether they tell a reset in long steps or not. span is as much as responses have
// told of its length; was is what Far reported before.
func (p *Estimator) Far(span clock.Instant, rtt *clock.RTT, was bool) bool {
	if !was && p.seen < farOpenings {
		return false
	}
	return farTrip*min(rtt.Mean, 2*rtt.Low()) >= farSpan*max(span-rtt.WasShortest, clock.Second)
}
