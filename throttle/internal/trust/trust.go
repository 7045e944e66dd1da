// Package trust finds out how far the server's word on a window is believed.
//
// Start reading at [Estimator], which tests windows that stop requests without showing that they
// count them; account.go has what shows that. The other types are about other words of the server,
// and know nothing of each other: [Belief] about that nothing is left, [Resets] about when the window
// opens, and [Mixture] about which of several windows a response speaks of. The Limiter of package
// throttle asks all of them, and decides what follows.
//
// The package imports package header and its neighbours clock and eventlog, and nothing else of this
// module.
package trust

import (
	"math"
	"math/rand/v2"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// An Estimator is how far the server's word on a window is believed. A window that stops a request
// foretells that the server would refuse it. That is believed where the window counts the
// requests that are sent, as far as responses show, and where a refusal confirmed it.
// Elsewhere, a request goes after a while that the window would stop, as a test. If it is
// refused, the window is confirmed; if it is served, twice as many go, and so on, until so
// many were served that the window limits nothing.
type Estimator struct {
	account   account
	confirmed bool // by a refusal
	broken    bool // the window limits nothing
	errors    int  // how often a refusal showed that doubts were wrong

	next   clock.Instant // when the next test may go; 0 is never
	pause  clock.Instant // before that
	mark   uint64        // of its tests
	sent   clock.Instant // when the last was
	flying int64         // tests that are not answered yet
	served int64         // tests in a row that were served
}

// A Key is what the tests of all windows of a key show together.
type Key struct {
	doubted      int32 // the second in which the next test of a window may go that was dropped
	contradicted int16 // tests of windows that were served since a refusal confirmed one

	// Suspended says that no window is tested: it is known by other means what may be spent.
	Suspended bool
}

// A Response is one that tells what remains of a window that counts requests.
type Response struct {
	Now              clock.Instant
	Number           int64 // of the request
	Answered         int64 // how many had been answered when it was sent, and itself
	Sent             int64 // by now
	Remaining, Limit int64
	Reset            clock.Instant // when the window opens at the earliest
	ResetKnown       bool
	Length           *clock.Length
}

const (
	trustFirst = 60 * clock.Second     // the pause before the first test
	trustUnits = 2 * 60 * clock.Second // of a window that counts something else than requests
	trustWrong = 2 * clock.Second      // of one that does not count what is sent
	trustLast  = 10 * 60 * clock.Second
	// trustServed is how many tests have to be served, twice as many after each error.
	trustServed = 32
	// trustSome is how many served tests of a key make it likely that its other windows limit
	// nothing either.
	trustSome = 8
	// trustPart is the part of a window before it opens in which a request tells nothing.
	trustPart = 4
)

// New returns the trust in a window that was not known before.
func (k *Key) New() Estimator {
	return Estimator{next: clock.Instant(k.doubted) * clock.Second, broken: k.contradicted >= 2*trustServed}
}

// Contradicted reports whether tests were served since a refusal confirmed a window.
func (k *Key) Contradicted() bool { return k.contradicted > 0 }

// Drop notes that a doubted window is dropped.
func (k *Key) Drop(t *Estimator) {
	k.doubted = int32(min((t.next+clock.Second-1)/clock.Second, math.MaxInt32))
}

// Observe takes in what a response says remains of the window.
func (t *Estimator) Observe(r *Response) { t.account.observe(r) }

// ObserveUnits takes in what a response says remains of a window that does not count requests.
func (t *Estimator) ObserveUnits(remaining int64) { t.account.observeUnits(remaining) }

// Wrong reports whether the window does not count what is sent.
func (t *Estimator) Wrong() bool { return t.account.wrong(t.errors) }

// Broken reports whether the window limits nothing.
func (t *Estimator) Broken() bool { return t.broken }

// Doubted reports whether the window is tested. One that others spend falls by what they send, too, but
// hardly by much at once.
func (t *Estimator) Doubted(others bool) bool {
	if t.broken || t.Wrong() {
		return !t.broken
	}
	return !t.confirmed && (t.account.strange || !t.account.counts() && !others)
}

// Ready returns when a test may go of a window that has this length and lets a request go at the given
// time.
func (t *Estimator) Ready(now, at, length clock.Instant, rtt *clock.RTT) clock.Instant {
	test := max(now, t.next)
	if t.next == 0 || !stops(test, at, length) || t.flying > t.served && now < t.sent+rtt.Patience() {
		return at
	}
	return test
}

// stops reports whether a window that lets a request go at the given time foretells that the server
// would refuse one now. Shortly before the window opens it only errs towards waiting.
func stops(now, at, length clock.Instant) bool {
	return at > now && (at == clock.Never || at-now >= length/trustPart)
}

// Planned reports whether a test may go, sooner or later.
func (t *Estimator) Planned() bool { return t.next > 0 }

// Clear plans no test, because the window is believed.
func (t *Estimator) Clear() { t.next = 0 }

// Plan plans the first test of a window. units says that it counts something else than requests.
func (t *Estimator) Plan(k *Key, now clock.Instant, units bool, random *rand.PCG) {
	t.pause = max(t.pause, t.firstPause(k, units))
	t.plan(now, random)
}

// Hurry lets a test of a window go soon that does not count what is sent.
func (t *Estimator) Hurry(now clock.Instant) { t.next = min(t.next, now+trustWrong) }

// firstPause returns how long the window is believed before the first test.
func (t *Estimator) firstPause(k *Key, units bool) clock.Instant {
	switch {
	case k.contradicted >= trustSome || t.Wrong():
		return trustWrong
	case t.account.strange:
		return max(trustWrong, t.account.regains)
	case t.account.plausible():
		return trustLast
	case units:
		return trustUnits
	}
	return trustFirst
}

// plan lets the next test go after a pause.
func (t *Estimator) plan(now clock.Instant, random *rand.PCG) {
	t.next = now + t.pause + clock.Jitter(random, t.pause/16)
}

// Send notes that n more go, the last of them with the given number, where the window lets a request go
// at the given time. If they test the window, Send returns the mark of its tests; otherwise 0.
func (t *Estimator) Send(now, at, length clock.Instant, number, n int64, rtt *clock.RTT) (mark uint64) {
	if !stops(now, at, length) {
		return 0
	}
	if t.mark == 0 {
		t.mark = 1 << (number % 64)
	}
	if now > t.sent+rtt.Patience() {
		t.flying = 0
	}
	t.sent, t.flying = now, t.flying+n
	return t.mark
}

// Tests reports whether a request with these marks tests the window.
func (t *Estimator) Tests(marks uint64) bool { return marks&t.mark != 0 }

// Serve takes in that a test of n requests was served.
func (t *Estimator) Serve(k *Key, n int64) {
	t.flying = max(t.flying-n, 0)
	k.contradicted = int16(min(int64(k.contradicted)+n, 1<<14))
	t.served += n
	t.broken = t.broken || max(t.served, int64(k.contradicted)/2) >= trustServed<<min(t.errors, 16)
}

// Refuse takes in that a test of n requests was refused. overloaded says that the refusal does not speak
// of a limit.
func (t *Estimator) Refuse(now clock.Instant, n int64, overloaded bool, random *rand.PCG) {
	t.flying = max(t.flying-n, 0)
	if overloaded {
		return
	}
	t.served, t.account.risen = 0, 0
	t.pause = min(2*max(t.pause, trustFirst), trustLast)
	t.plan(now, random)
}

// Confirmed reports whether a refusal said that nothing is left of the window.
func (t *Estimator) Confirmed() bool { return t.confirmed }

// Confirm notes that a refusal says that nothing is left of the window.
func (t *Estimator) Confirm(k *Key) {
	if t.broken || t.served > 0 {
		t.errors++
	}
	k.contradicted, k.doubted = 0, 0
	t.confirmed, t.broken, t.served, t.account.risen = true, false, 0, 0
}
