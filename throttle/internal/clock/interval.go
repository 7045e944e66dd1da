// Package clock holds time as package throttle sees it: instants of the local clock,
// intervals in which a moment lies that is not known exactly, the clock of a server, round
// trips, and the lengths of windows. It imports package header and nothing else of this
// module.
package clock

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"
)

// An Instant is a moment on the monotonic clock of the process: nanoseconds
// since a Limiter was made.
type Instant int64

// Never is later than every instant: no moment is known.
const Never Instant = math.MaxInt64

// Lengths of time.
const (
	Millisecond Instant = 1e6
	Second      Instant = 1e9
)

// Farthest bounds the times that are reckoned with, so that sums of a few of them
// do not overflow. It is further away than any caller waits for.
const Farthest Instant = 1 << 60

// Bounded returns a time that servers or programs gave, within bounds.
func Bounded(d time.Duration) Instant { return min(max(Instant(d), -Farthest), Farthest) }

// Times returns n times d, or farthest if that is less. Neither may be negative.
func Times(d Instant, n int64) Instant {
	high, low := bits.Mul64(uint64(max(d, 0)), uint64(max(n, 0)))
	if high > 0 || low > uint64(Farthest) {
		return Farthest
	}
	return Instant(low)
}

// An Interval is a moment known only within bounds. What a server tells of time
// is rounded, by a clock that is not ours, and took an unknown time to get
// here; what it told before narrows what it tells next.
type Interval struct {
	Earliest, Latest Instant
}

// Between returns the interval from earliest to latest.
func Between(earliest, latest Instant) Interval { return Interval{earliest, latest} }

// Meets reports whether both may be the same moment.
func (i Interval) Meets(o Interval) bool {
	return i.Earliest <= o.Latest && o.Earliest <= i.Latest
}

// Width returns how far the bounds lie apart.
func (i Interval) Width() Instant { return i.Latest - i.Earliest }

// Middle returns the moment halfway between the bounds.
func (i Interval) Middle() Instant { return i.Earliest + i.Width()/2 }

// Intersect returns what is left when both are the same moment. It must only
// be asked of intervals that meet.
func (i Interval) Intersect(o Interval) Interval {
	return Interval{max(i.Earliest, o.Earliest), min(i.Latest, o.Latest)}
}

// Jitter returns a random time of at most the given one.
func Jitter(random *rand.PCG, most Instant) Instant {
	return Instant(random.Uint64() % uint64(max(most, 0)+1))
}
