package kind

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// A counter follows servers that keep two counts and weigh the last window by how
// much of it is still near: used = last × (1 − share of this window gone) + this.
// Such a server may be stricter than a log of the same limit. As long as one may
// be behind a window, probes wait until it too would admit them; once one is
// recognised, requests go as it regains them.
type counter struct {
	agreed     int  // responses that only such a server explains
	recognised bool // there were enough of them
	excluded   bool // a response showed more left than such a server has
}

// counterProof is how many responses recognise a counter.
const counterProof = 3

// A tally is what one of these servers may have counted of our requests.
type tally struct {
	start      clock.Interval // of the window that is open
	last, this int64          // the most it may count in the last window and in this one
}

// tally returns the counts.
func (v *View) tally() tally {
	length, now, reset := v.Length, v.Now, v.Reset
	start := clock.Between(reset.Earliest-length, reset.Latest-length)
	// What was sent shortly before a boundary may have arrived behind it.
	travel := v.travel()
	since := start.Earliest - travel
	if now > reset.Latest {
		past := (now - reset.Latest) / length * length
		start = clock.Between(reset.Earliest+past, reset.Latest+past)
		since = max(start.Earliest-travel, v.Settled)
	}
	this := v.Log.After(since)
	last := v.Log.After(start.Earliest-length-travel) - v.Log.After(start.Latest)
	return tally{start, last, this}
}

// used returns the most that the server may count at now.
func (t tally) used(now, length clock.Instant) float64 {
	gone := min(max(float64(now-t.start.Latest)/float64(length), 0), 1)
	return float64(t.last)*(1-gone) + float64(t.this)
}

// CounterReady returns when a sliding counter of our own requests has room for n more.
func (e *Estimator) CounterReady(v *View, n int64) clock.Instant {
	room := v.Limit - v.Reserve - n
	if v.Limit <= 0 || v.Length == 0 || !v.ResetKnown || room < 0 {
		return v.Now
	}
	at := v.phaseReady(room)
	if at > v.Now && v.Reset.Width() > v.Length/4 {
		// Where its windows begin is not known well enough to wait for one.
		at = min(at, v.anyPhaseReady(room))
	}
	return max(v.Now, min(at, v.over(2*v.Length)))
}

// phaseReady returns when it has, as its windows begin where the resets are.
func (v *View) phaseReady(room int64) clock.Instant {
	length, now := v.Length, v.Now
	t := v.tally()
	if t.used(now, length) <= float64(room) {
		return now
	}
	if at := regains(t.start.Latest, length, t.last, room-t.this); at < t.start.Earliest+length {
		return max(at, now)
	}
	// Not before the next window, for which this one is the last.
	return max(now, regains(t.start.Latest+length, length, t.this, room))
}

// anyPhaseReady returns when it has, wherever its windows begin: a request counts
// fully until it is a length old, and from then on fades within another, at least.
func (v *View) anyPhaseReady(room int64) clock.Instant {
	length, slack, now := v.Length, v.RTT.SlackWithin(v.Length), v.Now
	const steps = 64
	first, last := 0, 2*steps // it has room after so many steps at the latest
	for first < last {
		middle := (first + last) / 2
		at := now + clock.Instant(middle)*length/steps - slack
		counted := float64(v.Log.After(at-length)) + v.Log.Weigh(at-length, length, func(e *eventlog.Entry) clock.Instant { return e.Last - (at - 2*length) })
		if counted <= float64(room) {
			last = middle
		} else {
			first = middle + 1
		}
	}
	return now + clock.Instant(first)*length/steps
}

// regains returns when a last window of so many, weighed down since start, leaves
// no more than room.
func regains(start, length clock.Instant, last, room int64) clock.Instant {
	if last <= room {
		return start
	}
	if room < 0 {
		return clock.Never
	}
	return start + clock.Instant(float64(length)*(1-float64(room)/float64(last))) + 1
}

// observe holds a response against the counts. logged is what is left if a log
// explains the server. It reports whether counts explain what a log does not.
func (c *counter) observe(o *Observation, logged int64) (explained bool) {
	remaining, now := o.Remaining, o.Now
	if c.excluded {
		return false
	}
	if 2*remaining > o.Limit && float64(o.Limit-remaining) < o.fading(o.Length)-1 {
		*c = counter{excluded: true}
		return false
	}
	if !o.ResetKnown || now > o.Reset.Latest {
		return false
	}
	t, length := o.tally(), o.Length
	if most := t.used(o.Sent, length); float64(o.Limit-remaining) > most+1 {
		c.agreed, c.recognised = 0, false // others spend, or it is something else
		return false
	}
	// What it counts at least: what surely arrived in the last window, weighed as
	// late as the response may have been made, and the request itself.
	travel := o.RTT.Way()
	last := o.Log.After(t.start.Latest-length+o.Log.Grain) - o.Log.After(t.start.Earliest-travel) - o.turned(t.start.Latest-length)
	gone := min(max(float64(now-t.start.Earliest)/float64(length), 0), 1)
	least := float64(last) * (1 - gone)
	switch {
	case float64(o.Limit-remaining) < least-1:
		*c = counter{excluded: true}
	case remaining < logged-1 && least > 2:
		c.agreed++
		c.recognised = c.agreed >= counterProof && o.LengthSure
		return true
	}
	return false
}
