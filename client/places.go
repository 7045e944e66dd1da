package client

import (
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// placeOf returns what a refusal concerns that names no limit: the route of a request, or its group where the groups of a
// route have a limit each.
func (l *keyState) placeOf(a *attempt) uint64 {
	if level := l.places.LevelOf(a.route.ID); level != sharing.ByBucket {
		return a.groupsOf()[level]
	}
	return a.route.ID
}

// refusePlace takes in that a request was refused, for which other groups of its route may have to wait in vain.
func (l *keyState) refusePlace(now time.Time, a *attempt) {
	if r := &a.reading; a.scope != 0 || a.route.ID == 0 || a.half != sharing.Neither || a.global || r.Exhausted() || r.Overloaded() {
		return
	}
	if hold := l.held(now, a); hold.Limit == throttle.Refusal && hold.At.After(now) {
		if l.places.Watches(a.route.ID) && !a.route.Bodies.Load() {
			a.route.Bodies.Store(a.req.GetBody != nil) // not for one refusal
		}
		l.places.Refuse(now, a.route.ID, a.groupsOf(), hold.At, a.reading.Wait.Known())
		l.setLevel(a)
	}
}

// pair shortens the wait of a request to when it may go as half a pair, or as a test of what was learned.
func (l *keyState) pair(now time.Time, hold *limit.Decision, a *attempt) {
	if !hold.At.After(now) || a.scope != 0 || !l.places.Watches(a.route.ID) {
		return
	}
	if at, due, _ := l.dueInPair(now, *hold, a); due {
		sooner(hold, at)
	}
}

// dueInPair returns when a request that is held back may go so, and whether as a test of what was learned.
func (l *keyState) dueInPair(now time.Time, hold limit.Decision, a *attempt) (at time.Time, due, beyond bool) {
	switch hold.Limit {
	case throttle.Refusal:
		at, due = l.places.Due(now, a.route.ID, a.groupsOf())
	case throttle.Learned:
		at, due = l.places.DueBeyond(now, a.route.ID, a.groupsOf(), hold.At)
	}
	return at, due, hold.Limit == throttle.Learned
}

// takePair notes that a request goes, and whether it is half a pair or such a test: then it goes on a limiter of its own.
func (l *keyState) takePair(now time.Time, a *attempt) {
	a.half = sharing.Neither
	if a.scope != 0 || !l.places.Watches(a.route.ID) {
		return
	}
	hold := l.held(now, a)
	if !hold.At.After(now) {
		return
	}
	if at, due, beyond := l.dueInPair(now, hold, a); !due || at.After(now) {
		return
	} else if beyond {
		l.places.TakeBeyond(now, a.route.ID)
		a.half = sharing.Beyond
	} else {
		a.half = l.places.Take(now, a.route.ID, a.groupsOf())
	}
	if a.half != sharing.Neither {
		a.part = newThrottle(l.policy, now)
	}
}

// endPair takes in what became of half a pair.
func (l *keyState) endPair(now time.Time, a *attempt) {
	a.part.Observe(now, a.ticket, &a.reading)
	if !l.places.Conclude(now, a.route.ID, a.half, a.reading.Refused) {
		return
	}
	group, until := l.places.Closed(a.route.ID)
	l.spread.Separate()
	if c := l.cooldowns[a.route.ID]; c != nil {
		l.spread.Forget(&c.Suspect)
		delete(l.cooldowns, a.route.ID)
	}
	l.separate(now, group, until)
	l.setLevel(a)
}
