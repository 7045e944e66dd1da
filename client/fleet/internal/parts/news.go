package parts

import (
	"encoding/json"
	"time"
)

// Hear takes in news.
func (l *Limiter) Hear(data []byte) {
	var n News
	if json.Unmarshal(data, &n) == nil && l.hear(&n) {
		l.c.Wake()
	}
}

// Missed takes in that news may have been missed.
func (l *Limiter) Missed() { l.hear(&News{Roll: true}) }

// hear reports whether requests may go that waited.
func (l *Limiter) hear(n *News) (more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.closed {
		return false
	}
	if l.failing && now.Sub(l.lastCall) >= pauseFirst { // the store is there again
		l.retry = now
		l.loop.Kick()
	}
	if n.Roll && n.Inc != l.inc && l.joined {
		l.dirty = true
		l.loop.Kick()
	}
	if !now.Before(l.lease) || n.Inc != l.inc {
		return false
	}
	if p, ok := n.Push[l.c.ID]; ok && p.Seq == l.seq && p.Seq == l.heard && p.Gain > l.pushed {
		l.hold(now, min(l.each+p.Gain-l.pushed, l.most))
		l.pushed, l.turn, l.nextAsk = p.Gain, n.Turn, now
		more = true
	}
	if n.Recall {
		l.recall(now, n)
	}
	return more
}

// recall takes in that others want more. Who could need more itself keeps what is fair.
func (l *Limiter) recall(now time.Time, n *News) {
	needs := max(l.recent.most(now, l.span), 1)
	if now.Sub(l.short) < min(l.span, l.c.Lease) {
		if needs = n.Fair; l.rank < n.Rank {
			needs = n.Low
		}
	}
	if needs == 0 && l.each == l.left(now) {
		l.turn = true // it has yet to be used
		return
	}
	if needs >= l.each || l.lower && l.target <= needs {
		return
	}
	l.lower, l.target, l.lowerAt = true, needs, now
	l.loop.Kick()
}

// goAlone has a limiter whose lease is over, or that never reached the ledger, keep to an equal part of as many
// as it knows of. Where it had less, it waits until the leases of all are over, and what they sent counts no more.
func (l *Limiter) goAlone(now time.Time) {
	known, members := l.heard > 0, int64(l.c.Members)
	switch {
	case !l.failing && !l.closed:
		return
	case known:
		members = l.members
	case l.waits.IsZero():
		l.waits = now
		return
	case l.patient(now) && !l.closed:
		return
	}
	equal := l.most / members
	if known && !l.closed && now.Before(l.lease.Add(l.c.Lease+l.c.Grace+l.span)) {
		if equal = max(min(equal, l.each), min(l.spent(now), l.each)); equal == 0 {
			return
		}
	}
	part := max(equal, 1)
	if l.alone && part == l.each {
		return
	}
	l.each, l.lower, l.alone = part, false, true
	if equal == 0 {
		l.keep(now, l.whole.Stretch(int((members+l.most-1)/l.most))) // one in so many windows
		return
	}
	l.keep(now, l.whole)
}
