package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An aligned watches how far apart the resets of a window lie. Where windows follow each
// other, none is longer than the time from one reset to the next; where they are aligned, as
// those of a sliding counter, that time is a whole number of lengths. Resets that are told
// in steps are all rounded the same way, so that two of them together are off by less than a
// step.
type aligned struct {
	length   clock.Interval // bounds of it; Latest is 0 while no window followed another
	multiple clock.Interval // the same, of windows that are aligned
	last     clock.Interval // the newest reset, as it was told
	known    bool
	refuted  bool          // they are not aligned
	agreed   int           // resets that were so many lengths after the last
	usual    clock.Instant // length that they show, if they are aligned; 0 is none
}

// observe takes in a reset in steps, which a response told that came at now. told is the length of the window if
// responses tell it; else 0.
func (a *aligned) observe(now clock.Instant, reset clock.Interval, step, told clock.Instant) {
	a.length.Earliest = max(a.length.Earliest, reset.Earliest-now)
	by := clock.Between(reset.Earliest-a.last.Latest+step, reset.Latest-a.last.Earliest-step)
	switch {
	case !a.known:
		a.last, a.known = reset, true
	case by.Earliest > 0: // another window
		a.last = reset
		if a.length.Latest == 0 || by.Latest < a.length.Latest {
			a.length.Latest = by.Latest
		}
		a.divide(by)
		if alignedExact*step <= a.multiple.Earliest {
			a.refuted = a.refuted || told == 0 && !a.fits()
			a.show()
		}
	}
}

// divide takes in the time from one reset to another.
func (a *aligned) divide(by clock.Interval) {
	m := &a.multiple
	if m.Latest == 0 {
		*m = a.length
	}
	m.Earliest = max(m.Earliest, a.length.Earliest)
	if a.refuted || m.Earliest <= 0 {
		return
	}
	// So many lengths it may be.
	least, most := (by.Earliest+m.Latest-1)/m.Latest, by.Latest/m.Earliest
	switch {
	case least > most || m.Earliest > m.Latest:
		a.refuted = true
	case least == most && least > 0:
		n := least
		a.agreed++
		*m = m.Intersect(clock.Between((by.Earliest+n-1)/n, by.Latest/n))
	}
}

// fits reports whether windows of a usual length may be aligned.
func (a *aligned) fits() bool {
	return a.multiple.Latest == 0 || clock.UsualLength(a.multiple.Earliest) <= a.multiple.Latest
}

const (
	alignedTimes = 3  // resets that show the length of windows that are aligned
	alignedExact = 16 // steps in a window of which the resets show so much
)

// show looks for the usual length that aligned windows have.
func (a *aligned) show() {
	a.usual = clock.UsualLength(a.multiple.Earliest)
	if a.refuted || a.agreed < alignedTimes || a.usual > a.multiple.Latest || clock.UsualLength(a.usual+1) <= a.multiple.Latest {
		a.usual = 0
	}
}

// longest returns what no window exceeds where windows follow each other, and 0 if that
// is not known.
func (a *aligned) longest() clock.Instant {
	if a.length.Width() < 0 {
		return 0
	}
	return a.length.Latest
}
