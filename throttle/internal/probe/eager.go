package probe

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An Eager shortens the waits of a short window of which responses do not tell how much
// is needed: when within a second it opens, or whether the server weighs the window before.
// Such a wait may cost as much as a limit of half the size. After some
// of them a request is sent earlier, alone. If it is served, later ones go as
// early; if it is refused, the next such test comes after many times as many waits.
type Eager struct {
	begun  bool          // see Begin
	level  int           // the part of the wait that is left out: 1 - 1/2^level, or all of it
	waits  int           // at this level since it was reached, or since the last test
	pause  int           // so many of them before a test
	safe   clock.Instant // when the next request may surely go
	number int64         // of the request under way that waited; 0 is none
	early  bool          // it was sent before that
	test   bool          // it tests the next level
}

const (
	eagerLevels = 5
	eagerPause  = 2
	eagerMost   = 1024
	eagerAgain  = 8 // so many times as many after a test that was refused
	// The wait has to be longer than this part of the window, which is short.
	eagerPart  = 8
	eagerShort = 20 * clock.Second
)

// Begin says that the first wait is left out at once, and not step by step: where a window has one request,
// to wait for a second one costs as much as is served. Refusals bring the wait back step by step.
func (e *Eager) Begin() {
	if !e.begun {
		e.begun, e.level = true, eagerLevels
	}
}

// due reports whether it is time for a test.
func (e *Eager) due() bool { return e.waits >= max(e.pause, eagerPause) }

// Short reports whether a window is so short that its waits are shortened.
func Short(length clock.Instant) bool { return length > 0 && length <= eagerShort }

// Ready returns when a request may go that may surely go at safe, and perhaps at soon. last is when the
// last one went.
func (e *Eager) Ready(now, soon, safe, last, length clock.Instant) clock.Instant {
	if eagerPart*(safe-max(soon, last)) < length {
		return safe
	}
	return min(safe, e.ready(now, soon, safe))
}

func (e *Eager) ready(now, soon, safe clock.Instant) clock.Instant {
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

// Clear notes that a request may go at once, so that it does not wait.
func (e *Eager) Clear() { e.safe = 0 }

// Waits reports whether the next request waits for the window.
func (e *Eager) Waits() bool { return e.safe != 0 }

// Send notes that a request goes.
func (e *Eager) Send(now clock.Instant, number int64) {
	if e.safe == 0 {
		return
	}
	e.number, e.early, e.test = number, now < e.safe, e.due()
	e.safe = 0
}

// Observe takes in what became of a request. full says that a window that has just opened
// would tell the same of what remains. If less does, requests come back one by one, and nothing
// was lost by the wait.
func (e *Eager) Observe(number int64, refused, full bool) {
	if e.number == 0 || number != e.number {
		return
	}
	e.number = 0
	if full && !refused {
		e.waits++
	}
	switch {
	case !e.early || !refused && !e.test:
	case !refused:
		e.level, e.waits = min(e.level+1, eagerLevels), 0
	case !e.test:
		e.level = max(e.level-1, 0)
		fallthrough
	default:
		e.waits = 0
		e.pause = min(eagerAgain*max(e.pause, eagerPause), eagerMost)
	}
}
