package throttle

import (
	"cmp"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// An announcement says how a server speaks of its windows.
type announcement struct {
	unit     string        // that is counted; empty is requests
	mute     bool          // not at all: a refusal is all there is
	refusals bool          // where it refuses alone
	epoch    bool          // resets as moments, else as delays
	step     time.Duration // of the resets
	trim     bool          // leaves out the zeros at the end of a reset, so that it may look like one in whole seconds
	rounding int           // below 0 down, above 0 up, 0 to nearest
	lengths  bool          // tells the lengths of its windows
	whole    bool          // rounded up to whole seconds
	silent   bool          // tells no resets at all
	wait     bool          // tells when to come back after a refusal, in seconds
	moment   bool          // tells it as a moment, in the body
	date     bool          // sends Date
	offset   time.Duration // of its clock
}

// reading is what a response made at now says.
func (a announcement) reading(m ratemodel.Model, now time.Time, ok bool) *header.Reading {
	r := &header.Reading{Refused: !ok}
	if a.date {
		r.Date = now.Add(a.offset).Truncate(time.Second)
	}
	if !a.mute && !(a.refusals && ok) {
		for _, w := range m.Windows(nil, now) {
			r.Windows = append(r.Windows, a.window(w, now))
		}
	}
	if !ok && (a.wait || a.moment) {
		r.Wait = a.waitUntil(m.Next(now), now)
	}
	return r
}

func (a announcement) window(w ratemodel.Window, now time.Time) header.Window {
	said := header.Window{Name: w.Name, Unit: cmp.Or(a.unit, "requests"),
		Limit:     header.Count{Value: float64(w.Limit), State: header.Known},
		Remaining: header.Count{Value: float64(w.Remaining), State: header.Known}}
	if said.Name == "" {
		said.Name = "default"
	}
	if a.lengths {
		said.Length = w.Length
	}
	if a.lengths && a.whole {
		said.Length = (w.Length + time.Second - 1).Truncate(time.Second)
	}
	if a.silent || w.Reset.IsZero() {
		return said
	}
	said.Reset.Resolution = a.step
	if a.epoch {
		said.Reset.At = a.round(w.Reset.Add(a.offset))
	} else {
		since := time.Unix(0, 0)
		said.Reset.In = a.round(since.Add(w.Reset.Sub(now))).Sub(since)
		if a.trim && said.Reset.In%time.Second == 0 {
			said.Reset.Resolution = time.Second
		}
	}
	return said
}

func (a announcement) waitUntil(next, now time.Time) header.Wait {
	if a.moment {
		next = next.Add(time.Second - 1).Truncate(time.Second)
		return header.Wait{Reset: header.Reset{At: next, Resolution: time.Second}, Delay: next.Sub(now), Explicit: true}
	}
	wait := (next.Sub(now) + time.Second - 1).Truncate(time.Second)
	return header.Wait{Reset: header.Reset{In: wait, Resolution: time.Second}, Delay: wait, Explicit: true}
}

func (a announcement) round(t time.Time) time.Time {
	down := t.Truncate(a.step)
	switch {
	case a.rounding < 0 || down.Equal(t):
		return down
	case a.rounding > 0:
		return down.Add(a.step)
	}
	return t.Round(a.step)
}
