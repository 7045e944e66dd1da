package kind

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// An inflow recognises token buckets that fill within a second by what remains alone: their
// resets tell the same whole second all the time. No window is shorter than a second. A fixed one
// tells each number that remains once from one opening to the next, a log counts what was sent
// in its length, and one that weighs the last window at least a part of that. Where none of
// them explains what remains, it is a bucket. What remains and what was sent then add up to a number
// that only rises, by what comes back, and how fast it rises is how fast the bucket fills.
type inflow struct {
	told     [inflowTold]mark // the last responses
	next     int              // index of the oldest of these
	agreed   int              // groups of responses that no window explains
	grouped  clock.Instant    // the last of these came
	few      int              // responses that count fewer than any window does
	wrong    int              // how often something spoke against a bucket
	from     clock.Instant    // nothing is learned from requests that were sent before
	until    clock.Instant    // less remained than one server would tell, so that none is believed until then
	emission clock.Instant    // the bucket regains a request in no longer than this; 0 is not known
	anchors  [inflowAnchors]mark

	// No more is seen to come back than is sent, so that more is tried where much remains.
	trial bucket
	since clock.Instant // the last step, or when the next may be
	pause clock.Instant // after a refusal

	slipped clock.Instant // when a request was refused that the bucket seemed to have room for

	spread spread
}

// A mark is what remained when a response was made, and bounds of that and what was sent together.
type mark struct {
	sent, received clock.Instant
	remaining      int64
	low, high      int64
	likely         int64 // as low, if none overtook another by more than the spread of round trips
}

const (
	inflowWindow  = clock.Second // the length of the shortest window
	inflowTold    = 16
	inflowSame    = 3 // responses that tell the same are of three windows
	inflowProof   = 3 // groups of these that recognise a bucket, twice as many each time that something speaks against it
	inflowWrong   = 8 // of these times count
	inflowFew     = 3 // responses that show that there is no window
	inflowAnchors = 8 // marks to measure from, each held for twice as long as the one before,
	inflowAnchor  = clock.Second / 8
	inflowFell    = 30 * clock.Second
	inflowFaster  = 7 // eighths, with each round trip
	inflowIdle    = clock.Second / 4
	inflowPause   = 4 * clock.Second  // without trials after one that was refused, at first
	inflowPauses  = 16 * clock.Second // after which a refusal speaks against a bucket, if the last was no longer ago
	inflowSlip    = 8                 // part of the interval by which it is longer after a refusal
)

// observe takes in what the response to a request tells.
func (f *inflow) observe(o *Observation) {
	switch {
	case o.ResetTold && o.Told.Earliest > o.Now+inflowWindow:
		f.forget()
		return
	case o.Refused || !o.Alone:
		f.restart()
		return
	case o.Sent <= f.from:
		return
	}
	f.spread.observe(o)
	// What was sent earlier or later by more than the spread of round trips came earlier or later.
	low, slack := o.Answered+o.Remaining, o.RTT.Slack()
	high := low + o.Unsure
	m := mark{o.Sent, o.Now, o.Remaining, low, high, max(low, high-o.Log.After(o.Sent-slack))}
	if f.fell(&m, high-o.Log.After(o.Sent+slack), o.Limit) {
		f.wrong = min(f.wrong+1, inflowWrong)
		f.forget()
		f.until = o.Now + inflowFell
	}
	for i := range f.anchors {
		f.measure(&f.anchors[i], &m, inflowAnchor<<i)
	}
	f.told[f.next] = m
	f.next = (f.next + 1) % inflowTold
	f.crowd(o.Limit)
	opened := o.Now >= f.until && f.opened()
	if !opened && f.few >= inflowFew || float64(o.Limit-o.Remaining) >= o.fading(inflowWindow)-1 {
		return
	}
	if f.few++; opened {
		f.agreed++
		f.grouped = o.Now
	}
}

// opened reports whether a fixed window would have opened twice within its length, as the newest response
// and two others show.
func (f *inflow) opened() bool {
	m := &f.told[(f.next+inflowTold-1)%inflowTold]
	same := 0
	for i := range f.told {
		if o := &f.told[i]; o.received > f.grouped && o.remaining == m.remaining && m.received-o.sent < inflowWindow {
			same++
		}
	}
	return same >= inflowSame
}

// fell reports whether a response tells less than what there was, what was sent since, and what came back
// explain, which together are at most high: others spend too, or several servers count apart.
func (f *inflow) fell(m *mark, high, limit int64) bool {
	for i := range f.told {
		o, back := &f.told[i], int64(0)
		if f.emission > 0 {
			back = max(min(int64((m.sent-o.received)/f.emission), limit-o.remaining), 0) // until it is full
		}
		if o.received > 0 && m.sent >= o.received && high < o.likely+back {
			return true
		}
	}
	return false
}

// measure bounds the emission interval by what came back since a, which is held for the given time.
func (f *inflow) measure(a, m *mark, hold clock.Instant) {
	if a.received == 0 {
		*a = *m
		return
	}
	// Remaining is rounded down.
	if risen := m.low - a.high - 1; risen > 0 {
		f.bound((m.received - a.sent) / clock.Instant(risen))
	}
	if m.received-a.received > hold {
		*a = *m
	}
}

// crowd bounds the emission interval by how many the last responses are: there was no more than the limit
// before the first, and no less is left of it after the last than the one tells that tells least.
func (f *inflow) crowd(limit int64) {
	from, to, back := clock.Never, clock.Instant(0), -limit
	least := limit
	for i := range f.told {
		if o := &f.told[i]; o.received > 0 {
			from, to, least = min(from, o.sent), max(to, o.received), min(least, o.remaining)
			back++
		}
	}
	if back += least; back > 0 {
		f.bound((to - from) / clock.Instant(back))
	}
}

// bound takes in that the bucket regains a request in no longer than step.
func (f *inflow) bound(step clock.Instant) {
	if step = max(step, 1); f.emission == 0 || step < f.emission {
		f.emission = step
	}
}

// try lets requests go a little faster than is known to be sound with each round trip in which much
// remained although they had to wait. empty says that they had to.
func (f *inflow) try(o *Observation, empty bool) {
	t := &f.trial
	switch {
	case 2*o.Remaining < o.Limit, t.recognised && t.step >= f.emission, !empty && o.Sent >= f.since+inflowIdle:
		*t = bucket{}
	case empty && o.Sent >= f.since && 4*o.Remaining >= 3*o.Limit:
		if !t.recognised {
			t.step = f.emission
		}
		step := max(t.step*inflowFaster/8, 1)
		*t, f.since = bucket{recognised: true, step: step, full: clock.Never}, o.Now
	}
	if t.recognised {
		t.fill(o.Now, t.step, o.Limit-o.Remaining+o.Unsure)
	}
}

// proved reports whether it is a bucket.
func (f *inflow) proved() bool { return f.emission > 0 && f.agreed >= inflowProof<<f.wrong }

// forget drops what was seen.
func (f *inflow) forget() {
	*f = inflow{few: f.few, wrong: f.wrong, from: f.from, until: f.until, since: f.since, spread: f.spread}
}

// restart begins to measure anew, because something was sent that the bucket does not count.
func (f *inflow) restart() {
	f.told, f.anchors = [inflowTold]mark{}, [inflowAnchors]mark{}
}

// refute takes in that a request was refused, at now.
func (f *inflow) refute(now clock.Instant) {
	switch {
	case f.trial.recognised && f.pause < inflowPauses:
		f.trial = bucket{}
		f.pause = max(2*f.pause, inflowPause)
		f.since = now + f.pause
	case now < f.since: // one more
	case f.proved() && now >= f.slipped+inflowPauses:
		f.emission += f.emission / inflowSlip
		f.slipped, f.since = now, now+inflowWindow
	case f.proved():
		f.wrong = min(f.wrong+1, inflowWrong)
		f.forget()
	}
	f.restart()
}

// fading returns the least that a counter of windows of the given length would have counted when it
// answered, wherever its windows begin: a request that is so far back as a share of the length
// has lost that share of its weight at most.
func (o *Observation) fading(length clock.Instant) float64 {
	since := o.Now - length
	uncounted := 0.
	if o.Turned != nil {
		uncounted = o.Turned.Weigh(o.Now, length, func(e *eventlog.Entry) clock.Instant { return e.Last - since })
	}
	return -uncounted + o.Log.Weigh(o.Sent-o.RTT.Way(), length, func(e *eventlog.Entry) clock.Instant { return e.From - since })
}
