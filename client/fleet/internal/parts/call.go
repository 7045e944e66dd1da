package parts

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

const (
	pauseFirst = 50 * time.Millisecond
	pauseLast  = time.Second
	lowerLeast = 20 * time.Millisecond
	askLeast   = 5 * time.Millisecond
)

// step calls the ledger if there is something to call it for, and otherwise says when there may be.
func (l *Limiter) step() (called bool, next time.Time) {
	l.mu.Lock()
	now := time.Now()
	if next = l.next(now); l.closed || next.IsZero() || next.After(now) {
		l.mu.Unlock()
		return false, next
	}
	q := l.report(now)
	l.mu.Unlock()
	a, err := l.c.Exchange(q)
	l.mu.Lock()
	away := l.failing
	l.apply(q, &a, err, now, time.Now())
	changed := l.failing != away
	l.mu.Unlock()
	if l.c.Wake(); changed && l.c.Away != nil {
		l.c.Away(!away)
	}
	return true, time.Time{}
}

// active reports whether the limiter was in use lately.
func (l *Limiter) active(now time.Time) bool { return now.Sub(l.used) < l.c.Lease }

// next returns when the ledger is to be called; zero is not before something happens. A limiter that was not in
// use for a while gives its part back, and is left.
func (l *Limiter) next(now time.Time) (at time.Time) {
	by := func(t time.Time) {
		if t.Before(now) {
			t = now
		}
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	switch {
	case l.failing:
		if l.active(now) || l.each > 0 && now.Before(l.lease) {
			by(l.retry)
		}
		return at
	case l.dirty:
		return now
	}
	if l.starved {
		ask := l.nextAsk
		if l.rank > l.told {
			ask = now
		}
		if soonest := l.lastCall.Add(askLeast); ask.Before(soonest) {
			ask = soonest
		}
		by(ask)
	}
	if l.lower {
		if !now.Before(l.lowerAt) && l.spent(now) >= l.each {
			l.lowerTo(now, l.target) // there is nothing to give up yet
		}
		by(l.lowerAt)
	}
	switch {
	case l.active(now):
		by(l.used.Add(l.c.Lease))
		if l.each > 0 {
			by(l.lease.Add(-l.c.Lease * 4 / 10))
		}
	case l.joined:
		return now
	}
	return at
}

// report says what there is to say. What it gives up is given up before it says so.
func (l *Limiter) report(now time.Time) *Report {
	l.seq++
	q := &Report{
		Quota: l.most, ID: l.c.ID, Seq: l.seq, Heard: l.heard, Inc: l.inc, Ver: l.ver,
		Nonce: l.c.ID + ":" + strconv.FormatInt(l.seq, 10), Members: l.members,
		TTL: (l.c.Lease + l.c.Grace).Milliseconds(), Rank: l.rank,
	}
	q.Keep = q.TTL + l.span.Milliseconds() + 1
	switch {
	case l.closed || !l.active(now):
		l.promised = 0
		l.shrink(now, 0)
		q.Gone, q.Keep, l.lease, l.lower = 1, l.span.Milliseconds()+1, now, false
		if l.flying > 0 { // and has yet to arrive
			q.Keep += l.c.Grace.Milliseconds()
		}
	case !now.Before(l.lease) && !l.alone && !l.failing:
		l.shrink(now, 0) // what it did not spend may have been given away
	case l.lower:
		l.shrink(now, l.target)
	}
	if q.Gone == 0 && l.starved {
		q.Want = max(l.each, l.most/64, l.cost, 2)
	}
	q.Each, l.told = l.each, l.rank
	l.starved, l.dirty = false, false
	return q
}

// shrink lowers the part, as far as what counts of it allows, and to the rest once that is over.
func (l *Limiter) shrink(now time.Time, target int64) {
	if each := max(target, min(l.spent(now), l.each)); each < l.each {
		l.hold(now, each)
	}
	l.lowerTo(now, target)
}

// lowerTo has the part shrink as what counts of it does.
func (l *Limiter) lowerTo(now time.Time, target int64) {
	if l.lower = l.each > target; l.lower {
		l.target = target
		more := limit.Demand{Requests: int(l.left(now) + 1)} // when more of it counts no longer
		l.lowerAt = now.Add(max(min(l.span/16, time.Second), lowerLeast))
		if next := l.local.Ask(now, more); next.At.After(l.lowerAt) {
			l.lowerAt = next.At
		}
	}
}

// apply takes in the reply to a report.
func (l *Limiter) apply(q *Report, a *Reply, err error, sent, now time.Time) {
	l.calls++
	l.lastCall = now
	if err == nil && a.Stale {
		err = errStale
	}
	if err != nil {
		l.fails++
		if !l.failing {
			l.failing, l.pause = true, pauseFirst
		}
		l.retry = now.Add(l.pause + rand.N(l.pause))
		if l.pause = min(2*l.pause, pauseLast); l.patient(now) { // for a few lost calls there are to be more
			l.pause = pauseFirst
		}
		l.dirty, l.starved = true, l.starved || q.Want > 0
		return
	}
	l.failing, l.waits = false, time.Time{}
	l.heard, l.pushed = q.Seq, 0
	l.dirty = l.dirty || q.Inc != "" && q.Inc != a.Inc // another ledger is to hear it from one that knows of it
	l.inc, l.ver, l.members, l.fair = a.Inc, a.Ver, min(max(a.Members, 1), l.most<<20), a.Fair
	l.nextAsk = now.Add(min(time.Duration(min(max(a.Wait, 0), 1<<20))*time.Millisecond, l.c.Lease/2))
	if q.Gone > 0 {
		l.leave(now)
		return
	}
	l.lease = sent.Add(l.c.Lease)
	l.hold(now, min(max(a.Each, 0), l.most))
	if l.turn = a.Turn; l.turn && l.each > l.left(now) {
		l.lowerTo(now, 0)
	}
	if l.each < q.Each+q.Want && q.Want > 0 {
		l.starved = true // or nobody asks again for those that wait
		if a.Wait <= 0 {
			l.nextAsk = now.Add(pauseFirst)
		}
	}
}

var errStale = errors.New("parts: the store took the report for an old one")

// leave takes in that the ledger was told that the limiter is not in use. What counts yet it keeps in mind.
func (l *Limiter) leave(now time.Time) {
	if l.active(now) {
		l.dirty = true // it was used since
		return
	}
	if l.spent(now) == 0 {
		l.hold(now, 0)
	}
	l.joined = false
	l.c.Leave()
}

// patient reports whether requests wait for a ledger that was never reached. It may be that others hold all there
// is, and that only some calls of this member were lost.
func (l *Limiter) patient(now time.Time) bool {
	return !l.waits.IsZero() && now.Sub(l.waits) < max(2*time.Second, 8*l.c.Timeout)
}

// Close gives back what is held. Requests that come later go as without a fleet.
func (l *Limiter) Close() error {
	l.mu.Lock()
	now := time.Now()
	held := now.Before(l.lease) && l.each > 0
	l.closed = true
	l.loop.Stop()
	q := l.report(now)
	l.mu.Unlock()
	l.c.Wake()
	if !held {
		return nil
	}
	_, err := l.c.Exchange(q)
	return err
}

// Kill ends a limiter that says nothing more; it is for tests.
func (l *Limiter) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.loop.Stop()
}

// A Status tells what a limiter holds.
type Status struct {
	Shared, Away  bool
	Members, Held int
	Calls, Failed int
}

// Status returns what the limiter holds.
func (l *Limiter) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	s := Status{Shared: now.Before(l.lease), Away: l.failing, Members: int(l.members), Calls: l.calls, Failed: l.fails}
	if s.Shared || l.alone {
		s.Held = int(l.left(now))
	}
	return s
}
