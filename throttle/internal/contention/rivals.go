package contention

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A rivals says whether other clients take what they can, however little that leaves to us.
// Whoever yields to them gets less and less, as the less we take the smaller our part seems to
// be. So where others did not yield in two windows in a row in which we did, we yield no longer,
// but in every so many windows of the server's clock: all clients that do so yield in the same
// windows, and find out together that no other is left.
type rivals struct {
	now   bool  // we do not yield in this window
	vain  int   // windows in a row in which only we did
	every int64 // of so many windows we yield in one; 0 is all

	early early
}

const (
	rivalsVain  = 2
	rivalsEvery = 8 // at first; it doubles
	rivalsMost  = 64
	// rivalsPart is our part of what is left beside others who do not yield: that of
	// one of two.
	rivalsPart = 0.5
)

// end takes in how others spent a window in which we yielded. Where little was seen of it, that
// says nothing.
func (r *rivals) end(hurried, yielded bool) {
	switch {
	case hurried:
		if r.vain++; r.vain >= rivalsVain {
			r.every = min(max(2*r.every, rivalsEvery), rivalsMost)
			r.vain = rivalsVain - 1
		}
	case yielded:
		r.vain, r.every = 0, 0
	}
}

// begin starts over with the window of this number of the server's clock.
func (r *rivals) begin(number int64, others bool) {
	r.now = others && r.every > 0 && number%r.every != 0
}

// Competes reports whether other clients spend the quota who do not yield.
func (s *Estimator) Competes(now clock.Instant) bool {
	return s.Others(now) && (s.rivals.now || s.turns.hurried && s.rivals.vain > 0)
}

// An early decides whether requests go when the window opens by the reset as it was told, although
// that may have been rounded down. One that waits until it surely is open comes when the
// others have spent it. One request tries; if that was served, all go as early.
type early struct {
	served bool // the last that went so early
	pause  int  // so many windows pass before the next does,
	after  int  // which doubles each time that one was refused
}

const earlyMost = 64

// begin starts over with a new window.
func (e *early) begin() {
	if e.pause > 0 {
		e.pause--
	}
}

// Early reports whether a request may go when the reset is, as it was told, and whether more
// than one may.
func (s *Estimator) Early() (one, all bool) {
	e := &s.rivals.early
	return e.pause == 0, e.pause == 0 && e.served
}

// TriedEarly takes in whether the window had opened when a request came by the reset as it was
// told.
func (s *Estimator) TriedEarly(opened bool) {
	e := &s.rivals.early
	switch {
	case opened:
		e.served, e.pause, e.after = true, 0, 0
	case e.pause == 0:
		e.after = min(max(2*e.after, 1), earlyMost)
		e.served, e.pause = false, e.after
	}
}
