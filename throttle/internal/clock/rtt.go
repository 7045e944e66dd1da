package clock

// An RTT follows the round trips of one key. What counts is their spread: a
// request may reach the server that much earlier or later, compared with
// another, than it left.
type RTT struct {
	shortest, longest       Instant // of this period
	WasShortest, WasLongest Instant // of this and the last period
	Mean, deviation         Instant // smoothed, as in RFC 6298, section 2
	samples                 int
	low                     Instant // one that few of the recent ones are shorter than
}

// How fast the low round trip follows the others: quickly down, slowly up, and upwards by a part
// of itself at the most, so that slow responses do not raise it.
const (
	lowDown = 8
	lowUp   = 64
	lowFew  = 16 // so many are averaged at first
	// travelFew is how many round trips tell how long requests travel.
	travelFew = 8
	// stall is how long a busy computer may keep a request from going out.
	stall = 25 * Millisecond
)

// latencyPeriod is how many round trips an extreme one is remembered for, at
// least; at most it is twice as many.
const latencyPeriod = 256

// latencyFew is how many round trips it takes to believe in their spread.
const latencyFew = 32

// Observe takes in one round trip.
func (l *RTT) Observe(trip Instant) {
	if l.samples == 0 {
		*l = RTT{shortest: trip, longest: trip, WasShortest: trip, WasLongest: trip, Mean: trip, deviation: trip / 4, samples: 1, low: trip}
		return
	}
	if l.samples%latencyPeriod == 0 {
		l.WasShortest, l.WasLongest = l.shortest, l.longest
		l.shortest, l.longest = trip, trip
	}
	l.samples++
	l.follow(trip)
	l.shortest, l.longest = min(l.shortest, trip), max(l.longest, trip)
	l.WasShortest, l.WasLongest = min(l.WasShortest, trip), max(l.WasLongest, trip)
	difference := trip - l.Mean
	l.deviation += (max(difference, -difference) - l.deviation) / 4
	l.Mean += difference / 8
}

// Slack returns the spread to allow for: that of the round trips seen, but
// not more than a usual one (one answer that took half a minute to compute says
// nothing about how long requests travel), and more while few are known.
func (l *RTT) Slack() Instant {
	spread := min(l.Usual(), l.WasLongest) - l.WasShortest
	few := l.low * Instant(max(0, latencyFew-l.samples)) / latencyFew
	return min(spread, max(2*l.low, stall)) + few + l.low/16 + 2*Millisecond
}

// SlackWithin returns the spread to allow for at a window of the given length: not more than that.
// Responses that take longer than a window were slow in the making; had requests been so long on
// their way, nobody could keep to the window.
func (l *RTT) SlackWithin(length Instant) Instant { return min(l.Slack(), length) }

// follow moves the low round trip.
func (l *RTT) follow(trip Instant) {
	switch {
	case trip < l.low:
		l.low -= (l.low - trip) / lowDown
	case l.samples <= lowFew:
		l.low += (trip - l.low) / Instant(l.samples)
	default:
		l.low += min(trip-l.low, l.low) / lowUp
	}
}

// Low returns a round trip that few of the recent ones are shorter than.
func (l *RTT) Low() Instant { return l.low }

// Travel returns a time after which a request has arrived. How long most responses take bounds how long
// requests are on their way: a response that takes many times as long was slow in the making. Travel
// returns Never if few round trips are known, and a second at least, because a server may keep requests
// waiting before it counts them.
func (l *RTT) Travel() Instant {
	if l.samples < travelFew {
		return Never
	}
	return max(4*l.low+10*Millisecond, Second)
}

// Way returns how much earlier or later than it was sent a request may have arrived.
func (l *RTT) Way() Instant { return min(l.Usual(), l.Travel()) }

// Usual returns a round trip that few are longer than.
func (l *RTT) Usual() Instant { return l.Mean + 4*l.deviation }

// mostPatient is the longest patience, whatever the round trips.
const mostPatient = 5 * 60 * Second

// Patience returns how long an answer may take before it is no longer worth
// waiting for it alone.
func (l *RTT) Patience() Instant { return min(max(Second, 2*l.Usual()), mostPatient) }
