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
	answered int64         // requests of the group answered by then
}

// countOf returns what a response says of the counter of requests of a name, or of the only one if that is empty.
func countOf(now time.Time, r *header.Reading, name string) (said count, limit int64, ok bool) {
	if r.Refused || r.Stale || len(r.Windows) != 1 && name == "" {
		return said, 0, false
	}
	for i := range r.Windows {
		if w := &r.Windows[i]; (name == "" || w.Name == name) && counts(w) {
			return count{left: int64(w.Remaining.Value), end: now.Add(w.Reset.Delay(now)), step: w.Reset.Resolution}, int64(w.Limit.Value), true
		}
	}
	return said, 0, false
}

// counts reports whether a window tells what a counter holds.
func counts(w *header.Window) bool {
	return w.Limit.Known() && w.Remaining.Known() && w.Reset.Known()
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
