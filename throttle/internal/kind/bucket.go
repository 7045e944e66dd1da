package kind

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A bucket recognises servers that refill continuously and announce when they
// will be full again, and follows them. On those (token buckets, GCRA) the time
// to the reset is what was spent times the emission interval, response after
// response; on all others it is not. Once recognised, the requests that refill
// allows need no answer first: the theoretical arrival time of the GCRA is
// followed by an upper bound that each response may lower.
type bucket struct {
	// emission bounds the emission interval: the time in which the server regains
	// one request.
	emission clock.Interval
	// leastSpent and mostSpent are the extremes among the responses that agreed.
	leastSpent, mostSpent int64
	samples               int
	refutedUntil          clock.Instant
	refill                refill

	recognised bool
	presumed   bool          // from little: a refusal refutes it
	filled     bool          // by what remains alone, as long as that shows it
	step       clock.Instant // the emission interval followed
	full       clock.Instant // no later than this, the bucket is full again, counting all that was sent
}

// A bucket is recognised from this many responses, over this range of what was
// spent, with at least so much spent in one of them.
const (
	bucketSamples = 4
	bucketRange   = 4
	bucketSpent   = 8
)

// observe takes in one response: spent is what the server counted against limit,
// left the time to its reset, unsure what else was sent that it may not have
// counted.
func (b *bucket) observe(now clock.Instant, limit, spent, unsure int64, left clock.Interval, length clock.Instant) {
	if now < b.refutedUntil || limit < bucketSpent {
		return
	}
	precise := left.Width() <= left.Latest/4
	if precise && spent > 0 && spent <= limit {
		b.learn(now, limit, spent, left, length)
	}
	if !b.recognised {
		return
	}
	full := now + clock.Times(b.step, max(spent, 0)+unsure)
	if full < b.full || now+left.Earliest > b.full {
		b.full = full
	}
}

// learn narrows the emission interval, and recognises or refutes the bucket.
func (b *bucket) learn(now clock.Instant, limit, spent int64, left clock.Interval, length clock.Instant) {
	// Remaining is rounded down and some servers count one more than their limit,
	// so what was really spent lies within one of what was told.
	bound := clock.Interval{Earliest: max(left.Earliest, 0) / clock.Instant(spent+1), Latest: clock.Never}
	if spent > 1 {
		bound.Latest = left.Latest / clock.Instant(spent-1)
	}
	if b.samples > 0 && !b.emission.Meets(bound) {
		*b = bucket{refutedUntil: now + max(4*length, 4*clock.Second)}
		return
	}
	if b.samples == 0 {
		b.emission, b.leastSpent, b.mostSpent = bound, spent, spent
	} else {
		b.emission = b.emission.Intersect(bound)
		b.leastSpent, b.mostSpent = min(b.leastSpent, spent), max(b.mostSpent, spent)
	}
	b.samples++
	b.refill.observe(now, left)
	if moved := b.refill.moved && b.usual(limit); !moved &&
		(b.samples < bucketSamples || b.mostSpent < bucketSpent || b.mostSpent < bucketRange*b.leastSpent || b.emission.Latest/3 >= b.emission.Earliest/2) {
		return
	}
	b.recognise(limit)
}

// recognise follows the bucket from now on, or more closely.
func (b *bucket) recognise(limit int64) {
	b.step = max(b.emission.Latest, 1)
	// Once it is known to a few hundredths, it is the one that makes a usual period.
	period := clock.UsualLength(clock.Times(b.emission.Earliest, limit))
	if step := period / clock.Instant(limit); step < b.step && step >= b.emission.Earliest && step > 0 && b.emission.Width() <= step/32 {
		b.step = step
	}
	if !b.recognised {
		b.recognised, b.full = true, clock.Never
	}
}

// fill follows a bucket that is known to regain a request in no longer than step, and of which so
// many were spent when a response came at now.
func (b *bucket) fill(now, step clock.Instant, spent int64) {
	if !b.recognised {
		b.recognised, b.filled, b.step, b.full = true, true, step, clock.Never
	}
	b.step = min(b.step, step)
	b.full = min(b.full, now+clock.Times(b.step, spent))
}

// take counts n more as sent; slack is how much later than another they may
// arrive.
func (b *bucket) take(now, slack clock.Instant, n int64) {
	if b.recognised && b.full != clock.Never {
		b.full = min(max(b.full, now+slack)+clock.Times(b.step, n), 2*clock.Farthest)
	}
}

// ready returns when n more fit into a bucket of the given capacity.
func (b *bucket) ready(capacity, n int64) clock.Instant {
	if !b.recognised || b.full == clock.Never || capacity < n {
		return clock.Never
	}
	return b.full - clock.Times(b.step, capacity-n)
}

// A refill is what shows within a few answers that a server regains requests, and that
// its reset is when it has regained all: the time to the reset is what was spent times
// some interval, to a few hundredths, and the reset moves as it does nowhere else.
type refill struct {
	reset clock.Interval // as the first of these answers told it
	at    clock.Instant  // when that came
	moved bool           // the reset moved, and not with time
}

// refillPrecise is the part of the emission interval to which it has to be known.
const refillPrecise = 64

// observe takes in the time to the reset. That of a fixed window stays where it is, that of
// a log whose newest request is meant moves with the clock. Where requests come back,
// it moves by what was sent.
func (r *refill) observe(now clock.Instant, left clock.Interval) {
	reset := clock.Between(now+left.Earliest, now+left.Latest)
	if r.at == 0 {
		r.reset, r.at = reset, now
		return
	}
	by, passed := clock.Between(reset.Earliest-r.reset.Latest, reset.Latest-r.reset.Earliest), now-r.at
	if !by.Meets(clock.Interval{}) && !by.Meets(clock.Between(passed, passed)) {
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
func (b *bucket) servedEarly(now clock.Instant, limit, spent int64) {
	if b.recognised || now < b.refutedUntil || !b.usual(limit) {
		return
	}
	b.recognise(limit)
	b.presumed, b.full = true, now+clock.Times(b.step, spent)
}

// refused returns what is believed after a refusal that no bucket explains.
func (b *bucket) refused(now, length clock.Instant) bucket {
	if b.presumed {
		return bucket{refutedUntil: now + bucketDoubt*max(length, clock.Second)}
	}
	return bucket{refutedUntil: b.refutedUntil}
}

// bucketDoubt is for how many windows a bucket that was refuted is not believed in.
const bucketDoubt = 4
