package refusals

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// A limits holds what refusals show of an API that announces nothing. Each
// congestion is one lesson, however many responses report it; the lesson is drawn
// when the API opens again, because only then is it known how many requests were
// admitted and how long it was closed.
//
// An API that was closed for a moment only is followed by a pace, one that was
// closed for longer by a span; it may have both.
type limits struct {
	log     eventlog.Log // of our own requests, without those refused
	span    inferredWindow
	pace    inferredRate
	event   congestion
	doubt   doubt
	against evidence
	passes  passes

	opened  clock.Instant  // when it opened the last time; long ago while it never did
	was     clock.Instant  // when the congestion before that came, or the first request
	empty   clock.Instant  // when a whole window opened the last time; long ago while none did
	reset   clock.Interval // the end of that congestion, if the server told it
	paced   clock.Instant  // when the pace was first learned
	before  float64        // the pace that was learned before it seemed to be in vain
	shut    bool           // there was a congestion before
	offbeat bool           // it opened between two full minutes of its clock
	few     rarity         // of the refusals
	spared  clock.Instant  // when the last request was sent that was refused alone; 0 is none since one was served

	// After an opening no more requests are under way than were admitted since, and
	// one: what was learned may be wrong.
	careful        bool
	mark           int64 // requests up to this number are older
	flying, passed int64
}

// A congestion begins with a refusal and ends with the first request admitted.
type congestion struct {
	under   bool
	at      clock.Instant  // when the request was sent that was the first to be refused
	closed  clock.Instant  // when that was known
	tried   clock.Instant  // when the last one was sent that was refused
	alone   bool           // no other was refused
	probes  int            // requests refused in spite of the wait that the server named
	known   bool           // what causes it was known before
	repeats bool           // it came at the count at which one before came
	dense   bool           // several before it were passed over
	hasty   bool           // it came when a request was made up for that had not gone at the pace
	risen   float64        // the pace before it
	idle    clock.Instant  // before it, when nothing waited for the pace
	told    bool           // the server told when to come back:
	reset   clock.Interval // then
}

// LongestHold bounds what a refusal may ask for only so that no sum overflows.
const LongestHold = 101 * 365 * 24 * time.Hour

// briefly is how short the time is for which an API that limits a rate is closed.
const briefly = 5 * clock.Second / 2

// enough is how many requests must pass after an opening until it is believed.
const enough = 16

func (l *limits) known() bool { return l.span.limit > 0 || l.pace.rate > 0 }

// ready returns when n more may go.
func (l *limits) ready(v *View, now clock.Instant, n int64) clock.Instant {
	at := now
	if l.careful && l.flying > l.passed {
		at = v.LastSent + v.RTT.Patience()
	}
	if l.event.under && l.event.told {
		return at // when the server opens again is the server's word
	}
	if l.pace.rate > 0 {
		at = max(at, l.pace.next)
	}
	if l.span.limit > 0 {
		at = max(at, l.span.ready(v, l, now, n))
	}
	return at
}

// send counts n more as sent.
func (l *limits) send(now clock.Instant, number, n int64) {
	if l.span.limit > manyRequests {
		l.log.SetGrain(l.span.limit, l.span.length) // a condensed log would count all of long ago
	} else {
		l.log.Condense()
	}
	if l.log.Empty() && !l.shut && l.log.Sum() == 0 {
		l.was = now
	}
	if l.span.limit > 0 {
		if !l.event.under { // it may show that the window is longer
			l.log.Forget(min(now-3*l.span.length, max(l.opened, l.was)-1))
		}
		if !l.span.rolled && l.log.After(max(l.empty, l.span.floor)-1) >= l.span.limit {
			l.span.rolled = true // beyond what was counted: now it shows whether the length is right
			l.beCareful(number - n)
		}
		l.testProof(now, number-n)
	}
	l.pace.send(now, n)
	l.doubt.send(now, number, n)
	l.log.Add(now, n)
	if l.careful {
		l.flying += n
	}
}

func (l *limits) beCareful(mark int64) {
	l.careful, l.mark, l.flying, l.passed = true, mark, 0, 0
}

// conclude notes that what t stands for is no longer under way.
func (l *limits) conclude(t *Request) {
	if l.careful && t.Number > l.mark {
		l.flying -= t.Cost
	}
}

// admitted takes in an answer that is no refusal. after is the number of the last
// request that was sent before the last refusal.
func (l *limits) admitted(v *View, t *Request, after int64) {
	if l.event.under && (t.Number > after || t.At > l.event.closed) {
		// One that was sent later was refused nevertheless.
		strange := l.event.tried > t.At+v.Trip
		if vain := l.draw(v, t.At); vain || strange {
			v.all.sheds.prove()
			l.suspend(float64(v.all.sheds.share))
			return
		}
		l.beCareful(t.Number)
	}
	l.passes.served(t.Cost)
	l.few.observe(false)
	if t.At > l.spared {
		l.spared = 0
	}
	if l.careful && t.Number > l.mark {
		if l.passed += t.Cost; l.passed >= enough {
			l.careful = false
		}
	}
	if l.span.limit > 0 {
		l.span.admitted(v, t, l)
		if l.refutes(t.At) {
			l.span = inferredWindow{}
		}
	}
	if !l.pace.guess && l.doubt.over(l.pace.proven) {
		l.pace.period = min(l.pace.period, max(l.doubt.recent, 1))
	}
}

// refused takes in a refusal; again says that it reports the same congestion as
// one before.
func (l *limits) refused(now clock.Instant, t *Request, r *header.Reading, again bool) {
	l.log.Remove(t.At, t.Cost)
	l.few.observe(true)
	l.event.alone = !l.event.under
	if again {
		return
	}
	e := &l.event
	if e.under && e.told {
		e.probes++
		l.against.probe(e.probes)
	}
	if !e.under {
		*e = congestion{under: true, alone: true, known: e.known, at: t.At, closed: now, tried: t.At, risen: l.pace.risen(), idle: l.pace.idle}
		e.hasty = l.hastened(t)
		e.dense, l.passes.dense = l.passes.dense, false
		if l.spared > 0 {
			e.at, l.spared = min(e.at, l.spared), 0
		}
	}
	e.tried = max(e.tried, t.At)
	e.repeats = e.repeats || l.repeats(t)
	e.told = r.Wait.Known() && r.Wait.Delay > 0
	if e.told {
		e.risen = 0 // windows that are told of open at once: two requests may be near each other by chance
		wait, step := clock.Instant(min(r.Wait.Delay, LongestHold)), min(clock.Bounded(r.Wait.Resolution), clock.FarDay)
		e.reset = clock.Between(t.At+wait-step, now+wait+step)
	}
}

// shed takes in a refusal from which nothing is to be learned, because the server sheds
// load.
func (l *limits) shed(t *Request) {
	l.log.Remove(t.At, t.Cost)
	l.few.observe(true)
	l.was = max(l.was, t.At)
}

// explains reports whether what was learned says that t would be refused.
func (l *limits) explains(v *View, t *Request) bool {
	if l == nil || l.doubt.raised {
		return false
	}
	if l.pace.rate > 0 && l.pace.unused == 0 && l.pace.next > t.At-l.pace.step() {
		return true
	}
	if !l.span.proof.given {
		return l.repeats(t)
	}
	return l.span.limit > few && 4*l.log.Between(l.span.since(v, t.At), t.At) >= 3*l.span.limit
}

// suspend does without what was learned, because it seems to be in vain: with it, such a
// share was refused.
func (l *limits) suspend(share float64) {
	l.doubt = doubt{patience: l.doubt.patience + 1, pace: l.pace, span: l.span, raised: true, verdict: newVerdict(share, l.pace.rate > 0)}
	l.span, l.event = inferredWindow{}, congestion{}
	if l.pace.rate > 0 {
		l.pace.rate = max(doubtTries*l.pace.rate, doubtRate)
	}
	l.careful = false
}

// judge takes in what became of a request while there is doubt. l may be nil.
func (l *limits) judge(t *Request, refused bool) finding {
	if l == nil || !l.doubt.raised || t.Number <= l.doubt.mark {
		return undecided
	}
	return l.doubt.verdict.observe(t, refused)
}

// dismiss forgets what was learned, because it was wrong. It reports whether it was
// doubted. l may be nil.
func (l *limits) dismiss() bool {
	raised := l != nil && l.doubt.raised
	if raised {
		l.before = max(l.before, l.doubt.pace.rate)
		l.pace, l.doubt = inferredRate{}, doubt{}
	}
	return raised
}

// confirm takes up again what was learned, because it was right. l may be nil.
func (l *limits) confirm(now clock.Instant) {
	if l == nil || !l.doubt.raised {
		return
	}
	l.pace, l.span = l.doubt.pace, l.doubt.span
	l.pace.next = now
	l.doubt = doubt{patience: l.doubt.patience}
	l.event.known = true
}

// excuse forgets a congestion that was none. l may be nil.
func (l *limits) excuse() {
	if l != nil {
		l.event = congestion{}
	}
}

// hurry lets the rate rise as soon as if it had been measured once: refusals for another
// reason held it down. l may be nil.
func (l *limits) hurry() {
	if l != nil {
		l.pace.period = min(l.pace.period, paceFirst)
	}
}

// lately is how far back it is looked for what was served.
const lately = 60 * clock.Second

// long is how far back it is looked whether what was measured is absurd: so many times more was served.
const (
	long     = 5 * 60 * clock.Second
	absurdly = 8
)

// manyRequests is a limit on more requests than a condensed log tells apart.
const manyRequests = 2048

// few requests between two congestions are no window: a bucket gave back that many
// while it was closed.
const few = 3
