package fleet

import (
	"slices"
	"time"
)

// A moment is how many units were over by then, of the whole fleet. What was over by then
// has been counted by the server, and leaves any window within its length.
type moment struct{ from, at, finished int64 }

const (
	logSize  = 64
	logSteps = 32 // of the shortest window
	logTries = 16 // probes that go by the log within the length of a window, at most
)

// note notes how many units are over.
func (l *ledger) note(now int64) {
	if n := len(l.log); n == 0 {
		l.log = append(l.log, moment{now, now, l.finished})
	} else if over := l.finished - l.log[n-1].finished; over > 0 {
		l.insert(now, over)
	}
	l.forget(now)
}

// forget forgets what left all windows before the next that did too: it makes no room that is not known of.
func (l *ledger) forget(now int64) {
	longest := int64(0)
	for _, w := range l.windows {
		if w.length > 0 {
			longest = max(longest, w.whole()+ledgerMargin)
		}
	}
	for longest > 0 && len(l.log) > 1 && l.log[1].at+longest < now {
		l.log = l.log[1:]
	}
}

// noteOver notes how many units of a member were over by which time, of those that the ledger does not know of.
func (l *ledger) noteOver(q *report, known, now int64) {
	if len(l.log) == 0 {
		return
	}
	for _, o := range q.Over {
		if at, by := min(o[0], now), min(o[1], q.Finished); by > known {
			l.insert(at, by-known)
			known = by
		}
	}
}

// insert notes that n more units were over by then. Moments close together merge into the later one, unless they
// are worth telling apart, so that the log errs only towards waiting.
func (l *ledger) insert(at, n int64) {
	grain, size := int64(1<<40), int64(1<<40)
	for _, w := range l.windows {
		if w.length > 0 {
			grain = min(grain, min(w.length, w.whole())/logSteps)
		}
		size = min(size, w.limit/logSteps)
	}
	i := slices.IndexFunc(l.log, func(o moment) bool { return o.at >= at })
	if i < 0 {
		i = len(l.log)
	}
	for j := i; j < len(l.log); j++ {
		l.log[j].finished += n
	}
	switch {
	case i < len(l.log) && (i == 0 || l.log[i].from <= at):
	case at-l.log[i-1].from < grain && (i == 1 || l.log[i-1].finished+n-l.log[i-2].finished <= size):
		l.log[i-1].at, l.log[i-1].finished = at, l.log[i-1].finished+n
	default:
		l.log = slices.Insert(l.log, i, moment{at, at, l.log[i-1].finished + n})
		l.log = l.log[max(len(l.log)-logSize, 0):]
	}
}

// opens returns when a probe may find that a window admits more: after the reset, or when
// fewer than the limit are left of what was sent within the length of the window. That is
// so whatever the server counts in, as long as the fleet is alone.
func (l *ledger) opens(w *windowState) int64 {
	at := w.opens()
	if tested := l.tests(w); tested > 0 && l.granted == l.finished {
		at = min(at, l.log[len(l.log)-1].at+tested+w.margin()-l.lead())
	}
	if w.length > 0 && w.shared <= l.at {
		if over := l.leaves(w); over > 0 {
			at = min(at, max(over+w.whole()+w.margin()-l.lead(), w.next))
		}
	}
	return max(at, l.went+w.pause)
}

// whole returns the length of the window, for the log. That which was told roughly, or seen only in part, is taken
// for a usual one until openings contradict that: where it matters little to look late.
func (w *windowState) whole() int64 {
	switch {
	case w.wait.Long() > 0:
		return w.wait.Long()
	case w.long() && !w.phase.odd:
		return max(w.length, periodOf(w.length))
	}
	return w.length
}

// leaves returns when that was over that is to leave the window next; 0 is not known. A few units are looked for
// together with those that leave soon after them.
func (l *ledger) leaves(w *windowState) (at int64) {
	soon := int64(0)
	for _, o := range l.log {
		free := o.finished + w.limit - l.granted
		switch {
		case free <= 0:
			continue
		case at == 0:
			soon = o.at + w.whole()/logTries
		case o.at > soon:
			return at
		}
		if at = o.at; free > w.limit/logTries {
			return at
		}
	}
	return at
}

// long reports whether it matters little to look late.
func (w *windowState) long() bool { return 2*(w.reset-w.earliest) <= w.length }

// rough reports whether it is told too roughly when the window opens, and nobody else spends it.
func (l *ledger) rough(w *windowState) bool { return !w.long() && w.shared <= l.at && l.only() == w }

// tests returns how long after all was over a request tests whether all is there again; 0 is that none does now.
func (l *ledger) tests(w *windowState) int64 {
	if test, due := w.wait.Next(w.whole()); due && w.known && l.rough(w) && len(l.log) > 0 {
		return test
	}
	return 0
}

// spare returns how much is left for the next test. Of a window of more than one unit the last is: it is served
// whatever it finds.
func (l *ledger) spare(w *windowState) int64 {
	if w.limit > 1 && l.tests(w) > 0 {
		return 1
	}
	return 0
}

// margin returns how long after a reset it is looked for.
func (w *windowState) margin() int64 {
	if w.length > 0 {
		return min(ledgerMargin, w.length/marginPart)
	}
	return ledgerMargin
}

// lead returns how long before something leaves a window the probe may go that is to find it: it was counted before
// its response came, and the probe is counted after it went.
func (l *ledger) lead() int64 {
	least := int64(1) << 40
	for _, m := range l.members {
		least = min(least, m.least)
	}
	return least - least/8
}

const (
	pauseAmong = 8  // of how many units of a limit one is that a probe should find
	pauseEach  = 16 // ms, of each member
	pauseMost  = 250
	paceSpan   = 500 // ms, over which it is seen at the least how much comes
)

// pace notes that a probe found something. Where much less comes than a window of this length lets in, what is left
// refills bit by bit, as that of a bucket whose reset is that of the next unit. Then the next probe waits until some
// more is there: for what one finds, each of those that wait calls the store.
func (l *ledger) pace(w *windowState, now int64) {
	gained, since, span := w.bound-w.found, now-w.foundAt, max(w.length, paceSpan)
	if since < span && gained > 0 {
		return
	}
	if w.found, w.foundAt = w.bound, now; gained <= 0 || since > 4*span || w.length <= 0 || w.shared > now || 4*gained*w.length >= 3*w.limit*since {
		w.pause = 0
		return
	}
	w.pause = min(since*(w.limit/pauseAmong)/gained, pauseEach*int64(len(l.members)), pauseMost)
}

// sendProbe notes which windows the probe that goes now tries, and which before their reset.
func (l *ledger) sendProbe(now int64) {
	if l.went, l.past = now, l.finished; l.granted == l.finished {
		l.looks = 0
	}
	for _, w := range l.windows {
		w.wait.Send(0)
		if l.tests(w) > 0 && l.granted == l.finished {
			if gap := now - l.log[len(l.log)-1].at + l.lead() - w.margin(); gap < w.whole() {
				w.wait.Send(gap)
			}
		}
		if w.early = w.known && w.bound <= l.granted && now <= w.opens(); w.early {
			w.next = now + max(w.length/logTries, 20)<<w.fails
		}
		w.shut = 0
		if w.known && w.bound <= l.granted {
			w.shut, w.due = w.earliest, w.reset
		}
	}
}

// renewed reports whether what a probe found proves that the window is fixed: all of it is there
// again, although most of it was sent so lately that less would be there of one that rolls, or
// refills, or begins with the first request.
func (l *ledger) renewed(w *windowState, remaining, now int64) bool {
	used := 2*(l.past-w.past) >= w.limit
	full := remaining+l.granted-l.finished+1 >= w.limit && 4*(remaining+1) >= 3*w.limit
	proved := used && full && w.length > 0 && now <= w.went+w.length
	w.went, w.past = l.went, l.past
	return proved
}

// overs are how many units of ours were over by which time, of those that the ledger has yet to hear of.
type overs []struct {
	from, at time.Time
	finished int64
}

const (
	oversSize  = 32
	oversGrain = 2 * time.Millisecond
	oversSteps = 4 * logSteps // of the shortest window
)

// add notes that so many are over by now.
func (o *overs) add(now time.Time, finished int64, windows []*window) {
	if len(windows) == 0 {
		return
	}
	grain := windows[0].length / oversSteps
	for _, w := range windows {
		grain = min(grain, w.length/oversSteps)
	}
	if n := len(*o); n > 0 && now.Sub((*o)[n-1].from) < max(grain, oversGrain) {
		(*o)[n-1].at, (*o)[n-1].finished = now, finished
		return
	}
	*o = append(*o, overs{{now, now, finished}}...)
	*o = (*o)[max(len(*o)-oversSize, 0):] // the next one counts those too
}

// forget forgets what the ledger heard.
func (o *overs) forget(finished int64) {
	for len(*o) > 0 && (*o)[0].finished <= finished {
		*o = (*o)[1:]
	}
}

// tell returns them by the clock of the store, as a report has them.
func (o overs) tell(c *clock) [][2]int64 {
	all := make([][2]int64, len(o))
	for i, e := range o {
		_, latest := c.store(e.at, e.at)
		all[i] = [2]int64{latest, e.finished}
	}
	return all
}
