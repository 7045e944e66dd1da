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
	if until, held := l.refuses(now, a); held {
		l.places.Refuse(now, a.route.ID, a.groupsOf(), until, a.reading.Wait.Known())
		l.setLevel(a)
	}
}

// pair shortens the wait of a request that a refusal holds back to when it may go as half a pair.
func (l *keyState) pair(now time.Time, hold *limit.Decision, a *attempt) {
	if hold.Limit != throttle.Refusal || !hold.At.After(now) || a.scope != 0 || !l.places.Watches(a.route.ID) {
		return
	}
	if at, due := l.places.Due(now, a.route.ID, a.groupsOf()); due {
		sooner(hold, at)
	}
}

// takePair notes that a request goes, and whether it is half a pair: then it goes on a limiter of its own.
func (l *keyState) takePair(now time.Time, a *attempt) {
	a.half = sharing.Neither
	if a.scope != 0 || !l.places.Watches(a.route.ID) {
		return
	}
	if _, held := l.refuses(now, a); !held {
		return
	}
	if a.half = l.places.Take(now, a.route.ID, a.groupsOf()); a.half != sharing.Neither {
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
