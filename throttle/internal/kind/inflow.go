package kind

import (
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/eventlog"
)

// An inflow recognises token buckets by what remains alone, where resets do not tell that they
// are: a bucket that is full again within a second tells the same whole second all the time. What
// remains and what was sent add up to a number that only rises, by what comes back. It rises once
// in the length of a fixed window, and in a log or a weighed window only by what was sent a length
// ago. No window is shorter than a second, so that more than that within a second shows a bucket,
// and how fast the number rises, how fast that is filled.
type inflow struct {
	base     mark          // the next rise is above this
	risen    clock.Instant // the last rise was after this; 0 is none
	agreed   int           // rises that no window explains
	wrong    int           // refusals by what was believed to be a bucket
	emission clock.Instant // the bucket regains a request in no longer than this; 0 is not known
	anchors  [inflowAnchors]mark
}

// A mark bounds what remained and what was sent together when a response was made.
type mark struct {
	sent, received clock.Instant
	low, high      int64
}

const (
	inflowWindow  = clock.Second // the length of the shortest window
	inflowProof   = 3            // rises that recognise a bucket, twice as many after each refusal
	inflowWrong   = 8            // refusals that count
	inflowAnchors = 8            // marks to measure from, each held for twice as long as the one before,
	inflowAnchor  = clock.Second / 8
)

// observe takes in a response to a request that was served.
func (f *inflow) observe(o *Observation) {
	low := o.Answered + o.Remaining
	m := mark{o.Sent, o.Now, low, low + o.Unsure}
	if f.base.received > 0 && m.high < f.base.low && m.sent >= f.base.received {
		f.forget() // others spend, or it is something else
	}
	switch {
	case f.base.received == 0:
		f.base = m
	case m.low > f.base.high:
		if f.risen > 0 && m.received-f.risen < inflowWindow && float64(o.Limit-o.Remaining) < o.fading(inflowWindow)-1 {
			f.agreed++
		}
		f.risen, f.base = f.base.sent, m
	case m.sent >= f.base.received && (m.high <= f.base.high || m.sent-f.base.sent > inflowWindow):
		f.base = m // of responses that overtake each other it may be before the last rise
	}
	for i := range f.anchors {
		f.measure(&f.anchors[i], &m, inflowAnchor<<i)
	}
}

// measure bounds the emission interval by what came back since a, which is held for the given time.
func (f *inflow) measure(a, m *mark, hold clock.Instant) {
	if a.received == 0 {
		*a = *m
		return
	}
	// Remaining is rounded down.
	if risen := m.low - a.high - 1; risen > 0 {
		step := max((m.received-a.sent)/clock.Instant(risen), 1)
		if f.emission == 0 || step < f.emission {
			f.emission = step
		}
	}
	if m.received-a.received > hold {
		*a = *m
	}
}

// proved reports whether it is a bucket.
func (f *inflow) proved() bool { return f.emission > 0 && f.agreed >= inflowProof<<f.wrong }

// forget drops what was seen.
func (f *inflow) forget() { *f = inflow{wrong: f.wrong} }

// refute takes in that a request was refused.
func (f *inflow) refute() {
	if f.proved() {
		f.wrong = min(f.wrong+1, inflowWrong)
	}
	f.forget()
}

// fading returns the least that a counter of windows of the given length would have counted when it
// answered, wherever its windows begin: a request that is so far back as a share of the length
// has lost that share of its weight at most.
func (o *Observation) fading(length clock.Instant) float64 {
	since := o.Now - length
	return o.Log.Weigh(o.Sent-o.RTT.Way(), length, func(e *eventlog.Entry) clock.Instant { return e.From - since })
}
