package fleet

import "time"

// overs are how many units of ours were over by which time, of those that the ledger has yet to hear of.
type overs []struct {
	from, at time.Time
	finished int64
}

const (
	oversSize  = 32
	oversGrain = 2 * time.Millisecond
	oversSteps = 4 * logSteps // of the shortest window
)

// add notes that so many are over by now.
func (o *overs) add(now time.Time, finished int64, windows []*window) {
	if len(windows) == 0 {
		return
	}
	grain := windows[0].length / oversSteps
	for _, w := range windows {
		grain = min(grain, w.length/oversSteps)
	}
	if n := len(*o); n > 0 && now.Sub((*o)[n-1].from) < max(grain, oversGrain) {
		(*o)[n-1].at, (*o)[n-1].finished = now, finished
		return
	}
	*o = append(*o, overs{{now, now, finished}}...)
	*o = (*o)[max(len(*o)-oversSize, 0):] // the next one counts those too
}

// forget forgets what the ledger heard.
func (o *overs) forget(finished int64) {
	for len(*o) > 0 && (*o)[0].finished <= finished {
		*o = (*o)[1:]
	}
}

// tell returns them by the clock of the store, as a report has them.
func (o overs) tell(c *clock) [][2]int64 {
	all := make([][2]int64, len(o))
	for i, e := range o {
		_, latest := c.store(e.at, e.at)
		all[i] = [2]int64{latest, e.finished}
	}
	return all
}
