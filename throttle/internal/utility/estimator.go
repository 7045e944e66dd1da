// Package utility finds out by trial what a key gains by waiting.
//
// It reads no clock and imports nothing of this module but package clock.
package utility

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An Estimator compares what is served if requests wait for a limit with what is served if they go
// like those of a client that only retries, of which each that was refused waits for itself.
// Where a limit is understood hardly any request is refused, and seldom is anything tried. Where many are
// refused all the same, somebody else spends what requests wait for, or several servers count
// apart, and then waiting may gain nothing.
//
// Time is divided into epochs of the server's clock. In each of them requests either wait or do not.
// All clients that compare wait in the same epochs, so that they find out together if no other
// is left.
type Estimator struct {
	epoch int64 // of the newest response
	whole bool  // it was observed from its beginning
	free  bool  // requests do not wait in it
	ramp  ramp  // of a trial that many refusals do not call for

	served, refused int64
	held            bool          // a request waits for the limit
	waited          int64         // served after one did
	moments         int           // at which some were refused,
	last            clock.Instant // the newest of them

	waiting, plain int64 // served in the last epoch of each
	every          int64 // of so many epochs requests wait in one; 0 is all
	full           int64 // epochs in a row in which requests waited for most of the time, since the last trial
	after          int64 // so many more pass before the next trial, as those before were in vain
}

const (
	// Epoch is how long an epoch is.
	Epoch = 10 * clock.Second
	// So many refusals at so many moments, and so large a part of all requests, are many.
	utilityRefused = 5
	utilityMoments = 4
	utilityPart    = 32
	utilityApart   = clock.Second / 2
	// Not to wait is worth it if more is served by one part of so many and by so many requests, and no longer
	// worth it if waiting serves less by one part of so many.
	utilityGain, utilityChance = 4, 8
	utilityLoss                = 10
	// Of so many epochs requests wait in one, at first and at last.
	utilityEvery, utilityMost = 4, 64
	// So many epochs pass before the first trial where the limit is in doubt, and before the next after one in vain,
	// at first and at last, and at most where many are refused.
	utilityDoubted                 = 2
	utilityAfter, utilityAfterMost = 128, 1024
	utilityRefusedAfter            = 8
)

// Free reports whether a request need not wait when so many are in flight.
func (e *Estimator) Free(flying int64) bool { return e != nil && e.free && e.ramp.allows(flying) }

// Hold notes that a request waits.
func (e *Estimator) Hold() {
	if e != nil {
		e.held = true
	}
}

// Serve takes in that a request was served in an epoch of the server's clock. doubted says that something
// speaks against the limit. It reports whether requests no longer wait from then on.
func (e *Estimator) Serve(epoch int64, doubted bool) (freed bool) {
	freed = e.turn(epoch, doubted)
	e.served++
	if e.held {
		e.held = false
		e.waited++
	}
	e.ramp.serve()
	return freed
}

// Refuse takes in that one was refused by the limit.
func (e *Estimator) Refuse(now clock.Instant, epoch int64, doubted bool) (freed bool) {
	freed = e.turn(epoch, doubted)
	e.refused++
	if e.moments == 0 || now-e.last >= utilityApart {
		e.moments++
		e.last = now
	}
	if e.free && e.ramp.refuse() {
		e.endVain()
		return false
	}
	return freed
}

// turn begins an epoch.
func (e *Estimator) turn(epoch int64, doubted bool) (freed bool) {
	if epoch == e.epoch {
		return false
	}
	was, next := e.free, epoch == e.epoch+1
	switch {
	case !next:
		e.free, e.full = false, 0
	case !e.whole:
	case e.free:
		e.endPlain(epoch)
	default:
		e.endWaiting(epoch, doubted)
	}
	e.whole = next
	e.epoch, e.served, e.refused, e.moments, e.waited = epoch, 0, 0, 0, 0
	return e.free && !was
}

// endWaiting takes in an epoch in which requests waited, before the given one.
func (e *Estimator) endWaiting(epoch int64, doubted bool) {
	e.waiting = e.served
	switch {
	case e.every > 0 && utilityLoss*e.waiting >= (utilityLoss-1)*e.plain:
		e.every, e.full = 0, 0 // nothing is gained any longer
	case e.every > 0:
		e.every = min(2*e.every, utilityMost)
		e.free = epoch%e.every != 0
	case 2*e.waited < e.served:
		e.full = 0
	default:
		e.full++
		e.try(doubted)
	}
}

// try begins a trial if it is time.
func (e *Estimator) try(doubted bool) {
	switch {
	case e.many() && e.full >= min(e.after, utilityRefusedAfter):
		e.free, e.ramp = true, ramp{}
	case doubted && e.full >= max(e.after, utilityDoubted):
		e.free, e.ramp = true, ramp{most: 1}
	}
}

// endPlain takes in an epoch in which requests did not wait, before the given one.
func (e *Estimator) endPlain(epoch int64) {
	e.plain = e.served
	switch {
	case utilityGain*(e.plain-utilityChance) <= (utilityGain+1)*e.waiting:
		e.endVain()
	case e.every == 0:
		e.every = utilityEvery
		fallthrough
	default:
		e.free, e.ramp, e.after = epoch%e.every != 0, ramp{}, 0
	}
}

// endVain ends a trial in which nothing was gained.
func (e *Estimator) endVain() {
	e.free, e.ramp, e.every, e.full = false, ramp{}, 0, 0
	e.after = min(max(4*e.after, utilityAfter), utilityAfterMost)
}

// many reports whether many requests of the epoch were refused.
func (e *Estimator) many() bool {
	return e.refused >= utilityRefused && e.moments >= utilityMoments && utilityPart*e.refused >= e.served
}
