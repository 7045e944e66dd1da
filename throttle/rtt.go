package throttle

// A rtt follows the round trips of one key. What counts is their spread: a
// request may reach the server that much earlier or later, compared with
// another, than it left.
type rtt struct {
	shortest, longest       instant // of this period
	wasShortest, wasLongest instant // of this and the last period
	mean, deviation         instant // smoothed, as in RFC 6298, section 2
	samples                 int
}

// latencyPeriod is how many round trips an extreme one is remembered for, at
// least; at most it is twice as many.
const latencyPeriod = 256

// latencyFew is how many round trips it takes to believe in their spread.
const latencyFew = 32

// observe takes in one round trip.
func (l *rtt) observe(trip instant) {
	if l.samples == 0 {
		*l = rtt{trip, trip, trip, trip, trip, trip / 4, 1}
		return
	}
	if l.samples%latencyPeriod == 0 {
		l.wasShortest, l.wasLongest = l.shortest, l.longest
		l.shortest, l.longest = trip, trip
	}
	l.samples++
	l.shortest, l.longest = min(l.shortest, trip), max(l.longest, trip)
	l.wasShortest, l.wasLongest = min(l.wasShortest, trip), max(l.wasLongest, trip)
	difference := trip - l.mean
	l.deviation += (max(difference, -difference) - l.deviation) / 4
	l.mean += difference / 8
}

// slack returns the spread to allow for: that of the round trips seen, but
// not more than a usual one (one answer that took half a minute to compute says
// nothing about how long requests travel), and more while few are known.
func (l *rtt) slack() instant {
	spread := min(l.usual(), l.wasLongest) - l.wasShortest
	few := l.mean * instant(max(0, latencyFew-l.samples)) / latencyFew
	return spread + few + l.mean/16 + 2*millisecond
}

// usual returns a round trip that few are longer than.
func (l *rtt) usual() instant { return l.mean + 4*l.deviation }

// mostPatient is the longest patience, whatever the round trips.
const mostPatient = 5 * 60 * second

// patience returns how long an answer may take before it is no longer worth
// waiting for it alone.
func (l *rtt) patience() instant { return min(max(second, 2*l.usual()), mostPatient) }
