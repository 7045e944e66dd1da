package contention

import (
	"math"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// turns let the clients that share a window send one after the other. Each sends at the rate
// at which what is left would last until the reset, if no other client were there. All see the
// same, so that they send at the same rate, however many they are and whichever began: while
// one sends once, each of the others does. Beside clients that take what they can, that would
// leave us hardly anything, so that turns are taken only where all do; see rivals.
type turns struct {
	on      bool    // they are taken in this window
	hurried bool    // other clients did not wait for theirs
	sure    bool    // if they do not, they did not before either
	yielded bool    // something was left late enough for all who do
	part    float64 // ours, of the last window in which no client hurried
}

const (
	// A client that sent so much less than its part of what is left, turnsSure times and
	// turnsFew more, sends freely. turnsPart is the largest part that a client counts on.
	turnsFew  = 16
	turnsSure = 2
	turnsPart = 0.25
	// turnsMany is more clients than share one window. If others spend by turnsHaste faster
	// than as many as we see would, and two, some do not wait.
	turnsMany   = 24
	turnsHaste  = 1.25
	turnsChance = 2
	// Those who take turns leave something of a window until this part of it has passed, and
	// those who do not leave nothing at that one.
	turnsSoon = 1. / 8
	turnsLate = 1. / 4
)

// TakesTurns reports whether other clients spend a window that is open, and neither rolls nor
// refills, and that is spent in turns.
func (s *Estimator) TakesTurns(v *View) bool {
	return s.Others(v.Now) && s.turns.on && !s.turns.hurried && !v.Kind.Rolls() && s.begun && !v.Kind.Regains() &&
		v.ResetKnown && v.Now < v.Reset.Earliest
}

// Turn returns when n more go in turn. If mayPass, a client that sends so little that it would
// not use its part does not wait for its turn.
func (s *Estimator) Turn(v *View, n int64, mayPass bool) (at clock.Instant, waits bool) {
	remains := v.Reset.Earliest - v.Now
	left := float64(s.left-v.Reserve) - float64(v.Sent-s.newest-s.back)/s.Part(v.Limit)
	lately := float64(v.Log.After(v.Now-remains) + n)
	if mayPass && min(s.Part(v.Limit), turnsPart)*left >= turnsSure*lately+turnsFew {
		return v.Now, false
	}
	step := (v.Reset.Earliest - v.LastSent) / clock.Instant(max(left, 1))
	return max(v.Now, v.LastSent+clock.Times(step, n)), true
}

// observeTurns holds what is left against turns. If n other clients and this one take them, from
// the latest moment at which the window may have opened, the others leave at least the n-th power
// of the part of the window that remains.
func (s *Estimator) observeTurns(v *View) {
	u, span, remains := &s.turns, v.Length-v.Reset.Width(), v.Reset.Earliest-v.Now
	if !u.on || v.Kind.Rolls() || v.Kind.Emission() > 0 || remains <= v.Length/16 || remains >= v.Length {
		return
	}
	passed := float64(max(span-remains, 0)+2*v.RTT.Usual()) / float64(max(span, 1))
	if s.left == 0 && passed < turnsSoon {
		u.hurried = true
	}
	u.yielded = u.yielded || s.left > 0 && passed >= turnsLate
	own := s.newest - s.number + 1
	theirs := float64(v.Limit - s.left - own)
	theirs -= turnsChance * math.Sqrt(max(theirs, 0)) // where they are few, chance may explain some
	if 2*s.left > v.Limit || 4*theirs < float64(v.Limit) || passed >= 1 {
		return
	}
	all := math.Log1p(-min(theirs, float64(v.Limit)-.5)/float64(v.Limit)) / math.Log1p(-passed)
	seen := theirs / float64(own)
	if all > turnsMany || all > turnsHaste*seen+2 {
		u.hurried = true
	}
}

// begin starts over with a new window. It returns our part of the last one, or, where
// turns were taken in vain, of the one before.
func (u *turns) begin(part float64, others bool) float64 {
	if u.hurried {
		part = u.part
	}
	*u = turns{on: others, part: part}
	return part
}
