package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// A count is what a response said was left, and until when.
type count struct {
	left     int64
	end      time.Time
	step     time.Duration // in which the end is told
	sent     time.Time     // when the request was
	answered int64         // requests of the group answered by then
}

// A serverClock says how far the clock of a server is ahead of ours, which matters where resets are told as moments.
type serverClock struct {
	least, most time.Duration // bounds
	known       bool
}

// observe takes in the response to a request that was sent at sent.
func (c *serverClock) observe(now, sent time.Time, r *header.Reading) {
	if r.Date.IsZero() || r.Stale {
		return
	}
	least, most := r.Date.Sub(now), r.Date.Add(time.Second).Sub(sent)
	if c.known {
		least, most = max(least, c.least), min(most, c.most)
	}
	if c.known = least <= most; c.known { // or else the clock was set
		c.least, c.most = least, most
	}
}

// at returns the server's time at now: ours, as far as that may be.
func (c *serverClock) at(now time.Time) time.Time {
	if !c.known {
		return now
	}
	return now.Add(max(c.least, min(c.most, 0)))
}

// countOf returns what a response says of the counter of requests of a name, or of the only one if that is empty. If
// it tells no reset, the window is taken to be aligned to the clock.
func (c *serverClock) countOf(now time.Time, r *header.Reading, name string) (said count, limit int64, ok bool) {
	if r.Refused || r.Stale || len(r.Windows) != 1 && name == "" {
		return said, 0, false
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		if name != "" && w.Name != name || !counts(w) {
			continue
		}
		at := c.at(now)
		left := w.Reset.Delay(at)
		if !w.Reset.Known() {
			left = at.Truncate(w.Length).Add(w.Length).Sub(at)
		}
		return count{left: int64(w.Remaining.Value), end: now.Add(left), step: w.Reset.Resolution}, int64(w.Limit.Value), true
	}
	return said, 0, false
}

// counts reports whether a window tells what a counter holds.
func counts(w *header.Window) bool {
	return w.Limit.Known() && w.Remaining.Known() && (w.Reset.Known() || w.Length > 0)
}

// twoCounters reports whether a response tells two counters of requests.
func twoCounters(r *header.Reading) bool {
	if r.Refused || r.Stale || len(r.Windows) != 2 || r.Windows[0].Name == r.Windows[1].Name {
		return false
	}
	for i := range r.Windows {
		if w := &r.Windows[i]; !counts(w) || w.Unit != "" && w.Unit != "requests" {
			return false
		}
	}
	return true
}
