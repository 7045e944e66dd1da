package utility

// An Instead tries whether more is served if a short window, of which responses say too little, is learned from
// refusals instead. Unlike requests that do not wait at all, few of these are refused.
type Instead struct {
	on, sure bool
	since    int64 // epoch of the last change
	before   int64 // served in the epoch before that
	pause    int64 // epochs until it is tried again
}

const (
	insteadWaiting = 2   // epochs in which requests wait for most of the time, before the first trial
	insteadTrial   = 4   // epochs that a trial lasts
	insteadGain    = 8   // it is worth it if more is served by one part of so many
	insteadPause   = 128 // epochs until the next, as the first was in vain
)

// Turn takes in that a response came. e is of waiting for the window, and vague says that responses tell too little of it.
// Turn returns how many requests a second were served before, if a trial begins; else 0.
func (i *Instead) Turn(e *Estimator, vague bool) (rate float64) {
	switch {
	case e == nil:
	case !vague:
		i.on, i.sure = false, false
	case i.on && !i.sure && e.epoch > i.since+insteadTrial:
		i.sure = insteadGain*e.waiting > (insteadGain+1)*i.before
		if !i.sure {
			i.on, i.since, i.pause = false, e.epoch, max(2*i.pause, insteadPause)
		}
	case !i.on && e.full >= insteadWaiting && e.epoch >= i.since+i.pause:
		i.on, i.since, i.before = true, e.epoch, e.waiting
		return float64(e.waiting) / (float64(Epoch) / 1e9)
	}
	return 0
}

// On reports whether the window is learned from refusals.
func (i *Instead) On() bool { return i.on }
