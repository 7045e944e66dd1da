package throttle

// A coarse decides when to probe a window whose reset is told to the minute or to longer steps. What the
// server tells may be up to a step early or late. Most likely it is neither, because windows are
// aligned to the clock. To wait for the latest possible moment would use half of a window of a
// minute, so one request goes at the moment that is told. If it is refused without a word on when to come
// back, twice in a row, the window is probed late.
type coarse struct {
	refused int  // probes in a row
	known   bool // when the window opens was found out meanwhile
}

const (
	coarseStep    = 30 * second
	coarseRefused = 2
)

// early returns how long before the latest moment that the reset may mean a probe goes.
func (c *coarse) early(w *window) instant {
	if !w.coarsely() || c.refused >= coarseRefused {
		return 0
	}
	return w.step
}

// coarsely reports whether all that is known of the reset of w is told in long steps.
func (w *window) coarsely() bool { return w.step >= coarseStep && !w.coarse.known }

// refuse takes in that t was refused, because nothing is left of w. named says that the server
// named a time to come back.
func (c *coarse) refuse(w *window, t *Reservation, named bool) {
	if w.coarsely() && w.probe.answeredBy(t) && !named {
		c.refused++
	}
}

// moved reports whether a reset is another than that of w, although both may mean the same
// moment.
func (c *coarse) moved(w *window, reset interval) bool {
	return w.coarsely() && reset.Latest-w.reset.Latest > w.step/2
}
