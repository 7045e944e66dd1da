package throttle

import (
	"math"
	"math/bits"
	"time"
)

// An instant is a moment on the monotonic clock of the process: nanoseconds
// since the throttle was made.
type instant int64

// never is later than every instant: no moment is known.
const never instant = math.MaxInt64

const (
	millisecond instant = 1e6
	second      instant = 1e9
)

// farthest bounds the times that are reckoned with, so that sums of a few of them
// do not overflow. It is further away than anybody waits for.
const farthest instant = 1 << 60

// bounded returns a time that servers or programs gave, within bounds.
func bounded(d time.Duration) instant { return min(max(instant(d), -farthest), farthest) }

// times returns n times d, or farthest if that is less. Neither may be negative.
func times(d instant, n int64) instant {
	high, low := bits.Mul64(uint64(max(d, 0)), uint64(max(n, 0)))
	if high > 0 || low > uint64(farthest) {
		return farthest
	}
	return instant(low)
}

// An interval is a moment known only within bounds. What a server tells of time
// is rounded, by a clock that is not ours, and took an unknown time to get
// here; what it told before narrows what it tells next.
type interval struct {
	earliest, latest instant
}

// meets reports whether both may be the same moment.
func (i interval) meets(o interval) bool {
	return i.earliest <= o.latest && o.earliest <= i.latest
}

// width returns how far the bounds lie apart.
func (i interval) width() instant { return i.latest - i.earliest }

// intersect returns what is left when both are the same moment. It must only
// be asked of intervals that meet.
func (i interval) intersect(o interval) interval {
	return interval{max(i.earliest, o.earliest), min(i.latest, o.latest)}
}
