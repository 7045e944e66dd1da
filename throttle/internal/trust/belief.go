package trust

import (
	"cmp"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A Belief that nothing is left may be wrong: the token was renewed, the quota raised, the
// answer came from somewhere else. Where it rests on an answer that was no refusal it is
// tried now and then by a request that could not wait for the reset. An honest server
// refuses it, and is tried the more rarely; one that serves it is tried the sooner. What has
// lasted for long is tested by one that could wait, too.
type Belief struct {
	// Undated says that the server tells the reset by a clock of which nothing shows that it is like
	// ours. Then any request may try it.
	Undated bool

	empty  bool          // nothing was left, as the newest answer says
	fell   bool          // something was left before
	since  clock.Instant // when it began
	next   clock.Instant // when it may be tried
	pause  clock.Instant // between two tries
	tried  bool          // it was tried, and is not answered yet
	early  bool          // and on no other ground
	served int           // tries in a row that were served although nothing was left
	probed int           // probes in a row that were, and after which nothing was left, nor a reset to come
	vain   int           // how often those did not show that the limit is none
	beyond bool          // requests are served beyond the limit, so that it limits nothing
	over   bool          // it was tested last after the reset
	lasts  bool          // and that was refused

	tested clock.Instant // when it was tested last, or tried
	passed int           // tests in a row that were served although nothing was left
	rest   clock.Instant // between two tests, whatever came between; 0 is the first
}

const (
	beliefFirst = 60 * clock.Second
	beliefLast  = 10 * 60 * clock.Second
	beliefPart  = 8 // or such a part of the time for which nothing was left
	// The first pause where the reset is told by an unknown clock, or nothing was ever left.
	beliefDoubted = 2 * clock.Second
	// What is so soon over is not tried.
	beliefSoon = 45 * clock.Second
	// What holds requests back for so long after the reset is tested.
	beliefOver = 2 * 60 * clock.Second
	// What has lasted so long is tested, and each refusal makes the next test come so many times later, but no
	// later than that.
	beliefRest  = 5 * 60 * clock.Second
	beliefLater = 3
	beliefRests = 24 * 60 * 60 * clock.Second
	// One that is served makes the next one come so soon.
	beliefServedRest = 2 * clock.Second
	// A try that is served makes the next one come so many times sooner, and after so
	// many in a row the limit is none.
	beliefSooner = 8
	beliefServed = 2
	// Probes and tests of what lasts are less telling: others may take what comes back, and a bucket has what
	// came back since. So many, twice as many after each error.
	beliefProbed = 4
	beliefPassed = 4
)

// Observe takes in what a response says of its window. It reports whether that shows a
// belief to be wrong that was tried.
func (b *Belief) Observe(now clock.Instant, said *header.Window, remaining int64, known, refused, probe bool) (wrong bool) {
	more := !refused && said.Used.State == header.Known && said.Limit.State == header.Known && said.Used.Value > said.Limit.Value
	switch {
	case !known:
	case remaining > 0:
		wrong = b.tried
		*b = Belief{vain: b.vain, fell: true, Undated: b.Undated, tested: b.tested, rest: b.rest, lasts: b.lasts}
	case refused:
		if b.beyond {
			b.vain = min(b.vain+1, 16)
		}
		if b.tried && b.early {
			b.later()
		}
		b.tried, b.early, b.fell, b.served, b.probed, b.passed = false, false, true, 0, 0, 0
	case probe && said.Limit.Value != 1:
		b.probed++
	case b.tried && b.early:
		b.tried, b.early = false, false
		if !b.Undated { // a window that rolls gives back a few
			b.served++
		}
		b.pause = max(b.pause/beliefSooner, clock.Second)
		b.next = now + b.pause
	}
	if known && remaining == 0 && !b.empty {
		b.fell = b.fell || said.Limit.State == header.Known && said.Limit.Value <= 1 // by the request itself
		b.empty, b.since, b.pause, b.next = true, now, b.first(), now+b.first()
	}
	b.beyond = more || b.served >= beliefServed<<b.vain || b.passed >= beliefPassed<<b.vain || b.probed >= beliefProbed<<b.vain
	return wrong
}

// first returns the first pause. While nothing was ever left, no response has shown that what is left counts
// requests.
func (b *Belief) first() clock.Instant {
	if b.Undated || !b.fell {
		return beliefDoubted
	}
	return beliefFirst
}

// Ready returns when a request may go that may go at the given time as far as the belief is true.
func (b *Belief) Ready(now, at clock.Instant) clock.Instant {
	if !b.Undated || !b.empty || at-now < beliefSoon {
		return at
	}
	return min(at, max(now, b.next))
}

// resting returns how long the belief is left alone between two tests.
func (b *Belief) resting() clock.Instant { return cmp.Or(b.rest, beliefRest) }

// later has the next test come later.
func (b *Belief) later() { b.rest = min(beliefLater*max(b.rest, beliefRest), beliefRests) }

// DueTest returns when a request may test the belief that has to wait until ready, of a window of this reset; never if
// that is too soon. What is held back beyond the reset is not because of what the server said, and tested at once.
func (b *Belief) DueTest(now, ready clock.Instant, reset clock.Interval) clock.Instant {
	rest := b.resting()
	due := max(b.since+min(rest, beliefRest), b.tested+rest)
	switch {
	case !b.empty:
	case min(ready, reset.Earliest) >= max(now, due)+beliefSoon:
		return due
	case !b.lasts && b.tested < reset.Latest && ready >= max(now, reset.Latest)+beliefOver:
		return reset.Latest
	}
	return clock.Never
}

// Test notes that a request tests the belief, and that it is no try. over says that the reset has passed.
func (b *Belief) Test(now clock.Instant, over bool) { b.tested, b.early, b.over = now, false, over }

// EndTest takes in what became of such a request: it was refused, or served while much is left, or nothing.
func (b *Belief) EndTest(now clock.Instant, refused bool, remaining, limit int64) {
	switch {
	case b.over:
		b.lasts = refused
	case refused:
		b.later()
		b.passed = 0
	case remaining > 0:
		if b.tried = true; 2*remaining > limit {
			b.rest = max(b.resting()/beliefSooner, beliefSoon)
		}
	default:
		b.passed++
		b.tested = now + beliefServedRest - b.resting()
		b.beyond = b.beyond || b.passed >= beliefPassed<<b.vain
	}
}

// Since returns when nothing was left for the first time.
func (b *Belief) Since() clock.Instant { return b.since }

// Empty reports whether nothing was left, as the newest response says.
func (b *Belief) Empty() bool { return b.empty }

// Beyond reports whether requests are served beyond the limit, so that it limits nothing.
func (b *Belief) Beyond() bool { return b.beyond }

// Due returns when a request may try whether nothing is left.
func (b *Belief) Due() clock.Instant { return b.next }

// Send notes that a request is sent while nothing is left, and whether it goes on no other ground than to
// try that.
func (b *Belief) Send(early bool) { b.early = early }

// Early reports whether the request that tries goes on no other ground.
func (b *Belief) Early() bool { return b.early }

// Try notes that it is tried.
func (b *Belief) Try(now clock.Instant) {
	if b.empty {
		b.tried = true
		b.pause = min(2*max(b.pause, b.first()), beliefLast)
		b.next = now + max(b.pause, (now-b.since)/beliefPart)
		if b.early {
			b.tested = now
		}
	}
}
