package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A recall finds out how long a server remembers requests. Each response tells, by how many are spent, which of
// our requests is the oldest that the server counts, and which the newest that it has forgotten. If it keeps a log,
// the length of its window lies between the ages of the two at every response. Of a window that opens
// at once they vary, and soon contradict each other. So it needs no reset, and none that is told exactly.
type recall struct {
	age       clock.Interval // of what is forgotten; Latest is 0 while nothing was
	forgotten int            // windows in which a request was forgotten that was hardly older
	at        clock.Instant  // when the last of them was observed
	parted    int            // times when some of what was counted was forgotten, and some was not, as no window that opens at once does
	last      recalled       // the last response
	ignored   clock.Instant  // nothing is learned from requests that were sent before
	failed    int            // how often responses contradicted each other, or a refusal what they said
}

// A recalled is what is kept of a response.
type recalled struct {
	at           clock.Instant
	used, before int64 // requests that were spent, and those that were surely counted when it was made
}

const (
	recallLongest = 20 * clock.Second // resets of longer windows are told exactly enough
	recallTimes   = 4                 // windows that prove the length,
	recallUnsure  = 16                // and where the server may weigh the last window, which seems to be a log for some time
	recallParted  = 2                 // times that requests were forgotten one by one, to prove that they are
	recallExact   = 4                 // a reset told to such a part of the window is exact
	recallPause   = 60 * clock.Second // until the next is looked for, at first
	recallFailed  = 6                 // so often the pause doubles
)

// observe takes in a response.
func (r *recall) observe(o *Observation) {
	used := o.Limit - o.Remaining
	if o.Refused {
		r.refuse(o)
		return
	}
	if o.Sent < r.ignored || used < 1 || used > o.Limit {
		return
	}
	remembered := o.Sent - o.RTT.Way() - o.Log.FallsTo(used-1)
	forgotten := o.Now - o.Log.FallsTo(used+o.Unsure) + o.Log.Grain
	if remembered >= recallLongest {
		return // it lasts longer, or others spend it
	}
	r.age.Earliest = max(r.age.Earliest, remembered)
	if o.ResetTold {
		r.age.Earliest = max(r.age.Earliest, o.Told.Earliest-o.Now) // no window is shorter than that
	}
	if forgotten < 2*recallLongest && (r.age.Latest == 0 || forgotten < r.age.Latest) {
		r.age.Latest = forgotten
	}
	r.part(o, used)
	switch length := r.only(); {
	case r.age.Latest > 0 && r.age.Width() <= 0:
		r.fail(o.Now)
	case length > 0 && forgotten < length*3/2+2*(o.Now-o.Sent) && o.Now >= r.at+length:
		r.forgotten, r.at = r.forgotten+1, o.Now
	}
}

// part takes in how much was forgotten since the last response.
func (r *recall) part(o *Observation, used int64) {
	sent := o.Log.Sum()
	if r.last.at > 0 && o.Sent >= r.last.at && used <= r.last.used && used > sent-r.last.before {
		r.parted++
	}
	if o.Sent >= r.last.at {
		r.last = recalled{o.Now, used, sent - o.Unsure}
	}
}

// refuse takes in a refusal. What was refused is in the log, but the server never counted it.
func (r *recall) refuse(o *Observation) {
	length := r.only()
	switch {
	case length == 0:
		length = recallLongest
	case o.Sent-o.RTT.Way()-o.Log.FallsTo(o.Limit) >= length:
		r.fail(o.Now) // it counts more than a log of that length
		return
	}
	r.ignored = max(r.ignored, o.Now+2*length)
}

// fail begins anew after a while.
func (r *recall) fail(now clock.Instant) {
	*r = recall{ignored: now + recallPause<<r.failed, failed: min(r.failed+1, recallFailed)}
}

// only returns the usual length that alone is possible, if that is known well, or 0.
func (r *recall) only() (length clock.Instant) {
	for _, usual := range clock.UsualLengths {
		switch l := clock.Instant(usual); {
		case l <= r.age.Earliest:
		case l >= r.age.Latest || length > 0:
			if l < r.age.Latest || 2*r.age.Earliest < length {
				return 0
			}
			return length
		default:
			length = l
		}
	}
	return 0
}

// length returns how long the server remembers requests, if it keeps a log of them, or 0. a is how far apart the resets lie
// that it tells: if so much that its windows may be aligned, it may be a server that weighs the last one, which for a
// while looks like a log. Where a reset is told exactly beside the window, that is not open for long.
func (r *recall) length(a *aligned) clock.Instant {
	length := r.only()
	switch {
	case r.parted < recallParted || r.forgotten < recallTimes:
		return 0
	case !a.refuted && (r.forgotten < recallUnsure || a.last.Width() < length/recallExact):
		return 0
	}
	return length
}
