package adaptive

import (
	"math"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A limiter compares how long requests take, window by window, with how long they take
// under less load. A window is over when enough requests that began in it are done, so
// that it tells of the limit that held in it.
type limiter struct {
	limit.NoHooks

	config   *Config
	limit    float64
	inflight int
	seeking  bool // no window was slow yet, so that the limit doubles

	// base is how long requests take, in seconds, where load does not matter: as measured
	// in the last probe, or at the least limit. 0 is not known.
	base float64
	// Now and then a probe measures it again, with half the limit.
	probe   bool
	windows int // since the last probe

	// The window.
	start time.Time
	full  bool // the limit held requests back
	taken int  // requests that are done
	sum   float64

	last time.Time // a request was done
}

const (
	windowLeast = 10  // requests that make a window,
	windowShare = .5  // or this part of the limit
	probeEvery  = 20  // windows
	probeSoon   = 4   // windows, after one that found that less load is faster:
	lower       = .9  // in less than this part of the time
	probeShare  = .25 // of the limit: as far below that where it settles, load matters less
	outlier     = 8   // times the base is as much as counts of one request
	steepest    = .5  // is as much as a window takes off
	forgetAfter = 10 * time.Minute
)

func newLimiter(c *Config) *limiter {
	return &limiter{config: c, limit: float64(c.Initial), seeking: true}
}

// allowed returns how many requests may be under way.
func (l *limiter) allowed() int {
	n := l.limit
	if l.probe {
		n *= probeShare
	}
	return max(int(n), l.config.Min)
}

// Ask implements [limit.Limiter].
func (l *limiter) Ask(time.Time, limit.Demand) limit.Decision {
	if l.inflight >= l.allowed() {
		return limit.Decision{Unknown: true, Limit: Name}
	}
	return limit.Decision{}
}

// Take implements [limit.Limiter].
func (l *limiter) Take(now time.Time, _ limit.Demand) {
	if l.start.IsZero() {
		l.start = now
	}
	l.inflight++
	if l.inflight >= l.allowed() {
		l.full = true
	}
}

// Cancel implements [limit.Limiter].
func (l *limiter) Cancel(time.Time, limit.Demand) { l.inflight-- }

// Done implements [limit.Limiter].
func (l *limiter) Done(now, taken time.Time, _ limit.Demand) {
	l.inflight--
	l.last = now
	if taken.Before(l.start) {
		return
	}
	took := now.Sub(taken).Seconds()
	if l.base > 0 {
		took = min(took, outlier*l.base)
	}
	l.taken++
	l.sum += took
	if l.taken >= max(windowLeast, int(windowShare*float64(l.allowed()))) {
		l.close(now)
	}
}

// close ends a window and sets the limit of the next one.
func (l *limiter) close(now time.Time) {
	mean := max(l.sum/float64(l.taken), 1e-9)
	full := l.full
	l.start, l.full, l.taken, l.sum = now, false, 0, 0
	before := l.base
	if l.probe || l.base == 0 || l.allowed() <= l.config.Min {
		l.base = mean
	}
	if l.probe {
		l.probe, l.windows = false, 0
		if mean < lower*before {
			l.windows = probeEvery - probeSoon // it was not measured without load yet
		}
		return
	}
	gradient := min(max(l.config.Tolerance*l.base/mean, steepest), 1)
	switch {
	case gradient < 1:
		l.seeking = false
		l.limit = l.limit*gradient + math.Sqrt(l.limit)*gradient
	case full && l.seeking:
		l.limit *= 2
	case full:
		l.limit += math.Sqrt(l.limit)
	}
	l.limit = min(max(l.limit, float64(l.config.Min)), float64(l.config.Max))
	l.windows++
	l.probe = full && l.windows >= probeEvery
}

// Forecast implements [limit.Limiter]: when others are done is not known.
func (l *limiter) Forecast(time.Time, int, limit.Demand) limit.Decision { return limit.Decision{} }

// Idle implements [limit.Limiter].
func (l *limiter) Idle(now time.Time) bool {
	return l.inflight == 0 && now.Sub(l.last) >= forgetAfter
}
