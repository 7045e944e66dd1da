package throttle

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// turns let those who share a window send one after the other. Each sends at the rate at
// which what is left would last until the reset, if nobody else were there. All see the
// same, so that they send at the same rate, however many they are and whoever began:
// while one sends once, each of the others does. Beside others who take what they can
// that would leave us hardly anything, so that turns are taken only where all do.
type turns struct {
	on         bool    // they are taken in this window
	hurried    bool    // others did not wait for theirs
	vain       int     // windows in a row in which they did not
	pause      int     // in so many windows to come no turns are taken,
	pauseAfter int     // which doubles
	part       float64 // ours, of the last window in which nobody hurried
}

const (
	turnsVain  = 2  // windows in vain end them, for so many windows:
	turnsRest  = 8  // first,
	turnsPause = 64 // and at most
	// Who sent so much less than its part of what is left that turnsFew more would not
	// matter sends freely. turnsPart is the largest part that one who shares counts on.
	turnsFew  = 16
	turnsPart = 0.25
	// turnsMany is more than share one window. Where others spend by turnsHaste faster
	// than so many as we see would, and two, some do not wait.
	turnsMany  = 24
	turnsHaste = 1.25
)

// takesTurns reports whether others spend a window that is open, and neither rolls nor
// refills, and that is spent in turns.
func (w *window) takesTurns(k *Limiter, now instant) bool {
	s := &w.contention
	return s.others(now) && s.turns.on && !w.kind.Rolls() && s.begun && !w.kind.Regains() &&
		w.resetKnown && now < w.reset.Earliest && k.policy.Threshold != Amount{}
}

// turn returns when n more go in turn. Who would not use its part, as it sent less in as
// long a time, does not wait.
func (s *contention) turn(w *window, k *Limiter, now instant, n int64) pacing {
	remains := w.reset.Earliest - now
	left := float64(s.left-w.reserve) - float64(k.sent-s.newest-s.back)/s.ours(w)
	lately := float64(w.history.After(now-remains) + n)
	if k.policy.MaxPacing > 0 && min(s.ours(w), turnsPart)*left >= pacingSure*lately+turnsFew {
		return pacing{at: now}
	}
	step := (w.reset.Earliest - k.lastSent) / instant(max(left, 1))
	return pacing{at: max(now, k.lastSent+clock.Times(step, n)), most: unbounded}
}

// observe holds what is left against turns. If n others and we take them, the n others leave
// at least the n-th power of the part of the window that remains.
func (u *turns) observe(w *window, now instant) {
	s, length, remains := &w.contention, w.length.Value, w.reset.Earliest-now
	if !u.on || w.kind.Rolls() || remains <= length/16 || remains >= length || 4*(w.limit-s.left) < w.limit {
		return
	}
	own := s.newest - s.number + 1
	theirs := float64(w.limit - s.left - own)
	all := -math.Log1p(-min(theirs, float64(w.limit)-.5)/float64(w.limit)) / math.Log(float64(length)/float64(remains))
	seen := theirs / float64(own)
	if all > turnsMany || all > turnsHaste*seen+2 {
		u.hurried = true
	}
}

// begin starts over with a new window. It returns our part of the last one, or, where
// turns were taken in vain, of the one before.
func (u *turns) begin(part float64, others bool) float64 {
	switch {
	case u.pause > 0:
		u.pause--
	case u.hurried:
		part = u.part
		if u.vain++; u.vain >= turnsVain {
			u.pauseAfter = min(max(2*u.pauseAfter, turnsRest), turnsPause)
			u.pause, u.vain = u.pauseAfter, 0
		}
	case u.on:
		u.pauseAfter, u.vain = 0, 0
	}
	u.on, u.hurried = others && u.pause == 0, false
	u.part = part
	return part
}
