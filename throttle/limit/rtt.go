package limit

import (
	"math"
	"time"
)

const (
	// delaySamples is how many responses are needed for an estimate. The range of so many samples exceeds
	// four fifths of the true range in 99 cases of 100, whichever way the delay arises.
	delaySamples = 32
	// delayEpoch is how many responses an estimate covers at the least; at most it covers twice as many.
	delayEpoch = 256
	// maxDelay is the longest delay that counts. The server has most likely counted a slower request long
	// ago, and takes its time for another reason.
	maxDelay = 5 * time.Second
	// longAnswer bounds a sample, so that microseconds fit an int32.
	longAnswer = 30 * time.Minute
)

// An rtt estimates how long requests take to the server, from round trips. With enough samples, the range of
// round trips is at least that of the way there; and a request whose round trip took longer than the shortest
// was on its way there at most that much longer than the fastest. Times are microseconds, to save memory:
// each limit of each key has an rtt.
type rtt struct {
	n               uint16 // samples; after the largest number, n goes back to an epoch
	sure            uint16 // samples since one was faster than the estimate allows
	low, high       int32  // of this epoch
	oldLow, oldHigh int32  // of the one before
	mean, oldMean   float32
	trend           float32 // how much the mean fell from epoch to epoch; 0 if it rose
	floor           int32   // what least returns
}

// sample notes how long an answer took. It reports whether that is possible: no answer comes before the
// least time, unless the way has become shorter, or the caller gave up and there was no answer.
func (d *rtt) sample(took time.Duration) bool {
	took = min(max(took, 0), longAnswer)
	low := int32(took / time.Microsecond)
	high := int32((took + time.Microsecond - 1) / time.Microsecond)
	possible := low >= d.floor
	if !possible {
		d.sure = 0
	}
	if d.n == 0 {
		d.low = low
	}
	if d.n > 0 && d.n%delayEpoch == 0 {
		if d.n > delayEpoch {
			d.trend = max(0, d.oldMean-d.mean)
		}
		d.oldLow, d.oldHigh, d.oldMean = d.low, d.high, d.mean
		d.low, d.high, d.mean = low, high, 0
	}
	d.low, d.high = min(d.low, low), max(d.high, high)
	d.mean += (float32(low) - d.mean) / float32(d.n%delayEpoch+1)
	if d.n++; d.n == 1<<15 {
		d.n = delayEpoch
	}
	d.sure = min(d.sure+1, 2*delayEpoch)
	d.setFloor()
	return possible
}

// setFloor works out the least time, with a margin for answers that are faster than any before. The
// least of n samples lies above what is possible by about the mean excess over the root of n, where
// both ways vary evenly, and by less where only one does. The factors make a faster answer than floor
// one in a million, except where delays thin out so gently towards their least that it is never met.
// Where answers become faster by and by, the margin grows by as much as they do in an epoch.
func (d *rtt) setFloor() {
	d.floor = 0
	if d.sure < delaySamples {
		return
	}
	low, _ := d.bounds()
	n, mean := float64(d.n), float64(d.mean)
	if d.n > delayEpoch {
		n = float64((d.n-1)%delayEpoch + 1)
		mean = (n*mean + delayEpoch*float64(d.oldMean)) / (n + delayEpoch)
		n += delayEpoch
	}
	n = min(n, float64(d.sure))
	margin := (mean-float64(low))*(5/math.Sqrt(n)+8/n) + float64(d.trend)
	d.floor = int32(max(0, float64(low)-margin))
}

// bounds returns the extremes of the current and the last epoch.
func (d *rtt) bounds() (low, high int32) {
	if d.n <= delayEpoch {
		return d.low, d.high
	}
	return min(d.low, d.oldLow), max(d.high, d.oldHigh)
}

// least returns a time that every response takes; 0 until it is known.
func (d *rtt) least() time.Duration { return time.Duration(d.floor) * time.Microsecond }

// seen returns the shortest round trip, in nanoseconds.
func (d *rtt) seen() int64 {
	low, _ := d.bounds()
	return int64(low) * int64(time.Microsecond)
}

// spread returns by how much delays differ, plus a quarter for delays not seen yet. It returns false if there
// are too few samples.
func (d *rtt) spread() (time.Duration, bool) {
	low, high := d.bounds()
	t := time.Duration(high-low) * time.Microsecond
	return min(t*5/4, maxDelay), d.n >= delaySamples
}

// allow returns how much later than the fastest request one in flight may arrive, if it matters for so long
// after its arrival. If its response is late, it is slower than all before, by an unknown time.
func (d *rtt) allow(q *Quota, matters int64) int64 {
	if q.fixed {
		return int64(q.slack)
	}
	spread, known := d.spread()
	if !known || matters >= int64(d.least()) {
		return int64(maxDelay)
	}
	return int64(spread)
}

// look returns when to look next at a request sent at a time and not answered, which stops to matter so
// long after its arrival. Its answer will most likely bring news before that. If it is late, it is
// looked for ever more seldom.
func (d *rtt) look(now, sent, allow, matters int64) int64 {
	last := sent + allow + matters
	if allow < int64(maxDelay) {
		return last
	}
	at := sent + matters
	if at <= now {
		at = now + max((now-sent)/2, int64(time.Millisecond))
	}
	return min(at, last)
}
