// Package kind estimates how a window counts: as a fixed window, a rolling one, a token
// bucket or a sliding counter. An [Estimator] takes in what responses say and tells when the
// server has room again, as far as its kind is known.
//
// It reads no clock and imports nothing of this module but packages clock and eventlog. Start
// reading here; each kind has a file.
package kind

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// The names of the kinds.
const (
	Unknown = ""
	Fixed   = "fixed"
	Rolling = "rolling"
	Weighed = "weighed"
	Bucket  = "bucket"
)

// An Estimator knows how one window counts. The zero value knows nothing.
type Estimator struct {
	bucket    bucket
	inflow    inflow
	rolling   rolling
	recall    recall
	counter   counter
	moves     moves
	aligned   aligned
	constancy constancy
}

// A View is what an Estimator needs to know of its window at some moment.
type View struct {
	Now            clock.Instant
	Limit, Reserve int64
	Length         clock.Instant // 0 if it is not known
	LengthSure     bool          // it is more than a guess
	Follows        bool          // resets show windows of this length that follow each other, as no log tells them
	Reset          clock.Interval
	ResetKnown     bool
	Settled        clock.Instant // no request sent before may be counted after the reset
	Arrived        clock.Instant // all requests that were sent have arrived by then; 0 if some may not have
	Log            *eventlog.Log // of the requests that the window counts
	Turned         *eventlog.Log // of those in it that are perhaps not counted, such as those that were refused
	RTT            *clock.RTT
}

// Reach is how far the log looks back: the window, and the time by which one request may
// travel longer than another.
func (v *View) Reach() clock.Instant { return v.Length + v.RTT.SlackWithin(v.Length) }

// turned returns how many of the requests in the log that were sent after since are perhaps not counted.
func (v *View) turned(since clock.Instant) int64 {
	if v.Turned == nil {
		return 0
	}
	return v.Turned.After(since)
}

// travel returns how much earlier or later than they were sent requests may have arrived.
func (v *View) travel() clock.Instant { return min(v.RTT.Way(), v.Length) }

// over returns when all requests that were sent are so old, or Never if some may not have
// arrived.
func (v *View) over(age clock.Instant) clock.Instant {
	if v.Arrived == 0 {
		return clock.Never
	}
	return v.Arrived + age
}

// An Observation is what the response to a request says, received at the View's Now.
type Observation struct {
	*View
	Sent      clock.Instant // when the request was sent
	Remaining int64
	Answered  int64          // requests that Remaining surely counts, of all that were ever sent
	Unsure    int64          // requests sent by now that Remaining may not count
	Refused   bool           // the request
	Alone     bool           // there is no other window
	Told      clock.Interval // the reset, if the response tells one
	ResetTold bool
	// Telling says that Remaining may show what counts: little is left, or the window has
	// just opened.
	Telling bool
}

// Observe takes in what a response says.
func (e *Estimator) Observe(o *Observation) {
	if o.ResetTold {
		e.constancy.observe(o)
		left := clock.Between(o.Told.Earliest-o.Now, o.Told.Latest-o.Sent)
		e.bucket.observe(o.Now, o.Limit, o.Limit-o.Remaining, o.Unsure, left, o.Length)
	}
	if e.inflow.observe(o); e.inflow.proved() {
		e.inflow.try(o, e.bucketReady(o.Limit, 2) > o.Now)
		e.bucket.fill(o.Now, e.inflow.emission, o.Limit-o.Remaining+o.Unsure)
	} else if e.bucket.filled {
		e.bucket = bucket{refutedUntil: e.bucket.refutedUntil}
	}
	if o.Length > 0 && o.Length <= recallLongest {
		e.recall.observe(o)
	}
	if o.Length > 0 && o.ResetKnown {
		e.counter.tell(o)
	}
	if o.Length > 0 && o.Telling {
		logged := e.rolling.observe(o)
		if e.counter.observe(o, logged, e.moves.jumped > 0) {
			e.rolling.refutedUntil = min(e.rolling.refutedUntil, o.Now) // weighed counts explain it, and are heeded
		}
	}
}

// Move takes in a reset that a response tells of a window of the given length.
func (e *Estimator) Move(reset clock.Interval, length clock.Instant) { e.moves.observe(reset, length) }

// Told takes in a reset as a response that came at now told it, in steps, and the length of the window if responses
// tell it; else 0.
func (e *Estimator) Told(now clock.Instant, reset clock.Interval, step, length clock.Instant) {
	e.aligned.observe(now, reset, step, length)
	e.counter.excluded = e.counter.excluded || e.aligned.refuted
}

// Longest returns what the length of the window does not exceed if one follows the other, or 0.
func (e *Estimator) Longest() clock.Instant { return e.aligned.longest() }

// Aligned returns the length of windows that are aligned, if resets show a usual one, or 0.
func (e *Estimator) Aligned() clock.Instant { return e.aligned.usual }

// Take counts n more as sent at now; slack is how much later than another they may arrive.
func (e *Estimator) Take(now, slack clock.Instant, n int64) {
	e.bucket.take(now, slack, n)
	e.inflow.trial.take(now, slack, n)
}

// NewLimit forgets what another limit showed.
func (e *Estimator) NewLimit() {
	e.bucket, e.inflow, e.moves, e.aligned, e.recall = bucket{}, inflow{}, moves{}, aligned{}, recall{}
}

// NewLength forgets what another length showed.
func (e *Estimator) NewLength() { e.rolling, e.counter = rolling{}, counter{} }

// Refused takes in a refusal that came although the window seemed to have room. If other
// clients spend the quota, that says nothing of a bucket.
func (e *Estimator) Refused(v *View, others bool) {
	e.constancy = constancy{}
	e.inflow.refute(v.Now)
	e.rolling.refute(v.Now + v.Reach())
	if !others {
		e.bucket = e.bucket.refused(v.Now, v.Length)
	}
}

// Uncounted takes in that the window did not count a request that was sent.
func (e *Estimator) Uncounted() { e.inflow.restart() }

// Lost takes in that a request got no answer, and counts as answered from now on.
func (e *Estimator) Lost(now clock.Instant) {
	e.inflow.restart()
	e.inflow.from = now
}

// ServedEarly takes in that a request was served as soon as a refusal had said, long before
// the reset, when so many were spent.
func (e *Estimator) ServedEarly(now clock.Instant, limit, spent int64) {
	e.bucket.servedEarly(now, limit, spent)
}

// Extra returns how many requests may go beyond what remains, because the window seems not to
// count them.
func (e *Estimator) Extra() int64 { return e.constancy.extra }

// Regains reports whether the server is known to regain requests all the time, and how.
func (e *Estimator) Regains() bool {
	return e.rolls() || e.bucket.recognised || e.counter.recognised
}

// Ready returns when the window has room for n more, as its kind says, and when the log of
// requests does, which is good for a probe until it is known to explain the server. Never
// means that there is no saying.
func (e *Estimator) Ready(v *View, n int64) (at, probe clock.Instant) {
	at, probe = e.Regained(v, n)
	return min(at, e.bucketReady(v.Limit-v.Reserve, n)), probe
}

// bucketReady returns when n more fit into a bucket of the given capacity.
func (e *Estimator) bucketReady(capacity, n int64) clock.Instant {
	return min(e.bucket.ready(capacity, n), e.inflow.trial.ready(capacity, n))
}

// Regained is Ready for a window that is not known to be a bucket.
func (e *Estimator) Regained(v *View, n int64) (at, probe clock.Instant) {
	at, probe = clock.Never, e.logReady(v, n)
	if e.rolls() {
		at, probe = probe, clock.Never
	}
	if e.counter.recognised {
		at = min(at, e.CounterReady(v, n))
	}
	return at, probe
}

// logReady returns when few enough of our own requests were sent within the window's length.
func (e *Estimator) logReady(v *View, n int64) clock.Instant {
	allowed := v.Limit - v.Reserve - n
	if allowed < 0 || v.Length == 0 || !v.LengthSure && !e.rolls() {
		return clock.Never
	}
	at := max(v.Now, e.rolling.refutedUntil, min(v.Log.FallsTo(allowed)+v.Reach(), v.over(v.Length)))
	if !e.rolls() && !e.counter.excluded {
		at = max(at, e.CounterReady(v, n))
	}
	return at
}

// rolls reports whether a log of our own requests is known to explain the server.
func (e *Estimator) rolls() bool {
	return !e.counter.recognised && (e.rolling.proved() || e.Remembers() > 0)
}

// Remembers returns how long the server remembers requests, if it is known to keep a log of them; else 0.
func (e *Estimator) Remembers() clock.Instant { return e.recall.length(&e.aligned) }

// Explains reports whether n more may go at now because of how the window counts, so that
// the response to them shows nothing new.
func (e *Estimator) Explains(now clock.Instant, capacity, n int64) bool {
	return e.bucketReady(capacity, n) <= now || e.rolls() || e.counter.recognised
}

// CounterExcluded reports whether the server is known not to be a sliding counter.
func (e *Estimator) CounterExcluded() bool { return e.counter.excluded }

// Emission returns the time in which a bucket regains one request, or 0 if it is none.
func (e *Estimator) Emission() clock.Instant {
	if !e.bucket.recognised {
		return 0
	}
	return e.bucket.step
}

// Moves reports whether the reset moved by less than a window the last time that it moved.
func (e *Estimator) Moves() bool { return e.moves.rolled > 0 }

// Jumps reports whether resets show that one window follows the other.
func (e *Estimator) Jumps() bool { return e.moves.jumped >= movesEnough }

// Rolls reports whether resets show that the window rolls.
func (e *Estimator) Rolls() bool { return e.moves.rolled >= movesEnough }

// Windowless reports whether the server counts fewer requests than any window of a second, or longer, would: it
// is a bucket, or several servers count apart.
func (e *Estimator) Windowless() bool { return e.inflow.few >= inflowFew }

// Kind returns how the window counts, and whether that is sure.
func (e *Estimator) Kind(resetKnown bool) (name string, sure bool) {
	switch {
	case e.bucket.recognised:
		return Bucket, true
	case e.counter.recognised:
		return Weighed, true
	case e.rolls():
		return Rolling, true
	case e.Moves():
		return Rolling, e.Rolls()
	case resetKnown:
		return Fixed, e.Jumps()
	}
	return Unknown, false
}
