package ratemodel

import "time"

// Fixed is a fixed window: so many requests between one boundary and the next.
// The window that starts at s ends before s+length.
type Fixed struct {
	// Name is the window's name. Set it before the first use, as the others.
	Name string
	// Origin is a boundary, from which the others follow in both directions. The
	// zero value means the Unix epoch, so that minutes, hours and days are those
	// of UTC.
	Origin time.Time
	// FromFirst lets a window start at the first request that finds none open,
	// in place of the clock. Origin then means nothing.
	FromFirst bool
	// RefusalsCount makes refused requests spend too. A window counts only its
	// own refusals after it is full, so this shows only inside an All, where
	// another model may refuse while this one has room.
	RefusalsCount bool

	limit  int
	length time.Duration
	start  time.Time // of the window that count belongs to
	count  int       // 0 until the first request; start then means nothing
}

// NewFixed returns a window of limit requests in each length of time. It panics
// unless both are positive.
func NewFixed(limit int, length time.Duration) *Fixed {
	check(limit, length)
	return &Fixed{limit: limit, length: length}
}

// SetLimit changes what the window allows, from the next request on. What was
// spent stays spent. It panics unless limit is positive.
func (f *Fixed) SetLimit(limit int) {
	check(limit, f.length)
	f.limit = limit
}

// Admit implements Model.
func (f *Fixed) Admit(now time.Time) bool {
	start, count := f.at(now)
	if count >= f.limit {
		f.Refuse(now)
		return false
	}
	f.start, f.count = start, count+1
	return true
}

// Refuse implements Refuser.
func (f *Fixed) Refuse(now time.Time) {
	if f.RefusalsCount {
		start, count := f.at(now)
		f.start, f.count = start, count+1
	}
}

// Next implements Model.
func (f *Fixed) Next(now time.Time) time.Time {
	start, count := f.at(now)
	if count < f.limit {
		return now
	}
	return start.Add(f.length)
}

// Windows implements Model. While no window is open, the reset is now.
func (f *Fixed) Windows(dst []Window, now time.Time) []Window {
	start, count := f.at(now)
	reset := start.Add(f.length)
	if f.FromFirst && count == 0 {
		reset = now
	}
	return append(dst, Window{
		Name: f.Name, Limit: f.limit, Remaining: max(0, f.limit-count),
		Reset: reset, Length: f.length,
	})
}

// at returns the window that a request at now belongs to, and its count.
func (f *Fixed) at(now time.Time) (start time.Time, count int) {
	if f.count > 0 && now.Before(f.start.Add(f.length)) {
		return f.start, f.count
	}
	if f.FromFirst {
		return now, 0
	}
	return windowStart(now, f.Origin, f.length), 0
}

// windowStart returns the last boundary not after now.
func windowStart(now, origin time.Time, length time.Duration) time.Time {
	if origin.IsZero() {
		origin = time.Unix(0, 0)
	}
	past := now.Sub(origin) % length
	if past < 0 { // now is before the origin
		past += length
	}
	return now.Add(-past)
}
