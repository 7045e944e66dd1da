package probe

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Coarse decides when to probe a window whose reset is told to the minute or to longer steps. What the
// server tells may be up to a step early or late. Most likely it is neither, because windows are
// aligned to the clock. To wait for the latest possible moment would use half of a window of a
// minute, so one request goes at the moment that is told. If it is refused without a word on when to come
// back, twice in a row, the window is probed late.
type Coarse struct {
	step    clock.Instant // of the notation of the reset
	refused int           // probes in a row
	known   bool          // when the window opens was found out meanwhile
}

const (
	coarseStep    = 30 * clock.Second
	coarseRefused = 2
)

// Tell takes in the step in which a reset is told, and whether more is known of it than that.
func (c *Coarse) Tell(step clock.Instant, known bool) { c.step, c.known = step, known }

// Step returns the step in which the reset is told.
func (c *Coarse) Step() clock.Instant { return c.step }

// Early returns how long before the latest moment that the reset may mean a probe goes.
func (c *Coarse) Early() clock.Instant {
	if !c.coarsely() || c.refused >= coarseRefused {
		return 0
	}
	return c.step
}

// coarsely reports whether all that is known of the reset is told in long steps.
func (c *Coarse) coarsely() bool { return c.step >= coarseStep && !c.known }

// Refuse takes in a refusal because nothing is left. probe says that it is that of a probe, by a server that
// named no time to come back.
func (c *Coarse) Refuse(probe bool) {
	if probe && c.coarsely() {
		c.refused++
	}
}

// Serve takes in that a probe was served before the latest moment that the reset may mean.
func (c *Coarse) Serve() { c.refused = 0 }

// Moved reports whether a reset is another than it was, although both may mean the same moment.
func (c *Coarse) Moved(was, is clock.Interval) bool {
	return c.coarsely() && is.Latest-was.Latest > c.step/2
}
