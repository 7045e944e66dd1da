package client

import (
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// receive takes in the response to an attempt.
func (l *keyState) receive(now time.Time, a *attempt) {
	if l.late(a) {
		return
	}
	r := &a.reading
	shown := sharing.FingerprintOf(r)
	if shown.Mark != 0 && !r.Refused && !r.Stale && a.scope == 0 {
		l.show(now, a, shown)
	}
	l.watchCounters(now, a)
	belongs := a.part
	if a.scope == 0 && (l.buckets != nil || a.counters != nil) {
		belongs = l.of(now, a)
	}
	if finalError(r) != nil {
		// No wait ends it, and it says nothing of others.
		a.part.Observe(now, a.ticket, unrefused(r))
		if a.own != nil && a.own != a.part {
			a.own.Observe(now, a.ownTicket, outcome(r))
		}
		return
	}
	bare := r.Refused && a.scope == 0 && !r.Exhausted() && !r.Overloaded() // what is overloaded limits nobody
	if bare && a.part == l.cooldown(a.route.ID) {
		a.own, a.ownTicket = a.part, a.ticket // it became one while it was under way
	}
	if bare && l.cool(now, a) {
		if a.part != a.own {
			a.part.Observe(now, a.ticket, unrefused(r))
		}
		return
	}
	if a.own != nil && a.own != a.part {
		a.own.Observe(now, a.ownTicket, outcome(r))
	}
	if a.scope == 0 && !r.Refused {
		l.spread.served(a.route.ID, a.taken)
	}
	if belongs == a.part {
		a.part.Observe(now, a.ticket, r)
	} else {
		// It was sent before it was known where it belongs.
		a.part.Observe(now, a.ticket, &header.Reading{})
		if r.Refused || !l.strays(now) {
			tell(belongs, now, r)
		}
	}
	if bare && l.limits != nil {
		l.refuseAll(now, belongs, r)
	}
}

// unrefused returns what a response says of limits that are not the reason why it is a
// refusal.
func unrefused(r *header.Reading) *header.Reading {
	return &header.Reading{Windows: r.Windows, Date: r.Date, Stale: r.Stale || len(r.Windows) == 0}
}

// outcome returns what a response says to a cooldown: that the request was served, or
// nothing if it was refused by a limit that is known.
func outcome(r *header.Reading) *header.Reading {
	return &header.Reading{Date: r.Date, Stale: r.Stale || r.Refused}
}

// show notes what a response tells its limits by, and splits the key when routes
// turn out to tell them by different things.
func (l *keyState) show(now time.Time, a *attempt, shown sharing.Fingerprint) {
	before, method, path := l.shown, l.method, l.path
	l.shown, l.method, l.path = shown, a.req.Method, a.req.URL.Path
	if l.buckets == nil {
		if before.Mark == 0 || before.Mark == shown.Mark {
			return
		}
		l.buckets = sharing.NewBuckets(sharing.RouteOf(method, path), before)
	}
	if l.buckets.Show(a.route.Name, shown, before) {
		l.before, l.whole = l.whole, newThrottle(l.policy, now)
		l.patience = now.Add(strayPatience)
	}
}

// refuseAll passes a refusal that names no limit on to the other parts: it may have
// been for all of them.
func (l *keyState) refuseAll(now time.Time, told *throttle.Limiter, r *header.Reading) {
	for _, part := range l.limits {
		if part != told {
			tell(part, now, r)
		}
	}
	if l.whole != told {
		tell(l.whole, now, r)
	}
}

// tell passes on a response to a request that a throttle did not send.
func tell(k *throttle.Limiter, now time.Time, r *header.Reading) {
	k.Observe(now, k.Take(now, 1), r)
}
