package kind

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// A counter follows servers that keep two counts and weigh the last window by how
// much of it is still near: used = last × (1 − share of this window gone) + this.
// Such a server may be stricter than a log of the same limit. As long as one may
// be behind a window, probes wait until it too would admit them; once one is
// recognised, requests go as it regains them.
type counter struct {
	agreed     float64       // responses that only such a server explains
	recognised bool          // there were enough of them
	excluded   bool          // a response showed more left than such a server has
	wrong      int           // how often it was recognised in error
	next       clock.Instant // no response before shows more than the last one did

	reset  clock.Interval // of one window, as those of all windows
	length clock.Instant  // of this length tell it; 0 is not known
	apart  bool           // they were not whole lengths apart once: it is no counter of that length
}

const (
	// counterProof is how many responses recognise a counter, where a log explains the server as well.
	counterProof = 3
	// counterSteps is how many responses within a length of a window may show that it is no fixed one.
	counterSteps = 16
	// counterChance is in how many numbers one may be what a counter has left by chance, for each response that counts.
	counterChance = 2
	// counterWrong bounds how often the proof doubles that was wrong.
	counterWrong = 8
)

// A tally is what one of these servers may have counted of our requests.
type tally struct {
	start      clock.Interval // of the window that is open
	last, this int64          // the most it may count in the last window and in this one
}

// pieces yields parts of the time in which the reset lies. Each is considered apart, as a boundary that
// comes late for one request does not come early for another.
func (v *View) pieces(yield func(reset clock.Interval) bool) {
	width := v.Reset.Width()
	n := min(1+width*counterParts/v.Length, counterPieces)
	for i := range n {
		if !yield(clock.Between(v.Reset.Earliest+width*i/n, v.Reset.Earliest+width*(i+1)/n)) {
			return
		}
	}
}

const (
	counterParts  = 64 // of a length; pieces are no shorter,
	counterPieces = 8  // and no more
)

// tally returns the counts if the reset lies in the given interval.
func (v *View) tally(reset clock.Interval) tally {
	length, now := v.Length, v.Now
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
	last := v.Log.After(start.Earliest-length-travel) - this // each counts once, for the most that it may
	return tally{start, last, this}
}

// Weighed returns what a sliding counter of our own requests counts, at the least and at the most.
func (v *View) Weighed() (least, most float64) {
	r := v.reckon(v.Now, 0)
	return r.least, r.most
}

// used returns the most that the server may count at now.
func (t tally) used(now, length clock.Instant) float64 {
	gone := min(max(float64(now-t.start.Latest)/float64(length), 0), 1)
	return float64(t.last)*(1-gone) + float64(t.this)
}

// tell takes in the reset as it is known with a response, which came after the window had begun.
func (c *counter) tell(o *Observation) {
	if c.excluded {
		return
	}
	told := o.Reset
	told.Latest = max(min(told.Latest, o.Now+o.Length), told.Earliest)
	reset, agrees := c.narrow(told, o.Length)
	c.reset, c.length, c.apart = reset, o.Length, c.apart || !agrees
}

// narrow returns the reset that is told of a window of the given length as those of the windows before tell it, too:
// windows of a counter follow each other. It reports false if they do not.
func (c *counter) narrow(told clock.Interval, length clock.Instant) (reset clock.Interval, agrees bool) {
	if c.length == 0 || c.length != length {
		return told, true
	}
	later := (told.Earliest - c.reset.Earliest + length/2) / length * length
	known := clock.Between(c.reset.Earliest+later, c.reset.Latest+later)
	if !known.Meets(told) {
		return told, false
	}
	return known.Intersect(told), true
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
	at := v.Now
	for reset := range v.pieces {
		at = max(at, v.resetReady(reset, room))
	}
	return at
}

// resetReady returns when it has if the reset lies in the given interval.
func (v *View) resetReady(reset clock.Interval, room int64) clock.Instant {
	length, now := v.Length, v.Now
	t := v.tally(reset)
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
// explains the server, followed whether the last reset moved by a window. It reports whether counts explain
// what a log does not.
func (c *counter) observe(o *Observation, logged int64, followed bool) (explained bool) {
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
	known := *o.View
	known.Reset, _ = c.narrow(o.Reset, o.Length)
	used, r := float64(o.Limit-remaining), known.reckon(o.Sent, o.Unsure)
	switch {
	case used > r.most+1:
		c.refute() // others spend, or it is something else
		return false
	case used < r.last-1:
		*c = counter{excluded: true}
		return false
	}
	if explained = remaining < logged-1 && r.last > 2; explained {
		c.agree(1, o.LengthSure)
	}
	// It shows more where a log of what was sent within the length of a window does not explain it either.
	held := o.Log.After(now-o.Length) - o.turned(now-o.Length) - o.Unsure
	if followed && !c.apart && now >= c.next && (explained || o.Follows || remaining > o.Limit-held) {
		c.weigh(o, used, &r)
	}
	return explained
}

// weigh takes in that a response showed that so many are used, which no log explains.
func (c *counter) weigh(o *Observation, used float64, r *reckoning) {
	// What a fixed window counts was sent in this one.
	n := (used - float64(r.this)) / (counterChance * (r.most - r.least + 2))
	switch {
	case !o.Follows:
		n = math.Floor(n)
	case used < r.least-1:
		c.agreed = 0 // it is something else that regains requests
		return
	}
	if n > 0 {
		c.next = o.Now + o.Length/counterSteps
		c.agree(min(n, counterProof), true)
	}
}

// A reckoning is what one of these servers counted when it responded: so much of the last window at the least, of
// both at the least and at the most, and of this one at the most.
type reckoning struct {
	last, least, most float64
	this              int64
}

// reckon returns what it counted when it responded to a request that was sent then, wherever in its interval the reset
// lies; of so many requests it is not sure that they are counted.
func (v *View) reckon(sent clock.Instant, unsure int64) reckoning {
	all := reckoning{last: math.Inf(1), least: math.Inf(1)}
	length, travel := v.Length, v.RTT.Way()
	for reset := range v.pieces {
		t := v.tally(reset)
		// What surely arrived in the last window is weighed as late as the response may have been made. What was sent
		// about the boundary counts in one of the two.
		last := v.Log.After(t.start.Latest-length+v.Log.Grain) - v.Log.After(t.start.Earliest-travel) - v.turned(t.start.Latest-length)
		between := v.Log.Between(t.start.Earliest-travel, t.start.Latest)
		this := max(v.Log.After(t.start.Latest)-unsure, 0)
		fades := 1 - min(max(float64(v.Now-t.start.Earliest)/float64(length), 0), 1)
		all = reckoning{
			last: min(all.last, float64(last)*fades), least: min(all.least, float64(last+between)*fades+float64(this)),
			most: max(all.most, t.used(sent, length)), this: max(all.this, t.this),
		}
	}
	return all
}

// agree takes in that so many responses are explained by a counter alone, of windows of a length that is more than a
// guess or not.
func (c *counter) agree(n float64, sure bool) {
	c.agreed += n
	c.recognised = c.recognised || c.agreed >= float64(int(counterProof)<<c.wrong) && sure
}

// refute takes in that the server counted more than a counter would.
func (c *counter) refute() {
	if c.recognised {
		c.wrong = min(c.wrong+1, counterWrong)
	}
	c.agreed, c.recognised = 0, false
}
