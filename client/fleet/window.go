package fleet

import (
	"time"

	"github.com/forbear-go/forbear/throttle"
)

// Shared is the name of what a request waits for when the fleet has nothing left.
const Shared = "shared"

// A window is what a member knows of one limit.
type window struct {
	name             string
	limit            int64
	earliest, latest time.Time // of the reset
	length, span     time.Duration

	// What responses told since the last report, in the numbers of the ledger inc.
	told         bool
	inc          string
	bound        int64
	number       uint64 // the newest request, which told
	newest, left int64
	ver          int64

	// own is up to which number our own units can be covered by what remained, as the
	// newest response said: others may spend the quota that do not talk.
	own      int64
	bounded  bool
	ownsFrom uint64 // the request that told it

	fleet int64         // the bound of the ledger, as it was heard last
	pause time.Duration // between the calls for more, as it comes bit by bit

	begun int64     // units of ours that were sent before this instance of the window
	newer uint64    // the newest request of which a response told, and
	seen  int64     // how much it said remained
	asked time.Time // when the newest was sent

	// The ledger knows that it opened at a time, at the latest, and does so in each period.
	opened  time.Time
	period  time.Duration
	width   time.Duration // it may have opened by so much earlier
	sure    bool          // the ledger knows that; otherwise it is likely,
	met     time.Time     // and a response showed that it opened then
	looking looking       // whether others left something
	rush    time.Duration // how long after it opened we sent the last of our part, before the lease was over

	// From the earliest on that it may open next: mark is how many units of ours were over by then.
	marked bool
	mark   int64
}

func (m *member) window(name string) *window {
	for _, w := range m.windows {
		if w.name == name {
			return w
		}
	}
	w := &window{name: name, fleet: -1}
	m.windows = append(m.windows, w)
	return w
}

// observe takes in what the response to e told of a window.
func (m *member) observe(now time.Time, number uint64, e *flight, a throttle.Announced) {
	w := m.window(m.fleet.name(a.Name)[:16])
	remaining := int64(a.Remaining)
	if a.Earliest.After(w.latest) {
		w.bounded = false // another instance
		w.begins(e)
	}
	if number > w.newer {
		// The bounds of a reset that is told roughly may meet those of the next one.
		if w.newer > 0 && remaining > w.seen+max(w.limit/4, 1) {
			w.begins(e)
		}
		w.newer, w.seen, w.asked = number, remaining, e.at
	}
	w.limit, w.earliest, w.latest = int64(max(a.Limit-a.Reserve, 0)), a.Earliest, a.Latest
	w.see(e.at, now, a)
	if !w.bounded || number > w.ownsFrom {
		w.own, w.bounded, w.ownsFrom = e.finished+e.cost+remaining, true, number
	}
	m.doubt(w, e, remaining)
	bound := e.known + e.cost + remaining
	if !w.told || w.inc != e.inc {
		w.told, w.inc, w.bound, w.number = true, e.inc, bound, 0
	}
	w.bound = max(w.bound, bound)
	if number > w.number {
		w.number, w.newest, w.left, w.ver = number, bound, remaining, e.ver
	}
}

// begins takes in that the response to e is the first of another instance, as it seems.
func (w *window) begins(e *flight) {
	if w.period == 0 {
		w.begun = e.before
	}
}

// see takes in how long the window is: as the server told it or, where it did not, as the
// longest time to a reset was. Where resets are told roughly that is a guess, which costs no
// more than a few probes that find nothing.
func (w *window) see(sent, now time.Time, a throttle.Announced) {
	if w.length = a.Length; w.length > 0 {
		return
	}
	span := a.Latest.Sub(sent)
	if rough := a.Latest.Sub(a.Earliest); rough > now.Sub(sent) {
		span = a.Earliest.Add(rough / 2).Sub(sent.Add(now.Sub(sent) / 2))
	}
	w.span = max(w.span, span)
	w.length = w.span
}

// turn notes which of our units may belong to the instance that began last: all that were not
// over when it opened at the earliest. It comes before any change of what is over.
func (m *member) turn(now time.Time) {
	for _, w := range m.windows {
		if w.period <= 0 || now.Before(w.opened) {
			continue
		}
		if since := now.Sub(w.opened).Truncate(w.period); since > 0 {
			if w.opened.Before(m.lease) && m.recent.latest.After(w.opened) {
				w.rush = min(m.recent.latest.Sub(w.opened), w.period/4, rushMost)
			}
			begun := m.finished
			if w.marked && since == w.period {
				begun = w.mark
			}
			w.opened, w.marked = w.opened.Add(since), false
			m.renew(w, begun)
		}
		if !w.marked && !now.Before(w.opened.Add(w.period-w.width)) {
			w.marked, w.mark = true, m.finished
		}
	}
}

// rests returns until when a member does not ask for more where it comes bit by bit: what it gets by then is worth a
// call. Whose turn it is to look, and gets less, changes by chance.
func (m *member) rests() time.Time {
	pause := time.Duration(0)
	for _, w := range m.windows {
		pause = max(pause, w.pause)
	}
	return m.lastAsk.Add(time.Duration(float64(pause) * m.rest))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// endsOtherwise reports whether the window resets at another time than it should open again.
func (w *window) endsOtherwise() bool {
	const slack = phaseSlack * time.Millisecond
	end := w.opened.Add(w.period)
	return w.latest.Before(end.Add(-w.width-slack)) || w.earliest.After(end.Add(slack))
}

// ownBound returns when a request of the given cost may go by what our own responses told. What was under way
// together may all have been counted before the newest of them, which told of the rest: once all is over, one
// request looks.
func (m *member) ownBound(now time.Time, cost int64) (time.Time, string) {
	at, name := now, ""
	for _, w := range m.windows {
		if w.bounded && !now.Before(w.earliest) {
			w.bounded = false
		}
		looks := len(m.flying) == 0 && w.seen >= cost
		if w.bounded && m.sent+cost > w.own && w.latest.After(at) && !looks {
			at, name = w.latest, Shared
		}
	}
	return at, name
}

// recently is how far back the use goes that is asked for again.
const recently = 2 * time.Second

// A recent counts what was sent lately, over one to two periods, not counting those in
// which nothing was: what was sent before a wait for a reset is sent after it again.
type recent struct {
	since, latest time.Time
	now, last     int64
}

func (r *recent) add(now time.Time, n int64) {
	if past := now.Sub(r.since); past >= 2*recently {
		r.since, r.now, r.last = now, 0, r.sum()
	} else if past >= recently {
		r.since, r.now, r.last = now, 0, r.now
	}
	r.latest = now
	r.now += n
}

func (r *recent) sum() int64 { return max(r.now, r.last) }
