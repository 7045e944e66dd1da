package trust

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// Resets counts how often a window had opened long before its reset, as the server told
// it: in another time zone, or by a clock that is wrong. Then resets are not believed for a
// while, and probes find out when the window opens.
type Resets struct {
	misled int
	until  clock.Instant // resets are not believed before this
	kept   bool          // nothing was served until shortly before a reset
}

const (
	misledTimes = 2
	misledAhead = 60 * clock.Second // how long before the reset a window was open
	misledFor   = 60 * 60 * clock.Second
)

// Mislead reports whether resets are not believed at now.
func (r *Resets) Mislead(now clock.Instant) bool { return r.until > now }

// Keep takes in that a request was refused so long before the reset, and so long after nothing was left.
func (r *Resets) Keep(ahead, after clock.Instant) { r.kept = r.kept || ahead < after }

// Kept reports whether a reset proved right.
func (r *Resets) Kept() bool { return r.kept }

// Reopen takes in that so many of a limit remain although nothing was left, so long ahead of the
// reset. If all came back, and much of it was spent so lately, as the log tells, that even a window that
// rolls would count it until the reset, the reset is wrong. Reopen reports whether resets are no longer
// believed. Of one that is told by a clock of which nothing is known, a part that came back is enough.
func (r *Resets) Reopen(now, ahead clock.Instant, remaining, limit int64, undated bool, log *eventlog.Log) bool {
	least := limit - limit/8 - 1
	if undated {
		least = limit / 8
	}
	if ahead <= misledAhead || remaining < least || log.After(now-ahead) < limit/2 {
		return false
	}
	if r.misled++; r.misled < misledTimes {
		return false
	}
	r.until = now + misledFor
	return true
}
