package throttle

// A phase learns how long before the latest moment of its reset a window opens. A reset in
// whole seconds may be rounded either way, and for a window of a second that is all there
// is. So once many windows opened when they were expected, the next probe goes a little
// earlier, until one comes too early: then it goes back, and stays there.
type phase struct {
	alone  bool    // no other limit was told of
	early  instant // before the latest moment
	step   instant // by which the last was earlier
	opened int     // probes in a row that found the window open
	need   int     // so many are needed to go earlier

	number int64 // the probe under way; 0 is none
	reset  interval
}

const (
	phaseFirst  = 24  // probes that have to find the window open before any goes earlier,
	phaseThen   = 4   // and for each further step
	phaseSteps  = 8   // in so many steps over all that is unknown
	phaseFailed = 512 // after one came too early
)

// phased reports whether there is something to learn: of windows that are fixed, ours
// alone, told as moments, and short beside what is unknown of their resets.
func (w *window) phased(now instant) bool {
	return w.phase.alone && w.resetKnown && w.moment && w.share.jumped >= rolls && !w.share.others(now) && !w.refills() &&
		4*w.reset.width() > w.length.value
}

// probe notes that a probe is sent for the reset that is known.
func (p *phase) probe(number int64, reset interval) { p.number, p.reset = number, reset }

// hear takes in the answer to t, after which the reset is as given. full says that all of
// the window came back at once.
func (p *phase) hear(t *Ticket, reset interval, full, refused bool) {
	if p.number == 0 || t.number < p.number {
		return
	}
	alone := t.number == p.number
	p.number = 0
	switch {
	case refused || alone && reset.earliest <= p.reset.earliest:
		p.early, p.opened, p.need = max(p.early-2*p.step, 0), 0, phaseFailed
		return
	case !alone:
		return
	case !full: // it is no window that opens
		*p = phase{}
		return
	}
	p.opened++
	if p.need == 0 {
		p.need = phaseFirst
	}
	if p.opened < p.need {
		return
	}
	p.opened, p.need = 0, phaseThen
	p.step = p.reset.width() / phaseSteps
	p.early = min(p.early+p.step, p.reset.width())
}
