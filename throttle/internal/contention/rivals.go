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

	dry   int           // responses in a row that told of an empty bucket,
	since clock.Instant // the first of them then
	early early
}

const (
	// So many windows in a row show that others do not yield, and more where a limit is below
	// rivalsFew: a few requests of one that begins look the same.
	rivalsVain     = 2
	rivalsVainMost = 4
	rivalsFew      = 100

	rivalsEvery = 8 // at first; it doubles
	rivalsMost  = 64
	// rivalsPart is our part of what is left beside others who do not yield: that of
	// one of two.
	rivalsPart = 0.5
	// So many responses in a row tell of an empty bucket where not all clients yield, for a
	// part of the time that fills it, unless it is smaller than so many clients leave a whole
	// request of.
	rivalsDry   = 16
	rivalsShare = turnsMany * drawLevel
)

// end takes in how others spent a window in which we yielded. Where little was seen of it, that
// says nothing.
func (r *rivals) end(limit int64, hurried, yielded bool) {
	switch {
	case hurried && r.vain < vain(limit)-1:
		r.vain++
	case hurried:
		r.every = min(max(2*r.every, rivalsEvery), rivalsMost)
	case yielded:
		r.vain, r.every = 0, 0
	}
}

// vain returns how many windows in a row show that others do not yield.
func vain(limit int64) int {
	if limit < rivalsFew {
		return rivalsVainMost
	}
	return rivalsVain
}

// begin starts over with the window of this number of the server's clock.
func (r *rivals) begin(number int64, others bool) {
	r.now = others && r.every > 0 && number%r.every != 0
}

// roll takes in how others spent a window that rolls in as long as it is.
func (r *rivals) roll(v *Response, hurried, yielded, others bool) {
	if !r.now {
		r.end(v.Limit, hurried, yielded)
	}
	r.begin(v.Window, others)
}

// draw takes in what is left of a bucket. Clients that yield leave something. In one window of
// rivalsEvery they look for each other.
func (r *rivals) draw(v *Response) {
	switch {
	case v.Window%rivalsEvery == 0:
		r.dry = 0
	case v.Remaining == 0:
		if r.dry++; r.dry == 1 {
			r.since = v.Now
		}
	case v.Remaining > 1:
		r.dry = 0
	}
	r.now = r.dry >= rivalsDry && v.Limit >= rivalsShare && v.Now-r.since > v.Kind.Emission()*clock.Instant(v.Limit)/2
}

// Competes reports whether other clients spend the quota who do not yield.
func (s *Estimator) Competes(now clock.Instant) bool {
	return s.Others(now) && (s.rivals.now || s.turns.hurried && s.turns.sure)
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
