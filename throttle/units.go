package throttle

import (
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/level"
	"github.com/forbear-go/forbear/throttle/limit"
)

// CountsUnits reports whether a window that counts something else than requests was known when
// the request was sent.
func (t *Reservation) CountsUnits() bool { return t.holds != nil && len(t.holds.of) > 0 }

// holds are what a request spends of the windows that count something else than requests, until
// responses count it.
type holds struct {
	demand limit.Demand
	of     []hold
}

type hold struct {
	*level.Hold
	units *unitWindow
}

// A unitWindow is the limit of a window that counts something else than requests: what one request costs
// is known afterwards, if at all.
type unitWindow struct {
	*level.Limiter
	name, unit string
	told       bool    // what remains
	most       float64 // the largest limit, or what remained, that was told
	newest     int64   // what remained last
	demand     level.Demand
}

// requestUnits are the units in which a limit counts requests, or parts of itself.
var requestUnits = []string{"", "requests", concurrentUnit, "fraction", "percent"}

// concurrentUnit is the unit of limits on the requests under way.
const concurrentUnit = "concurrent-requests"

// otherUnits are names of windows that count no requests, where no unit is told.
var otherUnits = []string{"complexity", "points", "credits", "tokens", "query-cost"}

// newUnits returns the limit of a window that counts something else than requests, else nil.
func newUnits(said *header.Window) *unitWindow {
	if countsRequests(said) {
		return nil
	}
	return &unitWindow{Limiter: level.New(), name: strings.Clone(said.Name), unit: strings.Clone(said.Unit)}
}

// countsRequests reports whether a window counts requests, and not tokens or the like.
func countsRequests(said *header.Window) bool {
	return slices.Contains(requestUnits, said.Unit) && (said.Unit != "" || !slices.Contains(otherUnits, said.Name))
}

// asks returns what a request asks of the window.
func (u *unitWindow) asks(d limit.Demand) level.Demand {
	if n, ok := cost.Units(d.Units).Of(u.name, u.unit); ok && n >= 0 {
		return level.Demand{Cost: n, Known: true}
	}
	if u.unit != "tokens" && u.name != "tokens" {
		return level.Demand{}
	}
	var asks level.Demand
	asks.Most, _ = cost.Units(d.Estimate.Most).Of(u.name, u.unit)
	switch {
	case strings.Contains(u.name, "output"):
	case strings.Contains(u.name, "input"):
		asks.Most = 0
		fallthrough
	default:
		asks.Prompt = float64(d.Estimate.Bytes)
	}
	return asks
}

// never reports whether the window never allows a request, however empty it is.
func (u *unitWindow) never(w *window, d limit.Demand) bool {
	asks := u.asks(d)
	return u.told && asks.Known && w.limit > 0 && asks.Cost > float64(w.limit-w.reserve) && !w.mixture.Mixed()
}

// ready returns when a request may go.
func (u *unitWindow) ready(w *window, k *Limiter, now instant) instant {
	if !u.told || w.ignored() {
		return now
	}
	d := u.Ask(k.time(now), u.asks(k.demand()))
	switch {
	case d.Go:
		return now
	case d.At.IsZero():
		return never
	}
	return max(k.instant(d.At), now+1)
}

// take notes that a request is sent.
func (u *unitWindow) take(k *Limiter, now instant, t *Reservation) {
	if !u.told {
		return
	}
	if t.holds == nil {
		t.holds = new(holds)
	}
	u.demand = u.asks(k.demand())
	t.holds.of = append(t.holds.of, hold{u.Take(k.time(now), u.demand), u})
}

// holdOf returns what t holds of the window. A request that was sent before the window was known
// holds something from now on.
func (u *unitWindow) holdOf(k *Limiter, t *Reservation) *level.Hold {
	if t.holds == nil {
		t.holds = new(holds)
	}
	for _, h := range t.holds.of {
		if h.units == u {
			return h.Hold
		}
	}
	h := u.Take(k.time(t.at), u.asks(t.holds.demand))
	t.holds.of = append(t.holds.of, hold{h, u})
	return h
}

// window returns what a response says of the window, and whether it says what remains.
func (u *unitWindow) window(w *window, k *Limiter, now instant, t *Reservation, said *header.Window) (level.Window, bool) {
	remaining, ok := count(said.Remaining, said.Unit)
	if !ok {
		return level.Window{}, false
	}
	u.most = max(u.most, float64(remaining))
	out := level.Window{Limit: u.most, Remaining: float64(remaining), Left: -1, Length: said.Length, Streamed: t.Streamed}
	if w.limit > 0 {
		u.most, out.Limit = float64(w.limit), float64(w.limit)
	}
	if missing := out.Limit - out.Remaining; said.PerSecond > 0 && missing > 0 && missing < said.PerSecond*longestRefill.Seconds() {
		out.Left, out.Blur = time.Duration(missing/said.PerSecond*float64(time.Second)), time.Millisecond
	}
	if said.Reset.Known() {
		in := k.clock.Instants(said.Reset, t.at, now)
		out.Blur = said.Reset.Resolution
		out.Left = max(0, time.Duration(in.Latest-now)-out.Blur)
	}
	return out, true
}

// longestRefill is more than any bucket takes to fill.
const longestRefill = 400 * 24 * time.Hour

// fullSooner reports whether an earlier reset may be the newest word: that of a bucket which was
// given back what a request did not use.
func (w *window) fullSooner() bool { return w.units != nil && !w.units.Opens() }

// observe takes in what a response that was no refusal says of the window.
func (u *unitWindow) observe(w *window, k *Limiter, now instant, t *Reservation, said *header.Window) {
	says, ok := u.window(w, k, now, t, said)
	if !ok {
		return
	}
	h := u.holdOf(k, t)
	u.told, u.newest = true, int64(says.Remaining)
	u.Observe(k.time(now), h, says)
}

// settle ends a hold.
func (u *unitWindow) settle(now time.Time, h *level.Hold, used cost.Units) {
	var usage level.Usage
	n, ok := used.Of(u.name, u.unit)
	if ok {
		usage.Total = n
		usage.Prompt = used["input-tokens"]
		if strings.Contains(u.name, "output") {
			usage.Prompt = 0
		}
	}
	u.Limiter.Settle(now, h, usage, ok)
}

// settleUnmetered settles what a request holds whose body is not metered, or that held nothing when it was sent:
// the reservation with which it is settled then knows of nothing.
func (k *Limiter) settleUnmetered(now instant, t *Reservation, held bool) {
	if t.holds != nil && !(t.Metered && held) {
		k.Settle(k.time(now), *t, nil)
	}
}

// refuseUnits takes in a refusal that asks to stay away until some time: which of the windows did not
// have enough, and what all say.
func (k *Limiter) refuseUnits(now instant, t *Reservation, r *header.Reading, lacking *window, closed instant) {
	if t.holds == nil {
		return
	}
	for i := range k.windows {
		w := &k.windows[i]
		if w.units == nil {
			continue
		}
		var says *level.Window
		if said := w.said(r); said != nil {
			if out, ok := w.units.window(w, k, now, t, said); ok {
				says, w.units.newest, w.units.told = &out, int64(out.Remaining), true
			}
		}
		if !w.units.told {
			continue
		}
		h := w.units.holdOf(k, t)
		if says == nil && lacking != w {
			w.units.Cancel(h) // it says nothing of this one
			continue
		}
		var until time.Time
		if lacking == w && closed > now {
			until = k.time(closed)
		}
		w.units.Refuse(k.time(now), h, says, lacking == w, until)
	}
	t.holds.of = nil
}

// lacking returns the window, of those that count something else than requests, that did not have
// enough for a request that was refused; nil if it was none of them.
func (k *Limiter) lacking(r *header.Reading) (least *window) {
	lowest := 1.0
	for i := range k.windows {
		w := &k.windows[i]
		said := w.said(r)
		switch {
		case said == nil || !w.emptied(said):
		case w.units == nil:
			return nil
		default:
			if share := said.Remaining.Value / max(w.units.most, float64(w.limit), 1); share < lowest {
				least, lowest = w, share
			}
		}
	}
	return least
}

// emptied reports whether so little of a limit remains that a request may have been refused for want of
// it, which may ask for more than was estimated.
func (u *unitWindow) emptied(remaining, limit int64) bool {
	left := float64(remaining)
	if !u.told {
		return left < float64(limit)/4
	}
	return left < u.most/16 || left < u.most/2 && left < 2*u.Admission(u.demand)
}

// abandonUnits notes that a request got no response: what it cost is counted as usual.
func (k *Limiter) abandonUnits(now instant, t *Reservation) { k.Settle(k.time(now), *t, nil) }

// cancelUnits forgets a request that was never sent.
func (k *Limiter) cancelUnits(t *Reservation) {
	if t.holds == nil {
		return
	}
	for _, h := range t.holds.of {
		h.units.Cancel(h.Hold)
	}
	t.holds.of = nil
}
