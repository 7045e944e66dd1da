package throttle

import "github.com/forbear-go/forbear/throttle/header"

// A trust is how far the server's word on a window is believed. A window that stops a request
// foretells that the server would refuse it. That is believed where the window counts the
// requests that are sent, as far as responses show, and where a refusal confirmed it.
// Elsewhere, a request goes after a while that the window would stop, as a test. If it is
// refused, the window is confirmed; if it is served, twice as many go, and so on, until so
// many were served that the window limits nothing.
type trust struct {
	account   account
	confirmed bool // by a refusal
	broken    bool // the window limits nothing
	errors    int  // how often a refusal showed that doubts were wrong

	next   instant // when the next test may go; 0 is never
	pause  instant // before that
	mark   uint64  // of its tests
	sent   instant // when the last was
	flying int64   // tests that are not answered yet
	served int64   // tests in a row that were served
}

const (
	trustFirst = 60 * second     // the pause before the first test
	trustUnits = 2 * 60 * second // of a window that counts something else than requests
	trustWrong = 2 * second      // of one that does not count what is sent
	trustLast  = 10 * 60 * second
	// trustServed is how many tests have to be served, twice as many after each error.
	trustServed = 32
	// trustSome is how many served tests of a key make it likely that its other windows limit
	// nothing either.
	trustSome = 8
	// trustPart is the part of a window before it opens in which a request tells nothing.
	trustPart = 4
)

// newTrust returns the trust in a window that was not known before.
func (k *Limiter) newTrust() trust {
	return trust{next: instant(k.doubted) * second, broken: k.contradicted >= 2*trustServed}
}

// wrong reports whether the window does not count what is sent.
func (t *trust) wrong() bool { return t.account.wrong(t.errors) }

// doubted reports whether w is tested. A window that others spend falls by what they send, too.
func (w *window) doubted(now instant) bool {
	t := &w.trust
	return !t.broken && (!t.confirmed && !t.account.counts() && !w.contention.Others(now) || t.wrong())
}

// testReady returns when a test of w may go where w lets a request go at the given time.
func (w *window) testReady(k *Limiter, now, at instant) instant {
	t := &w.trust
	test := max(now, t.next)
	if t.next == 0 || !w.stops(test, at) || t.flying > t.served && now < t.sent+k.rtt.Patience() {
		return at
	}
	return test
}

// stops reports whether w, which lets a request go at the given time, foretells that the server
// would refuse one now. Shortly before the window opens it only errs towards waiting.
func (w *window) stops(now, at instant) bool {
	return at > now && (at == never || at-now >= w.length.Value/trustPart)
}

// doubt plans tests of the windows that stop requests at now.
func (k *Limiter) doubt(now instant) {
	if k.unannounced {
		return
	}
	for i := range k.windows {
		w := &k.windows[i]
		switch t := &w.trust; {
		case !w.doubted(now):
			t.next = 0
		case t.next == 0 && (k.sent == k.answered || t.wrong()) && w.ready(k, now, 1) > now:
			t.pause = max(t.pause, w.firstPause(k))
			t.plan(k, now)
		case t.wrong():
			t.next = min(t.next, now+trustWrong)
		}
	}
}

// firstPause returns how long w is believed before the first test.
func (w *window) firstPause(k *Limiter) instant {
	switch {
	case k.contradicted >= trustSome || w.trust.wrong():
		return trustWrong
	case w.trust.account.plausible():
		return trustLast
	case w.units != nil:
		return trustUnits
	}
	return trustFirst
}

// plan lets the next test go after a pause.
func (t *trust) plan(k *Limiter, now instant) { t.next = now + t.pause + k.jitter(t.pause/16) }

// tests notes that n more go, and returns the marks of the windows that are tested by them.
func (k *Limiter) tests(now instant, n int64) (marks uint64) {
	if k.unannounced {
		return 0
	}
	for i := range k.windows {
		w := &k.windows[i]
		if t := &w.trust; t.next > 0 && w.stops(now, w.ready(k, now, n)) {
			t.send(k, now, n)
			marks |= t.mark
		}
	}
	return marks
}

// send notes that n more go as tests.
func (t *trust) send(k *Limiter, now instant, n int64) {
	if t.mark == 0 {
		t.mark = 1 << (k.sent % 64)
	}
	if now > t.sent+k.rtt.Patience() {
		t.flying = 0
	}
	t.sent, t.flying = now, t.flying+n
}

// judge takes in what became of a request that may be a test.
func (k *Limiter) judge(now instant, r *Reservation, response *header.Reading) {
	for i := range k.windows {
		t := &k.windows[i].trust
		if r.tests&t.mark == 0 {
			continue
		}
		t.flying = max(t.flying-r.cost, 0)
		switch {
		case !response.Refused:
			k.contradicted = int16(min(int64(k.contradicted)+r.cost, 1<<14))
			t.served += r.cost
			t.broken = t.broken || max(t.served, int64(k.contradicted)/2) >= trustServed<<min(t.errors, 16)
		case !response.Overloaded():
			t.served, t.account.risen = 0, 0
			t.pause = min(2*max(t.pause, trustFirst), trustLast)
			t.plan(k, now)
		}
	}
}

// confirm notes that a refusal says that nothing is left of the window.
func (t *trust) confirm(k *Limiter) {
	if t.broken || t.served > 0 {
		t.errors++
	}
	k.contradicted, k.doubted = 0, 0
	t.confirmed, t.broken, t.served, t.account.risen = true, false, 0, 0
}
