package throttle

import (
	"cmp"
	"slices"
	"time"
)

// A lost request got no answer. It may still reach the server, so that it counts
// as answered only a while later.
type lost struct {
	due          instant
	number, cost int64
}

// A flight is a request without an answer.
type flight struct {
	number, cost int64
	at           instant // when it was sent
	answered     bool
}

// flights are the requests in flight. One that has been so for longer than requests are on their way has arrived,
// and been counted by the server, which takes its time to answer.
type flights struct {
	recent  []flight // by number; what is before the first of them does not count
	first   int
	through int64   // requests up to this number have arrived
	arrived int64   // the cost of those that are not answered
	by      instant // when the last of all of them had
}

// send notes that a request goes.
func (f *flights) send(t *Reservation) {
	f.recent = append(f.recent, flight{number: t.number, cost: t.cost, at: t.at})
}

// expire notes that requests have arrived that take as long as the given time.
func (f *flights) expire(now, travel instant) {
	if travel == never {
		return
	}
	for ; f.first < len(f.recent); f.first++ {
		e := &f.recent[f.first]
		if !e.answered && e.at+travel > now {
			break
		}
		f.through = e.number
		if !e.answered {
			f.arrived += e.cost
			f.by = max(f.by, e.at+travel)
		}
	}
	if 2*f.first >= len(f.recent) { // so that there are few to move
		f.recent = slices.Delete(f.recent, 0, f.first)
		f.first = 0
	}
}

// conclude notes that a request is answered, or will never be.
func (f *flights) conclude(now instant, number, cost int64) {
	f.by = max(f.by, now)
	if number <= f.through {
		f.arrived -= cost
		return
	}
	i, found := slices.BinarySearchFunc(f.recent, number, func(e flight, n int64) int { return cmp.Compare(e.number, n) })
	if found {
		f.recent[i].answered = true
	}
}

// InFlight returns the total cost of the requests in flight, including those whose response was
// lost recently.
func (k *Limiter) InFlight(now time.Time) int {
	k.expire(k.instant(now))
	return int(k.sent - k.answered)
}

// BeginBody notes that the response to a request that was served was observed, and that its body was not read
// yet. It reports whether [Limiter.EndBody] is to be called when the body is over, because the server may have
// a limit on the requests in flight, of which this is one until then.
func (k *Limiter) BeginBody(t Reservation) bool {
	if !k.refusals.Follows() {
		return false
	}
	r := t.request()
	k.refusals.BeginBody(&r)
	return true
}

// EndBody notes that the body of a response is over.
func (k *Limiter) EndBody(now time.Time, t Reservation) {
	r := t.request()
	k.refusals.EndBody(k.instant(now), &r)
}

// Abandon notes that a request got no answer, and perhaps never will.
func (k *Limiter) Abandon(now time.Time, t Reservation) {
	k.conclude(&t)
	i := k.instant(now)
	k.abandonUnits(i, &t)
	due := i + 2*k.rtt.Patience()
	if n := len(k.lost); n > 0 {
		due = max(due, k.lost[n-1].due)
	}
	k.lost = append(k.lost, lost{due: due, number: t.number, cost: t.cost})
	k.uncertainUntil = due
}

// Cancel takes back a request that was counted as sent but never was.
func (k *Limiter) Cancel(t Reservation) {
	k.conclude(&t)
	k.cancelUnits(&t)
	k.land(t.at, t.number, t.cost)
	for i := range k.windows {
		w := &k.windows[i]
		w.grantedThrough += t.cost
		w.contention.Cancel(t.cost)
		w.kind.Uncounted()
		w.history.Remove(t.at, t.cost)
	}
	k.edges.Cancel(t.at, t.cost)
	r := t.request()
	k.refusals.Cancel(&r)
}

// conclude notes that a request is no longer under way.
func (k *Limiter) conclude(t *Reservation) {
	k.cooldown.conclude(t)
	k.refusals.EndTest(t.number)
	for i := range k.windows {
		k.windows[i].probe.Conclude(t.number)
	}
	r := t.request()
	k.refusals.Conclude(&r)
}

// land counts a request as answered, or as never to be.
func (k *Limiter) land(at instant, number, cost int64) {
	k.answered += cost
	k.flights.conclude(at, number, cost)
}

// expire counts lost requests as answered, and others as arrived, when their time has come.
func (k *Limiter) expire(now instant) {
	for len(k.lost) > 0 && k.lost[0].due <= now {
		first := &k.lost[0]
		k.land(first.due, first.number, first.cost)
		for i := range k.windows {
			k.windows[i].kind.Lost(now)
		}
		if k.lost = k.lost[1:]; len(k.lost) == 0 {
			k.lost = nil
		}
	}
	k.flights.expire(now, k.rtt.Travel())
}

// counted returns how many requests the server has surely counted: those that are answered, and those
// that have been under way for long.
func (k *Limiter) counted() int64 { return k.answered + k.flights.arrived }

// arrived returns a time by which all requests have arrived that were sent, or 0 if some may be
// under way.
func (k *Limiter) arrived() instant {
	if k.sent != k.counted() {
		return 0
	}
	return k.flights.by
}
