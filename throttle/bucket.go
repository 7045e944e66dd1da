package throttle

// A bucket recognises servers that refill continuously and announce when they
// will be full again, and follows them. On those (token buckets, GCRA) the time
// to the reset is what was spent times the emission interval, response after
// response; on all others it is not. Once recognised, the requests that refill
// allows need no answer first: the theoretical arrival time of the GCRA is
// followed by an upper bound that each response may lower.
type bucket struct {
	// emission bounds the emission interval: the time in which the server regains
	// one request.
	emission interval
	// leastSpent and mostSpent are the extremes among the responses that agreed.
	leastSpent, mostSpent int64
	samples               int
	refutedUntil          instant
	refill                refill

	recognised bool
	presumed   bool    // from little: a refusal refutes it
	step       instant // the emission interval followed
	full       instant // no later than this, the bucket is full again, counting all that was sent
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
func (b *bucket) observe(now instant, limit, spent, unsure int64, left interval, length instant) {
	if now < b.refutedUntil || limit < bucketSpent {
		return
	}
	precise := left.width() <= left.latest/4
	if precise && spent > 0 && spent <= limit {
		b.learn(now, limit, spent, left, length)
	}
	if !b.recognised {
		return
	}
	full := now + times(b.step, max(spent, 0)+unsure)
	if full < b.full || now+left.earliest > b.full {
		b.full = full
	}
}

// learn narrows the emission interval, and recognises or refutes the bucket.
func (b *bucket) learn(now instant, limit, spent int64, left interval, length instant) {
	// Remaining is rounded down and some servers count one more than their limit,
	// so what was really spent lies within one of what was told.
	bound := interval{earliest: max(left.earliest, 0) / instant(spent+1), latest: never}
	if spent > 1 {
		bound.latest = left.latest / instant(spent-1)
	}
	if b.samples > 0 && !b.emission.meets(bound) {
		*b = bucket{refutedUntil: now + max(4*length, 4*second)}
		return
	}
	if b.samples == 0 {
		b.emission, b.leastSpent, b.mostSpent = bound, spent, spent
	} else {
		b.emission = b.emission.intersect(bound)
		b.leastSpent, b.mostSpent = min(b.leastSpent, spent), max(b.mostSpent, spent)
	}
	b.samples++
	b.refill.observe(now, left)
	if moved := b.refill.moved && b.usual(limit); !moved &&
		(b.samples < bucketSamples || b.mostSpent < bucketSpent || b.mostSpent < bucketRange*b.leastSpent || b.emission.latest/3 >= b.emission.earliest/2) {
		return
	}
	b.recognise(limit)
}

// recognise follows the bucket from now on, or more closely.
func (b *bucket) recognise(limit int64) {
	b.step = max(b.emission.latest, 1)
	// Once it is known to a few hundredths, it is the one that makes a usual period.
	period := usualLength(times(b.emission.earliest, limit))
	if step := period / instant(limit); step < b.step && step >= b.emission.earliest && step > 0 && b.emission.width() <= step/32 {
		b.step = step
	}
	if !b.recognised {
		b.recognised, b.full = true, never
	}
}

// take counts n more as sent; slack is how much later than another they may
// arrive.
func (b *bucket) take(now, slack instant, n int64) {
	if b.recognised && b.full != never {
		b.full = min(max(b.full, now+slack)+times(b.step, n), 2*farthest)
	}
}

// ready returns when n more fit into a bucket of the given capacity.
func (b *bucket) ready(capacity, n int64) instant {
	if !b.recognised || b.full == never || capacity < n {
		return never
	}
	return b.full - times(b.step, capacity-n)
}
