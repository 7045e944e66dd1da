package throttle

// An eagerness shortens the waits of a short window of which responses do not tell how much
// is needed: when within a second it opens, or whether the server weighs the window before.
// Such a wait may cost as much as a limit of half the size. After some
// of them a request is sent earlier, alone. If it is served several times, later ones go as
// early; if it is refused, the next such test comes after many times as many waits.
type eagerness struct {
	level  int     // the part of the wait that is left out: 1 - 1/2^level, or all of it
	waits  int     // at this level since it was reached, or since the last test
	pause  int     // so many of them before a test
	served int     // tests of the next level in a row
	safe   instant // when the next request may surely go
	number int64   // of the request under way that waited; 0 is none
	early  bool    // it was sent before that
	test   bool    // it tests the next level
}

const (
	eagerLevels = 5
	eagerServed = 2 // tests in a row that reach a level
	eagerPause  = 2
	eagerMost   = 1024
	eagerAgain  = 8 // so many times as many after a test that was refused
	// The wait has to be longer than this part of the window, which is short.
	eagerPart  = 8
	eagerShort = 10 * second
)

// due reports whether it is time for a test.
func (e *eagerness) due() bool { return e.waits >= max(e.pause, eagerPause) }

// ready returns when a request may go that may surely go at safe, and perhaps at soon.
func (e *eagerness) ready(now, soon, safe instant) instant {
	e.safe = safe
	level := e.level
	if e.due() {
		level++
	}
	switch wait := safe - soon; {
	case level == 0:
		return safe
	case level >= eagerLevels:
		return max(now, soon)
	default:
		return max(now, soon+wait>>level)
	}
}

// send notes that a request goes.
func (e *eagerness) send(now instant, number int64) {
	if e.safe == 0 {
		return
	}
	e.number, e.early, e.test = number, now < e.safe, e.due()
	e.safe = 0
}

// observe takes in what became of a request. full says that a window that has just opened
// would tell the same of what remains. If less does, requests come back one by one, and nothing
// was lost by the wait.
func (e *eagerness) observe(t *Reservation, refused, full bool) {
	if e.number == 0 || t.number != e.number {
		return
	}
	e.number = 0
	if full && !refused {
		e.waits++
	}
	switch {
	case !e.early || !refused && !e.test:
	case !refused:
		if e.served++; e.served >= eagerServed {
			e.level, e.served, e.waits = min(e.level+1, eagerLevels), 0, 0
		}
	case !e.test:
		e.level = max(e.level-1, 0)
		fallthrough
	default:
		e.served, e.waits = 0, 0
		e.pause = min(eagerAgain*max(e.pause, eagerPause), eagerMost)
	}
}

// eagerReady returns when n more may go where they may surely go at safe.
func (w *window) eagerReady(k *Limiter, now instant, n int64, safe instant) instant {
	if n > 1 || !w.resetKnown || w.length.Value == 0 || w.length.Value > eagerShort || k.sent != k.answered ||
		w.phase.Settled() > 0 || w.contention.Others(now) || w.kind.Regains() || w.probe.bidden > 0 {
		return safe
	}
	soon := w.reset.Earliest
	if w.length.Told {
		soon = w.history.FallsTo(w.limit-w.reserve-n) + w.reach(k)
	}
	if eagerPart*(safe-max(soon, k.lastSent)) < w.length.Value {
		return safe
	}
	return min(safe, w.eager.ready(now, soon, safe))
}
