package queue

import "time"

const (
	// delaySamples is how many answers it takes to trust what was learned of delays. Of that many
	// samples the range exceeds four fifths of the true one in 99 cases of 100, whatever the end of
	// the way on which the delay arises.
	delaySamples = 32
	// delayEpoch is how many answers are remembered at least; at most twice as many are.
	delayEpoch = 256
	// maxDelay is the most that is believed. A request that is on the way longer was most likely
	// counted by the server long ago, and keeps its connection for another reason.
	maxDelay = 5 * time.Second
)

// delay learns by how much the times differ that requests need to the server. Only round trips can be
// seen; their range is at least that of the way there, once enough were seen.
type delay struct {
	n               int32
	low, high       time.Duration // of this epoch
	oldLow, oldHigh time.Duration // of the one before
	hasOld          bool
}

func (d *delay) sample(took time.Duration) {
	took = max(took, 0)
	if d.n > 0 && d.n%delayEpoch == 0 {
		d.oldLow, d.oldHigh, d.hasOld = d.low, d.high, true
		d.low, d.high = took, took
	}
	if d.n == 0 {
		d.low = took
	}
	d.low, d.high = min(d.low, took), max(d.high, took)
	if d.n++; d.n == 1<<30 {
		d.n = delayEpoch
	}
}

// spread returns by how much delays differ, with a quarter added for what was not seen yet. It reports
// false if too few were.
func (d *delay) spread() (time.Duration, bool) {
	low, high := d.low, d.high
	if d.hasOld {
		low, high = min(low, d.oldLow), max(high, d.oldHigh)
	}
	if d.n < delaySamples {
		return min(high, maxDelay), false
	}
	return min((high-low)*5/4, maxDelay), true
}
