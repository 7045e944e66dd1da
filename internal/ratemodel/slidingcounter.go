package ratemodel

import (
	"math/bits"
	"time"
)

// SlidingCounter is a rolling window that is estimated from two counters: those
// of the current fixed window, and those of the one before in proportion to the
// part of it that the rolling window still covers. Cloudflare and go-chi/httprate
// count so. The announced reset is the end of the current fixed window.
//
// Source: https://blog.cloudflare.com/counting-things-a-lot-of-different-things/
type SlidingCounter struct {
	// Name is the window's name. Set it before the first use, as the other.
	Name string
	// Origin is a boundary of the fixed windows; the zero value means the Unix
	// epoch.
	Origin time.Time

	limit  int
	length time.Duration
	start  time.Time // of the window that cur belongs to; zero: nothing spent yet
	cur    int
	prev   int
}

// NewSlidingCounter returns an estimated rolling window of limit requests in
// about any length of time. It panics unless both are positive.
func NewSlidingCounter(limit int, length time.Duration) *SlidingCounter {
	check(limit, length)
	return &SlidingCounter{limit: limit, length: length}
}

// Admit implements Model.
func (s *SlidingCounter) Admit(now time.Time) bool {
	start, cur, prev := s.at(now)
	if s.remaining(now.Sub(start), cur, prev) < 1 {
		return false
	}
	s.start, s.cur, s.prev = start, cur+1, prev
	return true
}

// Next implements Model.
func (s *SlidingCounter) Next(now time.Time) time.Time {
	start, cur, prev := s.at(now)
	for {
		if cur < s.limit {
			t := start.Add(s.fades(s.limit-cur-1, prev))
			if t.Before(now) {
				t = now
			}
			if t.Before(start.Add(s.length)) {
				return t
			}
		}
		start, cur, prev = start.Add(s.length), 0, cur
	}
}

// Windows implements Model.
func (s *SlidingCounter) Windows(dst []Window, now time.Time) []Window {
	start, cur, prev := s.at(now)
	return append(dst, Window{
		Name: s.Name, Limit: s.limit, Remaining: max(0, s.remaining(now.Sub(start), cur, prev)),
		Reset: start.Add(s.length), Length: s.length,
	})
}

// at returns the fixed window that now lies in, its count and that of the one
// before.
func (s *SlidingCounter) at(now time.Time) (start time.Time, cur, prev int) {
	if s.start.IsZero() {
		return windowStart(now, s.Origin, s.length), 0, 0
	}
	switch past := now.Sub(s.start); {
	case past < s.length:
		return s.start, s.cur, s.prev
	case past < 2*s.length:
		return s.start.Add(s.length), 0, s.cur
	default:
		return windowStart(now, s.Origin, s.length), 0, 0
	}
}

// remaining returns limit - cur - prev x (the part still covered), rounded down.
// The product can pass 64 bits (a day in nanoseconds times 250,000), so it is
// taken in 128.
func (s *SlidingCounter) remaining(past time.Duration, cur, prev int) int {
	hi, lo := bits.Mul64(uint64(prev), uint64(s.length-past))
	weight, rest := bits.Div64(hi, lo, uint64(s.length))
	if rest > 0 {
		weight++
	}
	return s.limit - cur - int(weight)
}

// fades returns how far into the window the part of prev that still counts has
// come down to room, which is not negative.
func (s *SlidingCounter) fades(room, prev int) time.Duration {
	if room >= prev {
		return 0
	}
	hi, lo := bits.Mul64(uint64(room), uint64(s.length))
	left, _ := bits.Div64(hi, lo, uint64(prev))
	return s.length - time.Duration(left)
}
