package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A refill is what shows within a few answers that a server regains requests, and that
// its reset is when it has regained all: the time to the reset is what was spent times
// some interval, to a few hundredths, and the reset moves as it does nowhere else.
type refill struct {
	reset interval // as the first of these answers told it
	at    instant  // when that came
	moved bool     // the reset moved, and not with time
}

// refillPrecise is the part of the emission interval to which it has to be known.
const refillPrecise = 64

// observe takes in the time to the reset. That of a fixed window stays where it is, that of
// a log whose newest request is meant moves with the clock. Where requests come back,
// it moves by what was sent.
func (r *refill) observe(now instant, left interval) {
	reset := clock.Between(now+left.Earliest, now+left.Latest)
	if r.at == 0 {
		r.reset, r.at = reset, now
		return
	}
	by, passed := clock.Between(reset.Earliest-r.reset.Latest, reset.Latest-r.reset.Earliest), now-r.at
	if !by.Meets(interval{}) && !by.Meets(clock.Between(passed, passed)) {
		r.moved = true
	}
}

// usual reports whether the emission interval is known well, and makes a usual period.
func (b *bucket) usual(limit int64) bool {
	return b.samples > 0 && b.emission.Earliest > 0 && b.emission.Width() <= b.emission.Earliest/refillPrecise &&
		clock.UsualLength(clock.Times(b.emission.Earliest, limit)) <= clock.Times(b.emission.Latest, limit)
}

// servedEarly takes in that a request was served as soon as a refusal had said, long
// before the reset, and so many are spent then. So it is no window that opens at the
// reset, but a bucket, if filling it takes a usual time.
func (b *bucket) servedEarly(now instant, limit, spent int64) {
	if b.recognised || now < b.refutedUntil || !b.usual(limit) {
		return
	}
	b.recognise(limit)
	b.presumed, b.full = true, now+clock.Times(b.step, spent)
}

// refused returns what is believed after a refusal that no bucket explains.
func (b *bucket) refused(now, length instant) bucket {
	if b.presumed {
		return bucket{refutedUntil: now + bucketDoubt*max(length, second)}
	}
	return bucket{refutedUntil: b.refutedUntil}
}

// bucketDoubt is for how many windows a bucket that was refuted is not believed in.
const bucketDoubt = 4
