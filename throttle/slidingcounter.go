package throttle

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// A slidingCounter follows servers that keep two counts and weigh the last window by how
// much of it is still near: used = last × (1 − share of this window gone) + this.
// Such a server may be stricter than a log of the same limit. As long as one may
// be behind a window, probes wait until it too would admit them; once one is
// recognised, requests go as it regains them.
type slidingCounter struct {
	agreed     int  // responses that only such a server explains
	recognised bool // there were enough of them
	excluded   bool // a response showed more left than such a server has
}

// counterProof is how many responses recognise a counter.
const counterProof = 3

// A tally is what one of these servers may have counted of our requests.
type tally struct {
	start      interval // of the window that is open
	last, this int64    // the most it may count in the last window and in this one
}

// tally returns the counts at now. reset is the end of some window.
func (w *window) tally(k *Limiter, reset interval, now instant) tally {
	length := w.length.Value
	start := clock.Between(reset.Earliest-length, reset.Latest-length)
	// What was sent shortly before a boundary may have arrived behind it.
	travel := k.rtt.Usual()
	since := start.Earliest - travel
	if now > reset.Latest {
		past := (now - reset.Latest) / length * length
		start = clock.Between(reset.Earliest+past, reset.Latest+past)
		since = max(start.Earliest-travel, w.settled)
	}
	this := w.history.After(since)
	last := w.history.After(start.Earliest-length-travel) - w.history.After(start.Latest)
	return tally{start, last, this}
}

// used returns the most that the server may count at now.
func (t tally) used(now, length instant) float64 {
	gone := min(max(float64(now-t.start.Latest)/float64(length), 0), 1)
	return float64(t.last)*(1-gone) + float64(t.this)
}

// counterReady returns when a counter of our own requests has room for n more.
func (w *window) counterReady(k *Limiter, now instant, n int64) instant {
	length, room := w.length.Value, w.limit-w.reserve-n
	if w.limit <= 0 || length == 0 || !w.resetKnown || room < 0 {
		return now
	}
	at := w.phaseReady(k, now, room)
	if at > now && w.reset.Width() > length/4 {
		// Where its windows begin is not known well enough to wait for one.
		at = min(at, w.anyPhaseReady(k, now, room))
	}
	return at
}

// phaseReady returns when it has, as its windows begin where the resets are.
func (w *window) phaseReady(k *Limiter, now instant, room int64) instant {
	length := w.length.Value
	t := w.tally(k, w.reset, now)
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
func (w *window) anyPhaseReady(k *Limiter, now instant, room int64) instant {
	length, slack := w.length.Value, k.rtt.Slack()
	const steps = 64
	first, last := 0, 2*steps // it has room after so many steps at the latest
	for first < last {
		middle := (first + last) / 2
		at := now + instant(middle)*length/steps - slack
		counted := float64(w.history.After(at-length)) + w.history.Weigh(at-length, length, func(e *eventlog.Entry) instant { return e.Last - (at - 2*length) })
		if counted <= float64(room) {
			last = middle
		} else {
			first = middle + 1
		}
	}
	return now + instant(first)*length/steps
}

// regains returns when a last window of so many, weighed down since start, leaves
// no more than room.
func regains(start, length instant, last, room int64) instant {
	if last <= room {
		return start
	}
	if room < 0 {
		return never
	}
	return start + instant(float64(length)*(1-float64(room)/float64(last))) + 1
}

// fading returns the least that a counter would have counted when it answered t,
// wherever its windows begin: a request that is so far back as a share of the length
// has lost that share of its weight at most.
func (w *window) fading(k *Limiter, now instant, t *Reservation) float64 {
	since := now - w.length.Value
	return w.history.Weigh(t.at-k.rtt.Usual(), w.length.Value, func(e *eventlog.Entry) instant { return e.From - since })
}

// observe holds a response against the counts. logged is what is left if a log
// explains the server. It reports whether counts explain what a log does not.
func (c *slidingCounter) observe(w *window, k *Limiter, now instant, ticket *Reservation, remaining, logged int64) (explained bool) {
	if c.excluded {
		return false
	}
	if 2*remaining > w.limit && float64(w.limit-remaining) < w.fading(k, now, ticket)-1 {
		*c = slidingCounter{excluded: true}
		return false
	}
	if !w.resetKnown || now > w.reset.Latest {
		return false
	}
	t, length := w.tally(k, w.reset, now), w.length.Value
	if most := t.used(ticket.at, length); float64(w.limit-remaining) > most+1 {
		c.agreed, c.recognised = 0, false // others spend, or it is something else
		return false
	}
	// What it counts at least: what surely arrived in the last window, weighed as
	// late as the response may have been made, and the request itself.
	travel := k.rtt.Usual()
	last := w.history.After(t.start.Latest-length+w.history.Grain) - w.history.After(t.start.Earliest-travel)
	gone := min(max(float64(now-t.start.Earliest)/float64(length), 0), 1)
	least := float64(last) * (1 - gone)
	switch {
	case float64(w.limit-remaining) < least-1:
		*c = slidingCounter{excluded: true}
	case remaining < logged-1 && least > 2:
		c.agreed++
		c.recognised = c.agreed >= counterProof && w.length.Known()
		return true
	}
	return false
}
